/** Fixtures whose findings stand under the lines that they are about: `   ^^^^ code part of the message`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../../../server/src/text/finding';

export const FIXTURES = join(process.env.BOOTPATH_ROOT!, 'test/fixtures/vmconf');
const ANNOTATION = /^([ \t]*)(\^+) ([a-z0-9-]+) (.+)$/;

export interface Expected {
  /** `line:start-end code`, one-based line, zero-based columns. */
  readonly key: string;
  readonly message: string;
}

export interface Annotated {
  /** The text without the annotations. */
  readonly text: string;
  readonly expected: readonly Expected[];
}

export function readAnnotated(name: string): Annotated {
  const lines: string[] = [];
  const expected: Expected[] = [];
  for (const line of readFileSync(join(FIXTURES, name), 'utf8').split('\n')) {
    const match = ANNOTATION.exec(line);
    if (!match) {
      lines.push(line);
      continue;
    }
    const [, blanks, carets, code, message] = match;
    const start = blanks!.length;
    expected.push({ key: `${lines.length}:${start}-${start + carets!.length} ${code}`, message: message! });
  }
  return { text: lines.join('\n'), expected };
}

/** The key of a finding as an annotation writes it. An empty range at a line's end is shown by one caret. */
export function keyOf(finding: Finding): string {
  const { start, end } = finding.at!.range;
  const width = start.line === end.line ? Math.max(1, end.character - start.character) : 1;
  const shown = start.line === end.line ? start.character + width : start.character + 1;
  return `${start.line + 1}:${start.character}-${shown} ${finding.code}`;
}
