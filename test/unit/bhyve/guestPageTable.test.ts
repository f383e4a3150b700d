/** The second-level page table against a plain set of pages, and the two generations of ranges. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PAGE, type AddressRange } from '../../../server/src/address/range';
import {
  GuestPageTable,
  LEAF_SPAN,
  type RangeConvention,
} from '../../../server/src/vmm/bhyve/guestPageTable';

const GIB = 1n << 30n;

type Step =
  | { readonly kind: 'map'; readonly gpa: bigint }
  | { readonly kind: 'unmap' | 'clear'; readonly range: AddressRange };

/** Pages on both sides of a leaf's, a directory's and a pointer table's border, so that ranges meet in the same tables. */
const page = fc
  .tuple(fc.constantFrom(0n, 2n * 1024n * 1024n, GIB, 4n * GIB, 512n * GIB), fc.bigInt(-4n, 600n))
  .map(([base, number]) => (base + number * PAGE < 0n ? 0n : base + number * PAGE));
const range = fc
  .tuple(page, fc.bigInt(1n, 1100n))
  .map(([start, count]) => ({ start, end: start + count * PAGE }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: page.map((gpa): Step => ({ kind: 'map', gpa })) },
  { weight: 1, arbitrary: range.map((value): Step => ({ kind: 'unmap', range: value })) },
  { weight: 1, arbitrary: range.map((value): Step => ({ kind: 'clear', range: value })) },
);

/** The pages that a range names. */
const inside = ({ start, end }: AddressRange, ranges: RangeConvention, gpa: bigint): boolean =>
  gpa >= start && (ranges === 'closed' ? gpa <= end : gpa < end);
/** Whether a range has a page in the leaf of another page. */
const sharesLeaf = (value: AddressRange, ranges: RangeConvention, gpa: bigint): boolean => {
  const leaf = gpa - (gpa % LEAF_SPAN);
  const last = ranges === 'closed' ? value.end : value.end - PAGE;
  return value.start < leaf + LEAF_SPAN && last >= leaf;
};

for (const ranges of ['closed', 'half-open'] as const) {
  test(`${ranges} ranges: the table holds what a set of pages holds`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = new GuestPageTable({ ranges, debug: false });
        const model = new Set<bigint>();
        for (const next of steps) {
          if (next.kind === 'map') {
            assert.equal(table.map(next.gpa, next.gpa | 7n), !model.has(next.gpa));
            model.add(next.gpa);
          } else {
            const gone = [...model].filter((gpa) => inside(next.range, ranges, gpa));
            assert.equal(table.unmapRegion(next.range), gone.length);
            gone.forEach((gpa) => model.delete(gpa));
            if (next.kind === 'clear') {
              // Without DEBUG, vacating takes along whatever shares a leaf with the range.
              const lost = [...model].filter((gpa) => sharesLeaf(next.range, ranges, gpa));
              const vacated = table.vacateRegion(next.range);
              assert.equal(vacated.assertion, null);
              assert.equal(
                vacated.lost.reduce((sum, { entries }) => sum + entries, 0),
                lost.length,
              );
              lost.forEach((gpa) => model.delete(gpa));
            }
          }
          const expected = [...model].sort((a, b) => (a < b ? -1 : 1));
          assert.deepEqual(table.mapped, expected);
          assert.ok(expected.every((gpa) => table.lookup(gpa) === (gpa | 7n)));
        }
        table.unmapRegion({ start: 0n, end: 1024n * GIB });
        table.vacateRegion({ start: 0n, end: 1024n * GIB });
        assert.equal(table.tables, 0, 'an empty table keeps its root only');
      }),
      { numRuns: 300 },
    );
  });

  test(`${ranges} ranges, DEBUG: vacating asserts at the lowest page left in a leaf that it visits, and else frees`, () => {
    fc.assert(
      fc.property(fc.uniqueArray(page, { maxLength: 40 }), range, (pages, value) => {
        const table = new GuestPageTable({ ranges, debug: true });
        for (const gpa of pages) table.map(gpa, 1n);
        table.unmapRegion(value);
        const left = pages
          .filter((gpa) => !inside(value, ranges, gpa) && sharesLeaf(value, ranges, gpa))
          .sort((a, b) => (a < b ? -1 : 1));
        const { assertion, lost } = table.vacateRegion(value);
        assert.deepEqual(lost, []);
        assert.equal(assertion?.gpa ?? null, left[0] ?? null);
        if (assertion) assert.equal(BigInt(assertion.index), (left[0]! % LEAF_SPAN) / PAGE);
      }),
      { numRuns: 300 },
    );
  });
}

test('the counting generation frees a leaf with the last region that covers it, and asserts nothing', () => {
  const table = new GuestPageTable({ ranges: 'counted', debug: true });
  const [low, high] = [
    { start: 0xffe00000n, end: 0xfff80000n },
    { start: 0xfff80000n, end: 4n * GIB },
  ];
  table.populateRegion(low);
  table.populateRegion(high);
  assert.equal(table.references(0xffe00000n), 512);
  table.map(0xfff80000n, 1n);
  table.unmapRegion(low);
  assert.deepEqual(table.vacateRegion(low), { assertion: null, lost: [] });
  assert.equal(table.references(0xfff80000n), 128);
  assert.deepEqual(table.mapped, [0xfff80000n]);
  table.unmapRegion(high);
  assert.deepEqual(table.vacateRegion(high), { assertion: null, lost: [] });
  assert.equal(table.tables, 0);
});

test('populating makes one leaf for each 2 MiB that a range touches, and the tables above', () => {
  const table = new GuestPageTable({ ranges: 'half-open', debug: true });
  table.populateRegion({ start: 4n * GIB, end: 9n * GIB });
  assert.equal(table.tables, 5 * 512 + 5 + 1);
  const closed = new GuestPageTable({ ranges: 'closed', debug: true });
  closed.populateRegion({ start: 4n * GIB, end: 9n * GIB });
  assert.equal(closed.tables, 5 * 512 + 5 + 1 + 2, 'the page at 9 GiB has a leaf and a directory of its own');
});
