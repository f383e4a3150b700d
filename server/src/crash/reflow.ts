/**
 * Restores the lines of a dump. Mail archives and web copies lose line breaks: a whole oops then stands in one line,
 * and no line-anchored pattern would recognise it. So a break is put before everything that only ever begins a line.
 */

/** A line in the cleaned text: half-open offsets, without its line break. */
export interface LineSpan {
  readonly start: number;
  readonly end: number;
  /** True where the line begins at a real line break or at the start of the text. */
  readonly physical: boolean;
}

/** What begins a line in a dump of one format, or of any. */
export interface LineStarts {
  /** Sources of patterns. Each starts with literal characters where it can and is bounded, so that one pass is linear. */
  readonly lineStarts: readonly string[];
  /** Words that belong to what follows them: no break between them and a line start. */
  readonly joined: readonly string[];
}

/** What loggers put before every line. */
const TIME_STAMPS: readonly string[] = [
  // printk time stamps, also those with a thread or CPU id behind them
  String.raw`\[ {0,12}\d{1,10}\.\d{3,9}\]`,
  // BSD syslog: `Jan  5 21:23:20 `
  String.raw`[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d[. ]`,
];

/** Lines of `text`, one after the other, so that a dump of any size needs memory for one line only. */
export function* reflow(text: string, formats: readonly LineStarts[]): Generator<LineSpan, void, void> {
  const starts = [...TIME_STAMPS, ...formats.flatMap(({ lineStarts }) => lineStarts)];
  const joined = formats.flatMap((format) => format.joined);
  const pattern = new RegExp(`\\r\\n|[\\r\\n]|${starts.join('|')}`, 'g');
  let start = 0;
  let physical = true;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const at = match.index;
    const unit = text.charCodeAt(at);
    if (unit === 10 || unit === 13) {
      yield { start, end: at, physical };
      start = at + match[0].length;
      physical = true;
    } else if (at > start && beginsLine(text, at, joined)) {
      yield { start, end: at, physical };
      start = at;
      physical = false;
    } else if (at !== start) {
      // Not a line start here; what follows its first character may be one.
      pattern.lastIndex = at + 1;
    }
  }
  if (start < text.length) yield { start, end: text.length, physical };
}

/** No joined word is longer. */
const LONGEST_JOINED = 40;

function beginsLine(text: string, at: number, joined: readonly string[]): boolean {
  if (isWordUnit(text.charCodeAt(at - 1))) return false;
  const before = text.slice(Math.max(0, at - LONGEST_JOINED), at);
  return !joined.some((word) => before.endsWith(word));
}

function isWordUnit(unit: number): boolean {
  return (
    (unit >= 48 && unit <= 57) || (unit >= 65 && unit <= 90) || (unit >= 97 && unit <= 122) || unit === 95
  );
}
