import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Ioapic82093aa } from '../../../server/src/devices/ioapic82093aa';

const BASE = 0xfec00000n;

function ioapic() {
  const sent: string[] = [];
  const device = new Ioapic82093aa({
    base: BASE,
    size: 0x1000n,
    id: 2,
    deliver: (vector, destination, logical, mode, level) =>
      sent.push(
        `${vector} to ${logical ? 'logical ' : ''}${destination} mode ${mode}${level ? ' level' : ''}`,
      ),
  });
  const write = (index: number, value: number) => {
    device.writeMmio(BASE, 4, BigInt(index));
    device.writeMmio(BASE + 0x10n, 4, BigInt(value));
  };
  const read = (index: number) => {
    device.writeMmio(BASE, 4, BigInt(index));
    return Number(device.readMmio(BASE + 0x10n));
  };
  return { device, sent, write, read };
}

for (const [index, expected] of [
  [0x00, 0x02000000],
  [0x01, 0x00170011],
  [0x10, 0x00010000],
  [0x3f, 0],
  [0x40, 0],
] as const) {
  test(`register ${index.toString(16)} is ${expected.toString(16)} after reset`, () =>
    assert.equal(ioapic().read(index), expected));
}

test('an edge is sent once, a masked one is lost', () => {
  const { device, sent, write } = ioapic();
  device.setLine(4, true);
  device.setLine(4, false);
  write(0x10 + 8, 0x34);
  write(0x11 + 8, 0x01000000);
  device.setLine(4, true);
  device.setLine(4, true);
  assert.deepEqual(sent, ['52 to 1 mode 0']);
});

test('a level is sent, waits for the EOI, and is sent again while the line is up', () => {
  const { device, sent, write, read } = ioapic();
  write(0x10 + 18, 0x8939);
  device.setLine(9, true);
  assert.equal(read(0x10 + 18), 0xc939);
  device.setLine(9, true);
  assert.equal(sent.length, 1);
  device.endOfInterrupt(0x39);
  assert.deepEqual(sent, ['57 to logical 0 mode 1 level', '57 to logical 0 mode 1 level']);
  device.setLine(9, false);
  device.endOfInterrupt(0x39);
  assert.deepEqual([sent.length, read(0x10 + 18)], [2, 0x8939]);
});

test('a level that waited behind the mask is sent when it is unmasked', () => {
  const { device, sent, write } = ioapic();
  write(0x10 + 20, 0x18040);
  device.setLine(10, true);
  assert.deepEqual(sent, []);
  write(0x10 + 20, 0x8040);
  assert.equal(sent.length, 1);
});

test('remote IRR is read-only, and a restored device still waits for the EOI', () => {
  const { device, sent, write, read } = ioapic();
  write(0x10 + 2, 0xc031);
  assert.equal(read(0x10 + 2), 0x8031);
  device.setLine(1, true);
  const saved = structuredClone(device.save());
  device.reset();
  assert.equal(read(0x10 + 2), 0x10000);
  device.restore(saved);
  device.endOfInterrupt(0x31);
  assert.equal(sent.length, 2);
});
