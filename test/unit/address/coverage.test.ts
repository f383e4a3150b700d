import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { Coverage } from '../../../server/src/address/coverage';
import { contains, type AddressRange } from '../../../server/src/address/range';

/** Small numbers, so that overlaps, seams and empty ranges are frequent. */
const range = fc
  .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 12 }))
  .map(([start, size]): AddressRange => ({ start: BigInt(start), end: BigInt(start + size) }));

const bytesOf = ({ start, end }: AddressRange): bigint[] =>
  Array.from({ length: Number(end - start) }, (_, index) => start + BigInt(index));

test('what is covered, what is touched and the first run that is missing are those of a search byte by byte', () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 12 }), range, (list, asked) => {
      const coverage = new Coverage(list);
      const covered = (byte: bigint) => list.some((one) => contains(one, byte));
      const bytes = bytesOf(asked);
      assert.equal(coverage.covers(asked), bytes.every(covered));
      assert.equal(coverage.touches(asked), bytes.some(covered));
      const first = bytes.find((byte) => !covered(byte));
      const missing = coverage.firstMissing(asked);
      assert.equal(missing?.start, first);
      if (!missing) return;
      assert.ok(bytesOf(missing).every((byte) => !covered(byte)));
      assert.ok(missing.end === asked.end || covered(missing.end));
    }),
  );
});
