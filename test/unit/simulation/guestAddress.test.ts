import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { instructionAddress, translate } from '../../../server/src/simulation/guestAddress';
import { FLAT16, flat32, flat64 } from '../../../server/src/vmm/vmd/bootState';

/** Memory of a few 32- and 64-bit words. */
function memory(words: Readonly<Record<number, bigint>>) {
  return (address: bigint, length: number) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, words[Number(address)] ?? 0n, true);
    return bytes.subarray(0, length);
  };
}

const LONG = flat64(0n, 0n);
const LEGACY = flat32(0n, 0n);

for (const [name, state, words, linear, expected] of [
  ['paging off', FLAT16, {}, 0xffff0n, 0xffff0n],
  [
    'four levels, 4 KiB',
    LONG,
    { 0x11000: 0x12001n, 0x12000: 0x13001n, 0x13008: 0x14001n, 0x14018: 0x8000000000abc067n },
    0x203456n,
    0xabc456n,
  ],
  [
    'four levels, 2 MiB',
    LONG,
    { 0x11000: 0x12001n, 0x12000: 0x13001n, 0x13008: 0xc000e7n },
    0x3abcden,
    0xdabcden,
  ],
  ['four levels, 1 GiB', LONG, { 0x11000: 0x12001n, 0x12008: 0xc0000087n }, 0x40001234n, 0xc0001234n],
  ['a level that is not present', LONG, { 0x11000: 0x12001n }, 0x1000n, null],
  ['32-bit, 4 MiB', LEGACY, { 0x12004: 0x00800087n }, 0x412345n, 0x812345n],
  ['32-bit, 4 KiB', LEGACY, { 0x12004: 0x20001n, 0x20008: 0x777067n }, 0x402abcn, 0x777abcn],
  [
    'PAE',
    { ...LEGACY, cr4: 0x30n, cr3: 0x12020n },
    { 0x12038: 0x20001n, 0x20ff8: 0x21001n, 0x21ff8: 0x5001n },
    0xfffff123n,
    0x5123n,
  ],
] as const) {
  test(`translation with ${name}`, () => assert.equal(translate(state, linear, memory(words)), expected));
}

test('CS base counts outside 64-bit mode only', () => {
  assert.equal(instructionAddress(FLAT16), 0xffff0n);
  const cs = { selector: 8, base: 0x1000n, limit: 0xffffffff, attributes: 0xa09b };
  const state = { ...LONG, rip: 0xffffffff81000000n, segments: { ...LONG.segments, cs } };
  assert.equal(instructionAddress(state), 0xffffffff81000000n);
});
