/** ROM images of a PC: told by their size and reset vector. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { checkPcRom, isPcRom } from '../../../server/src/machine/image/rom';

/** A ROM whose last 16 bytes start with `vector`. */
function rom(size: number, vector: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(vector, size - 16);
  return bytes;
}
const KIB = 1024;
const FAR_JUMP = [0xea, 0x5b, 0xe0, 0x00, 0xf0];

for (const [name, vector] of [
  ['a far jump (SeaBIOS)', FAR_JUMP],
  ['a near jump (qboot)', [0xe9, 0x8d, 0xff]],
  ['NOPs and a near jump (OVMF 4M)', [0x90, 0x90, 0xe9, 0x5b, 0xff]],
  ['a look at CR0 and a short jump (OVMF 2M)', [0x0f, 0x20, 0xc0, 0xa8, 0x01, 0x74, 0x05, 0xe9, 0x28, 0xff]],
  ['CLI, CLD and a short jump', [0xfa, 0xfc, 0xeb, 0xf0]],
] as const) {
  test(`${name} at the reset vector makes a ROM`, () => {
    assert.ok(isPcRom(rom(128 * KIB, vector)));
  });
}

for (const [name, bytes] of [
  ['no jump at the reset vector', rom(128 * KIB, [0x01, 0xea])],
  [
    'NOPs up to the end',
    rom(
      128 * KIB,
      Array.from({ length: 16 }, () => 0x90),
    ),
  ],
  [
    'a boot sector’s signature',
    rom(128 * KIB, FAR_JUMP)
      .fill(0x55, 510, 511)
      .fill(0xaa, 511, 512),
  ],
  ['an ELF header', Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, ...rom(64 * KIB, FAR_JUMP).subarray(4)])],
  ['fewer than 64 KiB', rom(60 * KIB, FAR_JUMP)],
  ['nothing at all', new Uint8Array(0)],
] as const) {
  test(`${name} makes none`, () => {
    assert.ok(!isPcRom(bytes));
  });
}

for (const [size, message] of [
  [60 * KIB, /61440 bytes, a PC takes 65536/],
  [64 * KIB + 1, /65537 bytes, 1 more than a multiple of 4 KiB/],
  [16 * KIB * KIB + 4096, /more than 16 MiB/],
  [0, /is empty/],
] as const) {
  test(`a ROM of ${size} bytes is refused in a sentence`, () => {
    const wrong = checkPcRom(size === 0 ? new Uint8Array(0) : rom(size, FAR_JUMP));
    assert.match(wrong?.problem ?? '', message);
  });
}
