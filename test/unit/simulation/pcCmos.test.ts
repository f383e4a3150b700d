import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { cmos } from '../../../server/src/vmm/pc/cmos';

const MIB = 1n << 20n;

for (const [name, memory, vcpus, expected] of [
  [
    '8 MiB: 7 MiB from 1 MiB on',
    8n * MIB,
    1,
    { 0x17: 0x00, 0x18: 0x1c, 0x30: 0x00, 0x31: 0x1c, 0x34: 0, 0x35: 0 },
  ],
  ['128 MiB: 112 MiB from 16 MiB on', 128n * MIB, 1, { 0x17: 0xff, 0x18: 0xff, 0x34: 0x00, 0x35: 0x07 }],
  [
    '8 GiB: 3 below 4 GiB, 5 above',
    8192n * MIB,
    4,
    { 0x34: 0x00, 0x35: 0xbf, 0x5b: 0, 0x5c: 0x40, 0x5d: 0x01, 0x5f: 3 },
  ],
  [
    '640 KiB, a coprocessor and a mouse, 32.768 kHz',
    128n * MIB,
    1,
    { 0x0a: 0x26, 0x14: 0x06, 0x15: 0x80, 0x16: 0x02 },
  ],
  ['disk, floppy, CD', 128n * MIB, 1, { 0x38: 0x30, 0x3d: 0x12 }],
] as const) {
  test(`CMOS: ${name}`, () => {
    const bytes = cmos(memory, vcpus);
    const found = Object.keys(expected).map((index) => [index, bytes[Number(index)]]);
    assert.deepEqual(Object.fromEntries(found), expected);
  });
}
