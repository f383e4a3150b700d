import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { formatSize } from '../../server/src/address/format';
import { fromClosed, intersection, overlaps } from '../../server/src/address/range';

test('ranges that only touch do not overlap', () => {
  assert.equal(overlaps({ start: 0n, end: 0xa0000n }, { start: 0xa0000n, end: 0x100000n }), false);
  assert.equal(overlaps({ start: 0n, end: 0xa0001n }, { start: 0xa0000n, end: 0x100000n }), true);
});

test('a closed range may end at the last byte of the address space', () => {
  assert.equal(fromClosed(0n, (1n << 64n) - 1n).end, 1n << 64n);
});

test('an intersection is the bytes that both share', () => {
  assert.deepEqual(intersection({ start: 0n, end: 10n }, { start: 5n, end: 20n }), { start: 5n, end: 10n });
  assert.equal(intersection({ start: 0n, end: 5n }, { start: 5n, end: 20n }), undefined);
});

for (const [bytes, text] of [
  [0n, '0 B'],
  [1023n, '1023 B'],
  [0x9fc00n, '639 KiB'],
  [1n << 20n, '1 MiB'],
  [(1n << 30n) + (1n << 28n), '1280 MiB'],
  [0x100000n + 1n, '1 MiB'],
  [1536n * 1024n + 100n, '1.5 MiB'],
  [1n << 64n, '16 EiB'],
] as const) {
  test(`${bytes} bytes are written ${text}`, () => assert.equal(formatSize(bytes), text));
}
