import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { I8259Pair } from '../../../server/src/devices/i8259';

/** A pair initialized as every BIOS does, all inputs unmasked, with the level of its output. */
function initialized(options: { autoEoi?: boolean } = {}) {
  const seen = { level: false, edges: 0 };
  const pic = new I8259Pair((level) => {
    seen.level = level;
    seen.edges++;
  });
  for (const [port, value] of [
    [0x20, 0x11],
    [0xa0, 0x11],
    [0x21, 0x20],
    [0xa1, 0x28],
    [0x21, 0x04],
    [0xa1, 0x02],
    [0x21, options.autoEoi ? 0x03 : 0x01],
    [0xa1, 0x01],
    [0x21, 0x00],
    [0xa1, 0x00],
  ] as const) {
    pic.writePort(port, 1, value);
  }
  return { pic, seen };
}

function pulse(pic: I8259Pair, irq: number): void {
  pic.setLine(irq, true);
  pic.setLine(irq, false);
}

for (const irq of [0, 1, 3, 7, 8, 12, 15]) {
  test(`an edge on input ${irq} gives its vector, and its in-service bit until the EOI`, () => {
    const { pic, seen } = initialized();
    pulse(pic, irq);
    assert.equal(seen.level, true);
    assert.equal(pic.acknowledge(), 0x20 + irq);
    assert.equal(seen.level, false);
    pic.writePort(0x20, 1, 0x0b);
    assert.equal(pic.readPort(0x20), irq < 8 ? 1 << irq : 1 << 2);
    if (irq >= 8) pic.writePort(0xa0, 1, 0x20);
    pic.writePort(0x20, 1, 0x20);
    assert.equal(pic.readPort(0x20), 0);
  });
}

test('an input in service holds back itself and all below it, not those above', () => {
  const { pic, seen } = initialized();
  pulse(pic, 3);
  pic.acknowledge();
  pulse(pic, 3);
  pulse(pic, 5);
  assert.equal(seen.level, false);
  pulse(pic, 1);
  assert.equal(seen.level, true);
  assert.equal(pic.acknowledge(), 0x21);
});

test('a masked request waits and comes when it is unmasked', () => {
  const { pic, seen } = initialized();
  pic.writePort(0x21, 1, 0x10);
  pulse(pic, 4);
  assert.equal(seen.level, false);
  assert.equal(pic.readPort(0x20), 0x10);
  pic.writePort(0x21, 1, 0x00);
  assert.equal(pic.acknowledge(), 0x24);
});

test('a level-triggered input asks again after its EOI while it is up, an edge-triggered one does not', () => {
  const { pic, seen } = initialized();
  pic.writePort(0x4d0, 1, 0x20);
  pic.setLine(5, true);
  pic.setLine(6, true);
  assert.equal(pic.acknowledge(), 0x25);
  pic.writePort(0x20, 1, 0x20);
  assert.equal(pic.acknowledge(), 0x25);
  pic.setLine(5, false);
  pic.writePort(0x20, 1, 0x20);
  assert.equal(pic.acknowledge(), 0x26);
  pic.writePort(0x20, 1, 0x20);
  assert.equal(seen.level, false);
});

test('ELCR keeps the system inputs edge triggered', () => {
  const { pic } = initialized();
  pic.writePort(0x4d0, 1, 0xff);
  pic.writePort(0x4d1, 1, 0xff);
  assert.deepEqual([pic.readPort(0x4d0), pic.readPort(0x4d1)], [0xf8, 0xde]);
});

test('a request that is gone at the acknowledge gives the spurious vector of input 7', () => {
  const { pic } = initialized();
  pic.writePort(0x4d0, 1, 0x20);
  pic.setLine(5, true);
  pic.setLine(5, false);
  assert.equal(pic.acknowledge(), 0x27);
});

for (const [name, command, expected] of [
  ['non-specific EOI', 0x20, [0x40, 7]],
  ['specific EOI of input 4', 0x64, [0x40, 7]],
  ['specific EOI of input 6', 0x66, [0x10, 7]],
] as const) {
  test(`${name} with inputs 6 and 4 in service leaves ISR ${expected[0].toString(16)}`, () => {
    const { pic } = initialized();
    pulse(pic, 6);
    pic.acknowledge();
    pulse(pic, 4);
    pic.acknowledge();
    pic.writePort(0x20, 1, command);
    pic.writePort(0x20, 1, 0x0b);
    assert.equal(pic.readPort(0x20), expected[0]);
  });
}

test('rotation on EOI makes the served input the lowest', () => {
  const { pic } = initialized();
  pulse(pic, 3);
  pic.acknowledge();
  pic.writePort(0x20, 1, 0xa0);
  pulse(pic, 3);
  pulse(pic, 4);
  assert.equal(pic.acknowledge(), 0x24);
});

test('special mask mode lets lower inputs through while a masked one is in service', () => {
  const { pic, seen } = initialized();
  pulse(pic, 2 + 1);
  pic.acknowledge();
  pic.writePort(0x20, 1, 0x68);
  pic.writePort(0x21, 1, 1 << 3);
  pulse(pic, 6);
  assert.equal(seen.level, true);
  assert.equal(pic.acknowledge(), 0x26);
});

test('automatic EOI leaves nothing in service', () => {
  const { pic } = initialized({ autoEoi: true });
  pulse(pic, 0);
  assert.equal(pic.acknowledge(), 0x20);
  pic.writePort(0x20, 1, 0x0b);
  assert.equal(pic.readPort(0x20), 0);
});

test('a poll acknowledges without an interrupt cycle', () => {
  const { pic } = initialized();
  pulse(pic, 6);
  pic.writePort(0x20, 1, 0x0c);
  assert.equal(pic.readPort(0x20), 0x86);
  pic.writePort(0x20, 1, 0x0c);
  assert.equal(pic.readPort(0x20), 0);
});

test('ICW1 forgets mask, service and edges, and a saved pair goes on where it was', () => {
  const { pic } = initialized();
  pulse(pic, 9);
  pic.writePort(0x21, 1, 0xfb);
  const saved = structuredClone(pic.save());
  const levels: boolean[] = [];
  const other = new I8259Pair((up) => levels.push(up));
  other.restore(saved);
  assert.deepEqual(levels, []);
  assert.equal(other.acknowledge(), 0x29);
  assert.deepEqual(levels, [false]);
  pic.writePort(0x20, 1, 0x11);
  for (const value of [0x20, 0x04, 0x01]) pic.writePort(0x21, 1, value);
  assert.equal(pic.readPort(0x21), 0);
});

test('the special fully nested mode lets a higher input of the second chip through, and none below the cascade', () => {
  const { pic, seen } = initialized();
  for (const [port, value] of [
    [0x20, 0x11],
    [0x21, 0x20],
    [0x21, 0x04],
    [0x21, 0x11],
    [0x21, 0x00],
  ] as const) {
    pic.writePort(port, 1, value);
  }
  pulse(pic, 12);
  assert.equal(pic.acknowledge(), 0x2c);
  pulse(pic, 5);
  assert.equal(seen.level, false);
  pulse(pic, 9);
  assert.equal(seen.level, true);
  assert.equal(pic.acknowledge(), 0x29);
});

test('a level request of the second chip that goes away takes the first one’s with it', () => {
  const { pic, seen } = initialized();
  pic.writePort(0x4d1, 1, 0x04);
  pic.setLine(10, true);
  assert.equal(seen.level, true);
  pic.setLine(10, false);
  assert.equal(seen.level, false);
  pic.writePort(0x20, 1, 0x0a);
  assert.equal(pic.readPort(0x20), 0);
});
