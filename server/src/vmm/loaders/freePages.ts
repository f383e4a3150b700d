/** Where a loader puts what it makes itself: whole pages of RAM that nothing else occupies. */
import { overlaps, PAGE, sizeOf, type AddressRange } from '../../address/range';
import { E820_RAM } from '../e820';
import type { LoadTarget } from './loader';

/** Above the BIOS data area and what a boot sector uses. */
const FIRST = 0x9000n;
const FOUR_GIB = 1n << 32n;

export function pageUp(address: bigint): bigint {
  return ((address + PAGE - 1n) / PAGE) * PAGE;
}

export function pageDown(address: bigint): bigint {
  return (address / PAGE) * PAGE;
}

export class FreePages {
  private readonly occupied: AddressRange[];

  /** @param occupied what is loaded or will be used: the kernel */
  constructor(
    private readonly target: LoadTarget,
    occupied: readonly AddressRange[],
  ) {
    this.occupied = occupied.filter((range) => sizeOf(range) > 0n);
  }

  /** The lowest free pages: in conventional memory, else behind everything that is occupied. Null where there are none. */
  low(size: number): bigint | null {
    const length = pageUp(BigInt(Math.max(size, 1)));
    for (let start = FIRST; start + length <= this.target.conventionalEnd; start += PAGE) {
      if (this.isFree({ start, end: start + length })) return this.take(start, length);
    }
    const behind = this.occupied.reduce((end, range) => (range.end > end ? range.end : end), 1n << 20n);
    const start = pageUp(behind);
    return this.isFree({ start, end: start + length }) ? this.take(start, length) : null;
  }

  /** The highest free pages below 4 GiB whose last byte is not above `last`. Null where there are none. */
  high(size: number, last: bigint): bigint | null {
    const length = pageUp(BigInt(Math.max(size, 1)));
    const ends = this.target.memoryMap
      .filter(({ range, type }) => type === E820_RAM && range.end <= FOUR_GIB)
      .map(({ range }) => range.end);
    const starts = this.occupied.map(({ start }) => start);
    const limits = [...ends, ...starts, last + 1n].filter((end) => end <= last + 1n);
    limits.sort((a, b) => (a > b ? -1 : 1));
    for (const limit of limits) {
      const start = pageDown(limit) - length;
      if (start >= 1n << 20n && this.isFree({ start, end: start + length })) return this.take(start, length);
    }
    return null;
  }

  /** Free pages with these bytes in them, in low memory; null where there are none. */
  place(bytes: Uint8Array): bigint | null {
    const at = this.low(bytes.length);
    return at !== null && this.target.write(at, bytes) ? at : null;
  }

  private isFree(range: AddressRange): boolean {
    return this.target.isRam(range) && !this.occupied.some((other) => overlaps(range, other));
  }

  private take(start: bigint, length: bigint): bigint {
    this.occupied.push({ start, end: start + length });
    return start;
  }
}
