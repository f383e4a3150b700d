/** Guest-physical (or any other) address ranges. Addresses are `bigint`, ranges are half-open. */

/** A half-open range: `start` is the first byte, `end` the first byte after it. `end` may be 2^64. */
export interface AddressRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** The first address after the 64-bit address space: the largest legal `end`. */
export const ADDRESS_SPACE_END = 1n << 64n;

export const KIB = 1n << 10n;
export const MIB = 1n << 20n;
export const GIB = 1n << 30n;
export const TIB = 1n << 40n;
/** Bytes in a 4 KiB page. */
export const PAGE = 4096n;

/** `[start, start + length)`; `length` in bytes. */
export function fromLength(start: bigint, length: bigint): AddressRange {
  return { start, end: start + length };
}

/** Converts a closed range, whose `last` byte belongs to it. For a format's parser and nowhere else. */
export function fromClosed(start: bigint, last: bigint): AddressRange {
  return { start, end: last + 1n };
}

/** Length in bytes; 0 for an empty range. */
export function sizeOf(range: AddressRange): bigint {
  return range.end > range.start ? range.end - range.start : 0n;
}

export function isEmpty(range: AddressRange): boolean {
  return range.end <= range.start;
}

export function contains(range: AddressRange, address: bigint): boolean {
  return address >= range.start && address < range.end;
}

/** True when both share at least one byte. Ranges that only touch do not overlap. */
export function overlaps(a: AddressRange, b: AddressRange): boolean {
  return a.start < b.end && b.start < a.end && !isEmpty(a) && !isEmpty(b);
}

/** The bytes that both share, or undefined. */
export function intersection(a: AddressRange, b: AddressRange): AddressRange | undefined {
  const start = a.start > b.start ? a.start : b.start;
  const end = a.end < b.end ? a.end : b.end;
  return start < end ? { start, end } : undefined;
}

/** Orders by start, then by end. */
export function compareRanges(a: AddressRange, b: AddressRange): number {
  if (a.start !== b.start) return a.start < b.start ? -1 : 1;
  if (a.end !== b.end) return a.end < b.end ? -1 : 1;
  return 0;
}
