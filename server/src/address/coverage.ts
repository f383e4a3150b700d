/** Which bytes a set of ranges covers together, asked many times. */
import { union } from './intervals';
import { isEmpty, type AddressRange } from './range';

/** Made in O(n log n); each question is answered in O(log n). */
export class Coverage {
  /** Sorted, neither overlapping nor touching. */
  readonly pieces: readonly AddressRange[];

  constructor(ranges: readonly AddressRange[]) {
    this.pieces = union(ranges);
  }

  /** Whether every byte of the range is covered; true of an empty one. */
  covers(range: AddressRange): boolean {
    return this.firstMissing(range) === null;
  }

  /** The first run of bytes of the range that is not covered, or null. */
  firstMissing(range: AddressRange): AddressRange | null {
    if (isEmpty(range)) return null;
    const at = this.lastFrom(range.start);
    const piece = this.pieces[at];
    const start = piece && piece.end > range.start ? piece.end : range.start;
    if (start >= range.end) return null;
    const next = this.pieces[at + 1];
    return { start, end: next && next.start < range.end ? next.start : range.end };
  }

  /** Whether at least one byte of the range is covered. */
  touches(range: AddressRange): boolean {
    const missing = this.firstMissing(range);
    return !isEmpty(range) && (missing === null || missing.start > range.start || missing.end < range.end);
  }

  /** Index of the last piece that starts at or below the address; -1 for none. */
  private lastFrom(address: bigint): number {
    let [low, high] = [0, this.pieces.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.pieces[middle]!.start <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
