import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineIndex } from '../../../server/src/text/position';
import { SourceText } from '../../../server/src/text/sourceText';

const texts = (...pieces: string[]) =>
  fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((parts) => parts.join(''));

/** Line starts by the definition: after LF, CRLF or a lone CR. */
function linesOf(text: string): string[] {
  return text.split(/\r\n|\n|\r/);
}

for (const [what, text] of [
  ['LF', texts('a', 'bc', '\n')],
  ['any line ends', texts('a', 'bc', '\n', '\r', '\r\n')],
] as const) {
  test(`lines are those that the line ends make: ${what}`, () => {
    fc.assert(
      fc.property(text, (sample) => {
        const index = new LineIndex(sample);
        const lines = linesOf(sample);
        assert.equal(index.lineCount, lines.length);
        lines.forEach((line, number) => assert.equal(index.lineText(number), line));
      }),
    );
  });

  test(`a range has the positions of its ends, also outside the text and reversed: ${what}`, () => {
    const offset = fc.integer({ min: -3, max: 40 });
    fc.assert(
      fc.property(text, offset, offset, (sample, start, end) => {
        const index = new LineIndex(sample);
        const expected = { start: index.positionAt(start), end: index.positionAt(end) };
        assert.deepEqual(index.rangeAt(start, end), expected);
      }),
    );
  });
}

for (const [uri, name] of [
  ['file:///srv/vm/web.json', 'web'],
  ['file:///srv/my%20guest.conf', 'my guest'],
  ['file:///srv/100%.json', '100%'],
  ['untitled:Untitled-1', 'untitled:Untitled-1'],
  ['file:///srv/.json', ''],
] as const) {
  test(`the text at ${uri} is called "${name}"`, () => assert.equal(new SourceText(uri, '').name, name));
}
