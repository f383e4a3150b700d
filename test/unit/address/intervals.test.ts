import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  covering,
  holes,
  neighbours,
  overlappingPairs,
  touchingPairs,
  union,
} from '../../../server/src/address/intervals';
import { contains, overlaps, type AddressRange } from '../../../server/src/address/range';

/** Small numbers, so that overlaps, seams and empty ranges are frequent. */
const range = fc
  .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 12 }))
  .map(([start, size]): AddressRange => ({ start: BigInt(start), end: BigInt(start + size) }));
const ranges = fc.array(range, { maxLength: 25 });
const BYTES = Array.from({ length: 56 }, (_, index) => BigInt(index));

const key = (a: number, b: number): string => (a < b ? `${a},${b}` : `${b},${a}`);

test('the sweep finds exactly the pairs that a pairwise search finds', () => {
  fc.assert(
    fc.property(ranges, (list) => {
      const naive = new Set<string>();
      list.forEach((a, i) => list.forEach((b, j) => i < j && overlaps(a, b) && naive.add(key(i, j))));
      const found = overlappingPairs(list);
      assert.deepEqual(new Set(found.map(({ first, second }) => key(first, second))), naive);
      assert.equal(found.length, naive.size, 'no pair twice');
      for (const { first, second, shared } of found) {
        assert.ok(list[first]!.start <= list[second]!.start);
        for (const byte of BYTES)
          assert.equal(contains(shared, byte), contains(list[first]!, byte) && contains(list[second]!, byte));
      }
    }),
  );
});

test('a limit cuts the list of pairs and does not change its start', () => {
  const list = Array.from({ length: 100 }, () => ({ start: 0n, end: 10n }));
  const all = overlappingPairs(list);
  assert.equal(all.length, 4950);
  assert.deepEqual(overlappingPairs(list, 7), all.slice(0, 7));
});

test('seams are the pairs of which one ends where the other starts', () => {
  fc.assert(
    fc.property(ranges, (list) => {
      const naive = new Set<string>();
      list.forEach((a, i) =>
        list.forEach((b, j) => {
          if (a.end > a.start && b.end > b.start && a.end === b.start) naive.add(`${i}<${j}`);
        }),
      );
      assert.deepEqual(new Set(touchingPairs(list).map(({ lower, upper }) => `${lower}<${upper}`)), naive);
    }),
  );
});

test('union and holes divide a window without rest', () => {
  fc.assert(
    fc.property(ranges, range, (list, window) => {
      const used = union(list);
      const free = holes(list, window);
      for (const byte of BYTES) {
        const covered = list.some((one) => contains(one, byte));
        assert.equal(
          used.some((one) => contains(one, byte)),
          covered,
        );
        assert.equal(
          free.some((one) => contains(one, byte)),
          contains(window, byte) && !covered,
        );
      }
      for (let i = 1; i < used.length; i++) assert.ok(used[i - 1]!.end < used[i]!.start);
    }),
  );
});

test('covering lists every range with the address, neighbours the nearest ones without it', () => {
  fc.assert(
    fc.property(ranges, fc.integer({ min: 0, max: 55 }), (list, at) => {
      const address = BigInt(at);
      const expected = list.flatMap((one, index) => (contains(one, address) ? [index] : []));
      assert.deepEqual(covering(list, address), expected);
      const solid = list.filter((one) => one.end > one.start);
      const { below, above } = neighbours(list, address);
      const ends = solid.filter((one) => one.end <= address).map((one) => one.end);
      const starts = solid.filter((one) => one.start > address).map((one) => one.start);
      const max = ends.reduce<bigint | null>((a, b) => (a === null || b > a ? b : a), null);
      const min = starts.reduce<bigint | null>((a, b) => (a === null || b < a ? b : a), null);
      assert.equal(below === null ? null : list[below]!.end, max);
      assert.equal(above === null ? null : list[above]!.start, min);
    }),
  );
});

test('a hundred thousand ranges in a row are swept without a pair', () => {
  const list = Array.from({ length: 100_000 }, (_, index) => ({
    start: BigInt(index),
    end: BigInt(index + 1),
  }));
  assert.deepEqual(overlappingPairs(list), []);
  assert.equal(touchingPairs(list).length, 99_999);
});
