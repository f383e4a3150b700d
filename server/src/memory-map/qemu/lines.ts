/**
 * The lines of QEMU's `info mtree` and `info mtree -f` (system/memory.c of 2025, softmmu/memory.c before 2023:
 * mtree_print_mr, mtree_print_flatview). Both print the last byte of a range. Depth is the column of the address, since
 * versions differ in what they draw before it and a log may put a prefix in front of every line.
 */
import { ADDRESS_SPACE_END, type AddressRange } from '../../address/range';

/** What an alias shows: a part of another memory region. */
interface AliasTarget {
  readonly name: string;
  /** First byte of the target that is shown. */
  readonly offset: bigint;
}

/** One memory region as a line prints it. */
export interface Row {
  readonly kind: 'row';
  /** Column of the address. */
  readonly column: number;
  /** As printed, so it may end below its start where QEMU warns of an overflow. */
  readonly start: bigint;
  readonly last: bigint;
  readonly overflow: boolean;
  readonly priority: number;
  readonly nonvolatile: boolean;
  /** `ram`, `rom`, `romd`, `ramd`, `i/o`; before 2016 the letters `RW`, `R-`, `-W`. */
  readonly type: string;
  readonly name: string;
  readonly disabled: boolean;
  readonly alias: AliasTarget | null;
  /** Of a flat view: where the range starts in its memory region. */
  readonly offset: bigint;
  /** `owner:{…}` or `parent:{…}` of `-o`, without the braces. */
  readonly owner: string | null;
  readonly from: number;
  readonly to: number;
}

/** `address-space: NAME`, `address-space shared N times:` and `- NAME` under it, `memory-region: NAME`, `FlatView #N`, ` AS "NAME", root: …`, or a prompt of the monitor. */
export interface Heading {
  readonly kind: 'address-space' | 'shared' | 'member' | 'memory-region' | 'flat-view' | 'view-of' | 'prompt';
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

const ROW =
  /([0-9a-f]{16})-([0-9a-f]{16}) \(prio (-?\d{1,10}), (nv-)?(ramd?|romd?|i\/o|[R-][W-])\): (\S.{0,500})$/;
const HEADING =
  /(?:^|[\s>])(?:(address-space|memory-region): (\S.{0,200})|(FlatView) #\d{1,6}|AS "([^"]{1,200})", root: .{0,200}|address-space (shared) \d{1,6} times:|- (\S.{0,200}))$/;
const PROMPT = /(?:^|[\s>])\(qemu\) \S/;
const OVERFLOW = '[DETECTED OVERFLOW!] ';
const ALIAS = /^alias (.{1,200}) @(.{1,200}) ([0-9a-f]{16})-[0-9a-f]{16}$/;
const OWNER = / (?:owner|parent):\{([^}]{0,300})\}/g;
const DISABLED = / \[disabled\]$/;
const OFFSET = / @([0-9a-f]{16})$/;
/** Accelerators that have the range in their own map, once for each address space of the view; `kvm:tcg` in QEMU 4.2. */
const ACCELERATOR = /(?: (?:kvm|hvf|whpx|xen|nvmm|tcg)(?::[a-z]{1,8})?){1,64}$/i;
/** What every row has. */
const MARK = ' (prio ';
const LONGEST = 2000;

/** True where the text has at least one whole row, of either form. */
export function hasRow(text: string): boolean {
  for (let at = text.indexOf(MARK); at >= 0; at = text.indexOf(MARK, at + 1)) {
    const end = text.indexOf('\n', at);
    const line = text.slice(Math.max(0, at - 33), Math.min(end < 0 ? text.length : end, at + LONGEST));
    if (ROW.test(line.trimEnd())) return true;
  }
  return false;
}

function rowOf(line: string, offset: number): Row | null {
  const match = ROW.exec(line);
  if (!match) return null;
  const [, start, last, priority, nonvolatile, type, rest] = match;
  const owner = [...rest!.matchAll(OWNER)].map(([, words]) => words!).join(', ');
  let words = rest!.replace(OWNER, '').replace(ACCELERATOR, '').trimEnd();
  const disabled = DISABLED.test(words);
  words = words.replace(DISABLED, '');
  const alias = ALIAS.exec(words);
  const at = alias ? null : OFFSET.exec(words);
  const overflow = line.slice(0, match.index).includes(OVERFLOW.trimEnd());
  return {
    kind: 'row',
    column: match.index - (overflow ? OVERFLOW.length : 0),
    start: BigInt(`0x${start}`),
    last: BigInt(`0x${last}`),
    overflow,
    priority: Number(priority),
    nonvolatile: nonvolatile !== undefined,
    type: type!,
    name: alias ? alias[1]! : words.replace(OFFSET, ''),
    disabled,
    alias: alias ? { name: alias[2]!, offset: BigInt(`0x${alias[3]}`) } : null,
    offset: at ? BigInt(`0x${at[1]}`) : 0n,
    owner: owner === '' ? null : owner,
    from: offset + match.index,
    to: offset + line.length,
  };
}

function kindOf(
  kind: string | undefined,
  flat: string | undefined,
  view: string | undefined,
  shared: string | undefined,
): Heading['kind'] {
  if (kind === 'address-space' || kind === 'memory-region') return kind;
  if (flat !== undefined) return 'flat-view';
  if (view !== undefined) return 'view-of';
  return shared === undefined ? 'member' : 'shared';
}

function headingOf(line: string, offset: number): Heading | null {
  const match = HEADING.exec(line);
  if (!match)
    return PROMPT.test(line) ? { kind: 'prompt', name: '', from: offset, to: offset + line.length } : null;
  const [whole, kind, name, flat, view, shared, member] = match;
  const from = offset + match.index + (whole.length - whole.trimStart().length);
  return {
    kind: kindOf(kind, flat, view, shared),
    name: (name ?? view ?? member ?? '').trimEnd(),
    from: /^>/.test(whole) ? from + 1 : from,
    to: offset + line.length,
  };
}

const INCOMPLETE_ALIAS = /\): alias(?! .* @.* [0-9a-f]{16}-[0-9a-f]{16})/;
/** Lines that a mail program makes of a row. */
const MOST_PIECES = 3;

/** Whether a mail program broke the row: `=` at the end is the soft break of quoted-printable. */
function isBroken(line: string): boolean {
  return line.endsWith('=') || !ROW.test(line) || INCOMPLETE_ALIAS.test(line);
}

/** The line at an offset without its end, and where the next one starts. */
function lineAt(text: string, offset: number): { readonly line: string; readonly next: number } {
  const end = text.indexOf('\n', offset);
  const to = end < 0 ? text.length : end;
  return { line: to - offset > LONGEST ? '' : text.slice(offset, to).trimEnd(), next: to + 1 };
}

/** The row with the lines that a mail program made of its end, or as it stands where they do not complete it. */
function unbroken(
  text: string,
  line: string,
  next: number,
): { readonly line: string; readonly next: number } {
  let [whole, at] = [line, next];
  for (let piece = 1; piece < MOST_PIECES && at < text.length; piece++) {
    const more = lineAt(text, at);
    if (more.line.includes(MARK)) break;
    const rest = more.line.replace(/^(?:> ?)*/, '');
    whole = whole.endsWith('=') ? whole.slice(0, -1) + rest : `${whole} ${rest.trimStart()}`;
    at = more.next;
    if (!isBroken(whole)) return { line: whole, next: at };
  }
  return { line, next };
}

/** Every heading and row of the text, in its order. */
export function* linesOf(text: string): Generator<Row | Heading> {
  for (let offset = 0; offset < text.length;) {
    const { line, next } = lineAt(text, offset);
    let following = next;
    if (line.includes(MARK)) {
      const whole = isBroken(line) ? unbroken(text, line, next) : { line, next };
      const row = rowOf(whole.line, offset);
      // A broken row ends where its first line does: what follows is prefix and rest.
      if (row) yield whole.next === next ? row : { ...row, to: offset + line.length };
      following = whole.next;
    } else {
      const heading = headingOf(line, offset);
      if (heading) yield heading;
    }
    offset = following;
  }
}

/**
 * The bytes of a row, half-open. QEMU prints addresses modulo 2^64, so a row that it warns of may have its end, or all of it,
 * beyond 2^64. A region without a byte has its last byte before its start; newer versions print it like one with a byte.
 * @param above where the row's parent starts
 */
export function rangeOf(row: Row, above: bigint): AddressRange {
  if (row.start > 0n && row.last === row.start - 1n) return { start: row.start, end: row.start };
  const start = row.overflow && row.start < above ? row.start + ADDRESS_SPACE_END : row.start;
  const last = row.last < row.start ? row.last + ADDRESS_SPACE_END : row.last;
  return { start, end: start - row.start + last + 1n };
}
