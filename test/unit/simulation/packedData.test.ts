import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc32 } from '../../../server/src/simulation/crc32';
import { packData, unpackData } from '../../../server/src/simulation/packedData';

const through = (value: unknown): unknown => unpackData(packData(value));

for (const [title, value] of [
  ['numbers beyond 2^53', { a: 0n, b: -1n, c: 0xffffffffffffffffn, list: [1n] }],
  ['numbers that JSON has not', [NaN, Infinity, -Infinity, 1.5]],
  [
    'bytes and other arrays',
    { a: Uint8Array.of(1, 2), b: BigUint64Array.of(1n << 63n), c: Uint32Array.of(7) },
  ],
  [
    'maps, also in maps',
    new Map<unknown, unknown>([
      ['a', new Map([[1, 2n]])],
      [3n, null],
    ]),
  ],
  ['lists with holes of undefined', [undefined, 1]],
  ['objects that look like the tags', [{ $n: '0x1' }, { $b: 0 }, { $o: [] }, { $m: 1, x: 2 }]],
] as const) {
  test(`${title} come back`, () => {
    assert.deepEqual(through(value), value);
  });
}

test('any data come back', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withMap: true, withTypedArray: false }), (value) => {
      const plain = structuredClone(dropUndefined(value));
      assert.deepEqual(through(plain), plain);
    }),
    { numRuns: 300 },
  );
});

/** A field of undefined is the same as none. */
function dropUndefined(value: unknown): unknown {
  if (value === undefined || Object.is(value, -0)) return 0;
  if (value instanceof Map) return new Map([...value].map(([k, v]) => [dropUndefined(k), dropUndefined(v)]));
  if (Array.isArray(value)) return value.map(dropUndefined);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => item !== undefined && key !== '__proto__')
      .map(([key, item]) => [key, dropUndefined(item)]),
  );
}

test('the same bytes are one blob, other bytes of the same buffer another', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  const { blobs } = packData([bytes, { again: bytes }, bytes.subarray(0, 2), bytes.slice()]);
  assert.deepEqual(
    blobs.map((blob) => [...blob]),
    [
      [1, 2, 3, 4],
      [1, 2],
      [1, 2, 3, 4],
    ],
  );
});

test('CRC-32 of the standard’s check string', () => {
  assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926);
});

test('blobs may be views of any class of bytes, at any offset', () => {
  const { json, blobs } = packData(Uint32Array.of(1, 2));
  const odd = Buffer.concat([Buffer.of(9), blobs[0]!, Buffer.of(9)]).subarray(1, 9);
  assert.deepEqual(unpackData({ json, blobs: [odd] }), Uint32Array.of(1, 2));
});
