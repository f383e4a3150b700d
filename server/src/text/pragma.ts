/** The comment that pins a VMM version: `# bootpath: vmd@7.8` in the first ten lines of a text. */

export interface Pragma {
  /** As written, not checked. */
  readonly vmm: string;
  /** Null where only the VMM is named. */
  readonly version: string | null;
  /** Zero-based line. */
  readonly line: number;
  /** Of `VMM@VERSION` in that line: half-open, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

export const PRAGMA_LINES = 10;
const PRAGMA = /^(?:.*?)(?:#|\/\/|;)\s*bootpath:\s*([A-Za-z][\w-]*)(?:@([^\s"',]+))?/d;
/** Longer lines are no pragma; this keeps a text of one long line cheap. */
const LONGEST_LINE = 400;

/** The first pragma of a text, or null. */
export function pragmaIn(text: string): Pragma | null {
  let start = 0;
  for (let line = 0; line < PRAGMA_LINES && start <= text.length; line++) {
    const newline = text.slice(start, start + LONGEST_LINE).search(/[\r\n]/);
    const end = newline < 0 ? text.indexOf('\n', start) : start + newline;
    const lineText = text.slice(start, Math.min(end < 0 ? text.length : end, start + LONGEST_LINE));
    const match = PRAGMA.exec(lineText);
    if (match?.indices) {
      const [from] = match.indices[1]!;
      const [, to] = match.indices[2] ?? match.indices[1]!;
      return { vmm: match[1]!, version: match[2] ?? null, line, start: from, end: to };
    }
    if (end < 0) break;
    start = end + (text[end] === '\r' && text[end + 1] === '\n' ? 2 : 1);
  }
  return null;
}
