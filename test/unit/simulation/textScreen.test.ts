import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { textScreen } from '../../../server/src/simulation/textScreen';

/** Text memory with code-page-437 bytes at [row, column], grey on black unless told otherwise. */
function screen(
  ...texts: readonly (readonly [row: number, column: number, bytes: number[], attribute?: number])[]
) {
  const cells = new Uint8Array(4000);
  for (const [row, column, bytes, attribute = 0x07] of texts)
    bytes.forEach((byte, index) => cells.set([byte, attribute], 2 * (row * 80 + column + index)));
  return textScreen((address, length) => (address === 0xb8000n && length === 4000 ? cells : null));
}
const ascii = (text: string) => [...Buffer.from(text)];

const CASES: readonly (readonly [title: string, shown: string, expected: string])[] = [
  ['zeroed memory is no screen', screen(), ''],
  ['blanks in grey are no screen', screen([3, 0, ascii('   ')]), ''],
  ['rows keep their places', screen([0, 0, ascii('A')], [2, 4, ascii('B')]), 'A\n\n    B'],
  ['the last cell counts', screen([24, 79, ascii('Z')]), `${'\n'.repeat(24)}${' '.repeat(79)}Z`],
  ['black on black is not seen', screen([0, 0, ascii('hidden'), 0]), ''],
  ['boxes are those of code page 437', screen([0, 0, [0xc9, 0xcd, 0xbb, 0xdb, 0xfb, 0x01, 0xb3]]), '╔═╗█√ │'],
];
for (const [title, shown, expected] of CASES) test(title, () => assert.equal(shown, expected));

test('a machine without memory there has no screen', () => {
  assert.equal(
    textScreen(() => null),
    '',
  );
});
