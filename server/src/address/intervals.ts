/** Arithmetic on many ranges at once: overlaps, seams, holes, coverage. Sorted sweeps, never pairwise. */
import { compareRanges, contains, intersection, isEmpty, type AddressRange } from './range';

/** Two ranges of a list, by index, and the bytes that both cover. `first` starts no later than `second`. */
export interface Overlap {
  readonly first: number;
  readonly second: number;
  readonly shared: AddressRange;
}

/** Two ranges of a list, by index, of which `lower` ends where `upper` starts. */
export interface Seam {
  readonly lower: number;
  readonly upper: number;
  readonly address: bigint;
}

/** Whether every range starts at or after the end of all before it in the list: none overlap then. */
function isDisjointList(ranges: readonly AddressRange[]): boolean {
  let reach = ranges[0]?.start ?? 0n;
  for (const { start, end } of ranges) {
    if (start < reach) return false;
    if (end > reach) reach = end;
  }
  return true;
}

/** Indices of the non-empty ranges, by start, then by end, then by index. */
function order(ranges: readonly AddressRange[]): number[] {
  return ranges
    .map((_, index) => index)
    .filter((index) => !isEmpty(ranges[index]!))
    .sort((a, b) => compareRanges(ranges[a]!, ranges[b]!) || a - b);
}

/** Indices into a list of ranges, the one that ends first on top. */
class EndHeap {
  readonly items: number[] = [];

  constructor(private readonly ranges: readonly AddressRange[]) {}

  push(index: number): void {
    const { items } = this;
    let at = items.length;
    items.push(index);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.end(parent) <= this.end(at)) break;
      this.swap(at, parent);
      at = parent;
    }
  }

  /** Drops every range that ends at or before the address. */
  expire(address: bigint): void {
    while (this.items.length > 0 && this.end(0) <= address) this.pop();
  }

  private pop(): void {
    const { items } = this;
    const last = items.pop()!;
    if (items.length === 0) return;
    items[0] = last;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= items.length) return;
      const right = left + 1;
      const least = right < items.length && this.end(right) < this.end(left) ? right : left;
      if (this.end(at) <= this.end(least)) return;
      this.swap(at, least);
      at = least;
    }
  }

  private end(at: number): bigint {
    return this.ranges[this.items[at]!]!.end;
  }

  private swap(a: number, b: number): void {
    const { items } = this;
    [items[a], items[b]] = [items[b]!, items[a]!];
  }
}

/**
 * Every pair of ranges that shares at least one byte, by the start of the later one; O(n log n + k).
 * Empty ranges overlap nothing. At most `limit` pairs are returned: k grows with the square of n in the worst case.
 */
export function overlappingPairs(ranges: readonly AddressRange[], limit = Infinity): Overlap[] {
  const pairs: Overlap[] = [];
  // What most maps are, and cheaper to see than to sort.
  if (isDisjointList(ranges)) return pairs;
  const active = new EndHeap(ranges);
  for (const second of order(ranges)) {
    const range = ranges[second]!;
    active.expire(range.start);
    // Order within one start follows the text, not the heap, so that the same input gives the same list.
    for (const first of [...active.items].sort((a, b) => compareRanges(ranges[a]!, ranges[b]!) || a - b)) {
      if (pairs.length >= limit) return pairs;
      pairs.push({ first, second, shared: intersection(ranges[first]!, range)! });
    }
    active.push(second);
  }
  return pairs;
}

/** Every pair of which one ends exactly where the other starts; at most `limit` of them. Empty ranges touch nothing. */
export function touchingPairs(ranges: readonly AddressRange[], limit = Infinity): Seam[] {
  const seams: Seam[] = [];
  const byEnd = new Map<bigint, number[]>();
  const sorted = order(ranges);
  for (const index of sorted) {
    const { end } = ranges[index]!;
    const same = byEnd.get(end);
    if (same) same.push(index);
    else byEnd.set(end, [index]);
  }
  for (const upper of sorted) {
    const address = ranges[upper]!.start;
    for (const lower of byEnd.get(address) ?? []) {
      if (seams.length >= limit) return seams;
      seams.push({ lower, upper, address });
    }
  }
  return seams;
}

/** The bytes that at least one range covers: sorted, neither overlapping nor touching. */
export function union(ranges: readonly AddressRange[]): AddressRange[] {
  const merged: { start: bigint; end: bigint }[] = [];
  for (const index of order(ranges)) {
    const { start, end } = ranges[index]!;
    const last = merged[merged.length - 1];
    if (last && start <= last.end) {
      if (end > last.end) last.end = end;
    } else merged.push({ start, end });
  }
  return merged;
}

/** The bytes of `within` that no range covers, sorted. */
export function holes(ranges: readonly AddressRange[], within: AddressRange): AddressRange[] {
  const free: AddressRange[] = [];
  let cursor = within.start;
  for (const { start, end } of union(ranges)) {
    if (start >= within.end) break;
    if (start > cursor) free.push({ start: cursor, end: start });
    if (end > cursor) cursor = end;
  }
  if (cursor < within.end) free.push({ start: cursor, end: within.end });
  return free;
}

/** Indices of all ranges that contain the address, in the order of the list. */
export function covering(ranges: readonly AddressRange[], address: bigint): number[] {
  const found: number[] = [];
  ranges.forEach((range, index) => {
    if (contains(range, address)) found.push(index);
  });
  return found;
}

/** What lies on both sides of an address that no range contains: indices, null where there is nothing. */
export interface Neighbours {
  /** The range that ends last at or below the address. */
  readonly below: number | null;
  /** The range that starts first above the address. */
  readonly above: number | null;
}

export function neighbours(ranges: readonly AddressRange[], address: bigint): Neighbours {
  let below: number | null = null;
  let above: number | null = null;
  ranges.forEach((range, index) => {
    if (isEmpty(range)) return;
    if (range.end <= address && (below === null || range.end > ranges[below]!.end)) below = index;
    if (range.start > address && (above === null || range.start < ranges[above]!.start)) above = index;
  });
  return { below, above };
}
