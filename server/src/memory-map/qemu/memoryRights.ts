/**
 * QEMU's `info mem` on x86: linear ranges with the rights that all levels of the page tables leave (target/i386/monitor.c,
 * mem_print). The printed end is the first byte after the range, and the size stands beside it. No-execute is not printed.
 */
import type { SourceText } from '../../text/sourceText';
import {
  MAX_ENTRIES,
  linearMap,
  nameMaps,
  tooLong,
  type Dialect,
  type MapProblem,
  type MapReading,
  type MappingEntry,
} from '../mapText';
import { bitsOf, linearRanges } from './canonical';

const NAME = 'QEMU info mem';
const ROW =
  /(?<![\w-])(?:([0-9a-f]{16})-([0-9a-f]{16}) ([0-9a-f]{16})|([0-9a-f]{8})-([0-9a-f]{8}) ([0-9a-f]{8})) ([u-])[r-]([w-])(?![\w-])/g;

interface Row {
  readonly start: bigint;
  /** First byte after the range, sign-extended as an address of its own. */
  readonly end: bigint;
  readonly size: bigint;
  readonly user: boolean;
  readonly writable: boolean;
  readonly from: number;
  readonly to: number;
}

function rowOf(match: RegExpExecArray): Row {
  const [whole, start, end, size, start32, end32, size32, user, writable] = match;
  return {
    start: BigInt(`0x${start ?? start32}`),
    end: BigInt(`0x${end ?? end32}`),
    size: BigInt(`0x${size ?? size32}`),
    user: user === 'u',
    writable: writable === 'w',
    from: match.index,
    to: match.index + whole.length,
  };
}

/** Whether start, end and size agree: all three are printed, the latter two cut and sign-extended. */
function agrees({ start, end, size }: Row): boolean {
  return size !== 0n && ((start + size - end) & 0x7fff_ffff_ffffn) === 0n;
}

function* entriesOf(rows: readonly Row[]): Generator<MappingEntry> {
  const bits = bitsOf(rows.map(({ start }) => start));
  for (const { start, size, user, writable, from, to } of rows)
    for (const linear of linearRanges(start, size, bits))
      yield { linear, physical: null, pageSize: null, writable, user, executable: null, from, to };
}

function read({ text }: SourceText): MapReading {
  const problems: MapProblem[] = [];
  const outputs: Row[][] = [];
  let count = 0;
  for (const match of text.matchAll(ROW)) {
    const row = rowOf(match);
    if (count++ >= MAX_ENTRIES) {
      problems.push(tooLong(row.from, row.to));
      break;
    }
    if (!agrees(row)) {
      problems.push({
        code: 'map-unreadable-line',
        severity: 'information',
        message:
          'The end of this range is not its start and its size. QEMU prints all three, so the line was edited or cut; it is left out.',
        from: row.from,
        to: row.to,
      });
      continue;
    }
    const output = outputs.at(-1);
    // One output has its ranges in order.
    if (output && output.at(-1)!.start < row.start) output.push(row);
    else outputs.push([row]);
  }
  const maps = outputs.map((rows) => linearMap(NAME, rows[0]!, [...entriesOf(rows)]));
  return { maps: nameMaps(maps), problems };
}

export const memoryRightsDialect: Dialect = { name: NAME, has: (text) => text.search(ROW) >= 0, read };
