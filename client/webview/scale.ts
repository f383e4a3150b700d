/**
 * Where the regions of an address space stand in a picture of a few hundred pixels. Sizes differ by a factor of a million,
 * so a row's height follows the logarithm of its size: everything can be seen and named, and more is still taller.
 */
import { compareRanges, type AddressRange } from '../../server/src/address/range';

export interface Row {
  /** Index into the regions; null for addresses that nothing claims. */
  readonly index: number | null;
  readonly range: AddressRange;
  readonly top: number;
  readonly height: number;
  /** Columns that overlapping regions are spread over, from the left. */
  readonly column: number;
}

export interface Scale {
  readonly rows: readonly Row[];
  readonly height: number;
  readonly columns: number;
}

const SMALLEST = 26;
const LARGEST = 92;
const GAP = 22;

/** Height of a span of so many bytes: the smallest up to a page, then some pixels for each doubling. */
function heightOf(bytes: bigint): number {
  const doublings = Math.max(0, bytes.toString(2).length - 13);
  return Math.min(LARGEST, SMALLEST + 2.6 * doublings);
}

/** Rows from the lowest address at the top. Regions that overlap stand side by side. O(n log n). */
export function scaleOf(regions: readonly AddressRange[]): Scale {
  const order = regions
    .map((range, index) => ({ range, index }))
    .sort((a, b) => compareRanges(a.range, b.range));
  const rows: Row[] = [];
  let top = 0;
  let reached = 0n;
  let columns = 1;
  /** Ends of the regions in each column of the present pile, and where in the picture it began. */
  let pile: { ends: bigint[]; top: number } = { ends: [], top: 0 };
  for (const { range, index } of order) {
    if (range.start >= reached) {
      if (range.start > reached) {
        rows.push({ index: null, range: { start: reached, end: range.start }, top, height: GAP, column: 0 });
        top += GAP;
      }
      pile = { ends: [], top };
    }
    const free = pile.ends.findIndex((end) => end <= range.start);
    const column = free === -1 ? pile.ends.length : free;
    pile.ends[column] = range.end;
    columns = Math.max(columns, column + 1);
    const height = heightOf(range.end > range.start ? range.end - range.start : 0n);
    rows.push({ index, range, top, height, column });
    top += height;
    if (range.end > reached) reached = range.end;
  }
  return { rows, height: top, columns };
}
