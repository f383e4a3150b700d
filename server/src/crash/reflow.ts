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

/**
 * What begins a line. Every alternative starts with literal characters and is bounded, so that one pass over the text
 * is linear however long a line is.
 */
const LINE_STARTS = [
  // printk time stamps, also those with a thread or CPU id behind them
  String.raw`\[ {0,12}\d{1,10}\.\d{3,9}\]`,
  // BSD syslog: `Jan  5 21:23:20 `
  String.raw`[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d[. ]`,
  // headers
  'BUG: (?:unable to handle|kernel NULL|[A-Za-z# ]{0,24}stack guard page)',
  'kernel BUG at ',
  'traps: PANIC: ',
  'PANIC: ',
  'Oops: ',
  'general protection fault[:,]',
  'double fault: ',
  'invalid opcode: ',
  'divide[ _]error: ',
  'stack segment: ',
  'Kernel panic - not syncing',
  'Internal error: Oops',
  'WARNING: CPU: ',
  '#PF: ',
  '#PF error: ',
  'PGD [0-9a-f]{1,16} ',
  'Missing ENDBR: ',
  // body
  String.raw`CPU: \d{1,5} (?:UID: \d{1,10} )?PID: `,
  'Hardware name: ',
  'RIP: [0-9a-f]{4}:',
  'EIP: ',
  'Code: ',
  'RSP: [0-9a-f]{4}:',
  'RAX: [0-9a-f]{16}',
  'RDX: [0-9a-f]{16}',
  'RBP: [0-9a-f]{16}',
  'R10: [0-9a-f]{16}',
  'R13: [0-9a-f]{16}',
  'EAX: [0-9a-f]{8}',
  'ESI: [0-9a-f]{8}',
  String.raw`FS: {1,2}[0-9a-f]{16}\(`,
  'CS: {1,2}[0-9a-f]{4} DS: ',
  'DS: [0-9a-f]{4} ES: [0-9a-f]{4} FS: ',
  'CR0: [0-9a-f]{8} CR2: ',
  'CR2: [0-9a-f]{8}',
  'DR0: [0-9a-f]{8}',
  'DR3: [0-9a-f]{8}',
  'PKRU: [0-9a-f]{8}',
  'Call Trace:',
  'Modules linked in:',
  String.raw`-{3}\[ end `,
  String.raw`-{4,16}\[ cut here \]`,
].join('|');

/** Words that belong to what follows them: no break between them and a line start. */
const JOINED = ['Oops: ', 'traps: ', 'PANIC: ', 'not syncing: ', '[ end '];
const LONGEST_JOINED = Math.max(...JOINED.map((word) => word.length));

/** Lines of `text`, one after the other, so that a dump of any size needs memory for one line only. */
export function* reflow(text: string): Generator<LineSpan, void, void> {
  const pattern = new RegExp(`\\r\\n|[\\r\\n]|${LINE_STARTS}`, 'g');
  let start = 0;
  let physical = true;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const at = match.index;
    const unit = text.charCodeAt(at);
    if (unit === 10 || unit === 13) {
      yield { start, end: at, physical };
      start = at + match[0].length;
      physical = true;
    } else if (at > start && beginsLine(text, at)) {
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

function beginsLine(text: string, at: number): boolean {
  if (isWordUnit(text.charCodeAt(at - 1))) return false;
  const before = text.slice(Math.max(0, at - LONGEST_JOINED), at);
  return !JOINED.some((word) => before.endsWith(word));
}

function isWordUnit(unit: number): boolean {
  return (
    (unit >= 48 && unit <= 57) || (unit >= 65 && unit <= 90) || (unit >= 97 && unit <= 122) || unit === 95
  );
}
