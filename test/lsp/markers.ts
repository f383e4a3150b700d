/** Fixtures with marks: `$0` is the cursor; a line of `^^^ words` says what is expected under the line above it. */
import type { Position, TextRange } from '../../server/src/text/position';

export interface Marked {
  readonly text: string;
  readonly cursor: Position | null;
  readonly expected: readonly { readonly range: TextRange; readonly words: string }[];
}

export function marked(fixture: string): Marked {
  const lines: string[] = [];
  const expected: { range: TextRange; words: string }[] = [];
  let cursor: Position | null = null;
  for (const line of fixture.split('\n')) {
    const mark = /^(\s*)(\^+) (.+)$/.exec(line);
    if (mark) {
      const row = lines.length - 1;
      const start = { line: row, character: mark[1]!.length };
      const end = { line: row, character: start.character + mark[2]!.length };
      expected.push({ range: { start, end }, words: mark[3]! });
      continue;
    }
    const at = line.indexOf('$0');
    if (at >= 0) cursor = { line: lines.length, character: at };
    lines.push(line.replace('$0', ''));
  }
  return { text: lines.join('\n'), cursor, expected };
}

/** The text after edits, none of which overlap. */
export function applyEdits(text: string, edits: readonly { range: TextRange; newText: string }[]): string {
  const starts = [0];
  for (let i = 0; i < text.length; i++) if (text[i] === '\n') starts.push(i + 1);
  const offset = ({ line, character }: Position) => (starts[line] ?? text.length) + character;
  return [...edits]
    .sort((a, b) => offset(b.range.start) - offset(a.range.start))
    .reduce(
      (old, { range, newText }) => old.slice(0, offset(range.start)) + newText + old.slice(offset(range.end)),
      text,
    );
}
