/**
 * Takes loggers' prefixes off a line. They nest (a CI log of journald of dmesg), so the table is applied until nothing
 * more comes off.
 */

export interface StrippedLine {
  /** Offset of the first character that is left. */
  readonly start: number;
  /** Offset after the last character that is left. */
  readonly end: number;
  /** Which machine wrote the line, as far as its prefix says: a syslog host, `(XEN)`, `(d1)`. Empty where it does not. */
  readonly machine: string;
}

interface Prefix {
  readonly name: string;
  /** Sticky and bounded. A group named `machine` says who wrote the line. */
  readonly pattern: RegExp;
}

const PREFIXES: readonly Prefix[] = [
  { name: 'white space', pattern: /[ \t\v\f\u00a0\ufeff]{1,256}/y },
  { name: 'mail quote', pattern: /(?:> ?){1,64}/y },
  {
    name: 'wall clock',
    pattern: /\[\d{4}-\d\d-\d\d[T ][\d:.,+Z-]{1,40}\]/y,
  },
  {
    name: 'BSD syslog',
    pattern:
      /[A-Z][a-z]{2} {1,2}\d{1,2} {1,2}\d\d:\d\d:\d\d(?:\.\d{1,9})? {1,4}(?<machine>[^\s:[\]]{1,255}) {1,4}[^\s:[]{1,64}(?:\[\d{1,10}\])?:(?=\s|$)/y,
  },
  {
    name: 'ISO syslog',
    pattern:
      /\d{4}-\d\d-\d\dT[\d:.+Z-]{1,40} {1,4}(?<machine>[^\s:[\]]{1,255}) {1,4}\w{1,64}(?:\[\d{1,10}\])?:(?: \[ID \d{1,12} \w{1,32}\.\w{1,32}\])?(?=\s|$)/y,
  },
  { name: 'printk time', pattern: /\[ {0,12}\d{1,10}\.\d{3,9}\](?:\[ {0,8}[TC]\d{1,10}\])?/y },
  { name: 'illumos message id', pattern: /\[ID \d{1,12} \w{1,32}\.\w{1,32}\]/y },
  { name: 'printk level', pattern: /<[0-7]>/y },
  { name: 'Xen', pattern: /(?<machine>\(XEN\)|\(d\d{1,5}\))(?: \[[^\]]{0,40}\])?/y },
  { name: 'KVM module', pattern: /(?:kvm_intel|kvm_amd|kvm): /y },
  { name: 'logfmt', pattern: /time="[^"]{1,64}" level=\w{1,16} msg="/y },
  { name: 'unit', pattern: /[\w.-]{1,64}\[\d{1,10}\]: /y },
];

/** No line of a dump is longer; the rest of a longer one is not looked at. */
const LONGEST_LINE = 16384;
/** A line with more nested prefixes than this is not a dump's. */
const DEEPEST_NESTING = 64;

/** `[start, end)` without the prefixes before it and the leavings of the next line's prefix after it. */
export function stripPrefixes(text: string, start: number, end: number): StrippedLine {
  const limit = Math.min(end, start + LONGEST_LINE);
  const line = text.slice(start, limit);
  let at = 0;
  let machine = '';
  let quoted = false;
  for (let round = 0; round < DEEPEST_NESTING; round++) {
    const before = at;
    for (const prefix of PREFIXES) {
      prefix.pattern.lastIndex = at;
      const match = prefix.pattern.exec(line);
      if (!match) continue;
      at += match[0].length;
      if (match.groups?.['machine']) machine = match.groups['machine'];
      if (prefix.name === 'logfmt') quoted = true;
    }
    if (at === before) break;
  }
  let tail = line.length;
  if (quoted) {
    const close = line.lastIndexOf('" name=');
    if (close >= at) tail = close;
  }
  return { start: start + at, end: start + trimmedEnd(line, at, tail), machine };
}

/** Cuts trailing white space, and quote marks that stand alone (the next line's, in text that lost its breaks). */
function trimmedEnd(line: string, from: number, to: number): number {
  let end = to;
  while (end > from) {
    let mark = end;
    while (mark > from && line[mark - 1] === '>') mark--;
    const space = mark > from ? line.charCodeAt(mark - 1) : 32;
    if (mark < end && !isSpace(space)) break;
    if (mark === end && !isSpace(line.charCodeAt(end - 1))) break;
    end = mark < end ? mark : end - 1;
  }
  return end;
}

function isSpace(unit: number): boolean {
  return unit === 32 || (unit >= 9 && unit <= 13) || unit === 0xa0;
}
