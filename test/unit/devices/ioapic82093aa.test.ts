import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Ioapic82093aa } from '../../../server/src/devices/ioapic82093aa';

const BASE = 0xfec00000n;

function ioapic(accepted: () => boolean = () => true) {
  const sent: string[] = [];
  const device = new Ioapic82093aa({
    base: BASE,
    size: 0x1000n,
    id: 2,
    deliver: (vector, destination, logical, mode, level) => {
      sent.push(
        `${vector} to ${logical ? 'logical ' : ''}${destination} mode ${mode}${level ? ' level' : ''}`,
      );
      return accepted();
    },
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

for (const [mode, name, levelled] of [
  [0, 'fixed', true],
  [1, 'lowest priority', true],
  [2, 'SMI', false],
  [4, 'NMI', false],
  [5, 'INIT', false],
  [7, 'ExtINT', false],
] as const) {
  test(`a level-triggered entry in ${name} mode is sent as ${levelled ? 'level and waits for an EOI' : 'edge, again and again'}`, () => {
    const { device, sent, write, read } = ioapic();
    write(0x10, 0x8035 | (mode << 8));
    device.setLine(0, true);
    device.setLine(0, true);
    const text = `53 to 0 mode ${mode}${levelled ? ' level' : ''}`;
    assert.deepEqual(sent, [text]);
    assert.equal((read(0x10) & 0x4000) !== 0, levelled);
    device.setLine(0, false);
    device.setLine(0, true);
    assert.deepEqual(sent, levelled ? [text] : [text, text]);
  });
}

test('an entry that is active low asks while its input is low', () => {
  const { device, sent, write } = ioapic();
  device.setLine(11, true);
  write(0x10 + 22, 0xa040);
  assert.deepEqual(sent, []);
  device.setLine(11, false);
  assert.equal(sent.length, 1);
  device.setLine(11, true);
  device.endOfInterrupt(0x40);
  assert.equal(sent.length, 1);
  device.setLine(12, true);
  write(0x10 + 24, 0x2041);
  device.setLine(12, false);
  device.setLine(12, true);
  assert.equal(sent.length, 2, 'an edge is the falling one');
});

test('remote IRR is set where a local APIC accepted the level; else the next write of the entry offers it again', () => {
  let there = false;
  const { device, sent, write, read } = ioapic(() => there);
  write(0x10 + 18, 0x8039);
  device.setLine(9, true);
  assert.equal(read(0x10 + 18), 0x8039);
  there = true;
  write(0x10 + 18, 0x8039);
  assert.equal(read(0x10 + 18), 0xc039);
  assert.equal(sent.length, 2);
});
