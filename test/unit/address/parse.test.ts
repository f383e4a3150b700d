import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { LANDMARKS, landmarksIn } from '../../../server/src/address/landmarks';
import { parseAddress, parseNumber } from '../../../server/src/address/parse';

for (const [text, value] of [
  ['0x9a070', 0x9a070n],
  ['0X9A070', 0x9a070n],
  ['9a070h', 0x9a070n],
  ['9a070', 0x9a070n],
  ['4096', 4096n],
  ['576K', 576n << 10n],
  ['576 KiB', 576n << 10n],
  ['2MB', 2n << 20n],
  ['4G-2M', 0xffe00000n],
  ['0xf0000000 + 64K', 0xf0010000n],
  ['ffffffff`80000000', 0xffffffff80000000n],
  ['1_000', 1000n],
  ['4G-1', 0xffffffffn],
] as const) {
  test(`${text} is 0x${value.toString(16)}`, () => assert.deepEqual(parseAddress(text), { value }));
}

for (const [text, words] of [
  ['', /missing/],
  ['4G-', /missing/],
  ['0xzz', /hexadecimal digit/],
  ['1.5G', /fraction/],
  ['hello', /not a number/],
  ['1-2', /below zero/],
  ['0x10000000000000000', /beyond/],
  ['9'.repeat(300), /too long/],
] as const) {
  test(`"${text.slice(0, 20)}" is refused: ${words.source}`, () => {
    const parsed = parseAddress(text);
    assert.ok('problem' in parsed);
    assert.match(parsed.problem, words);
  });
}

test('2^64 is an end, not an address', () => {
  assert.deepEqual(parseAddress('0x10000000000000000', true), { value: 1n << 64n });
  assert.ok('problem' in parseAddress('0x10000000000000000'));
});

test('a bare run of digits is decimal, one with a letter is hex', () => {
  assert.equal(parseNumber('4500'), 4500n);
  assert.equal(parseNumber('b50eb0'), 0xb50eb0n);
  assert.equal(parseNumber('0x4500'), 0x4500n);
  assert.equal(parseNumber('xyz'), null);
});

test('any text gives a value in range or a problem, never an exception', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-fxKMGTh+\- ]{0,30}$/)), (text) => {
      const parsed = parseAddress(text);
      if ('value' in parsed) assert.ok(parsed.value >= 0n && parsed.value < 1n << 64n);
      else assert.ok(parsed.problem.length > 0);
    }),
  );
});

test('every address below 2^64 is read back from its hex', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (value) => {
      assert.deepEqual(parseAddress('0x' + value.toString(16)), { value });
    }),
  );
});

test('landmarks are sorted, and the reset vector is inside the last 16 bytes below 4 GiB', () => {
  for (let i = 1; i < LANDMARKS.length; i++)
    assert.ok(LANDMARKS[i - 1]!.range.start <= LANDMARKS[i]!.range.start, LANDMARKS[i]!.label);
  const labels = (address: bigint): string[] =>
    landmarksIn({ start: address, end: address + 1n }).map(({ label }) => label);
  assert.deepEqual(labels(0xfffffff0n), ['reset vector']);
  assert.deepEqual(labels(0x9fc00n), ['EBDA may grow', 'EBDA']);
  assert.deepEqual(labels(0x200000n), []);
});

test('a boundary is in a range only where the range goes on beyond it', () => {
  const labels = (start: bigint, end: bigint): string[] =>
    landmarksIn({ start, end }).map(({ label }) => label);
  assert.ok(labels(0x80000n, 0xb0000n).includes('640 KiB'));
  assert.ok(!labels(0x80000n, 0xa0000n).includes('640 KiB'));
});
