/** Where a loader puts what it makes itself: whole pages of RAM that nothing else occupies. */
import { union } from '../../address/intervals';
import { MIB, PAGE, type AddressRange } from '../../address/range';
import { E820_RAM } from '../e820';
import type { LoadTarget } from './loader';

/** Above the BIOS data area and what a boot sector uses. */
const FIRST = 0x9000n;
const FOUR_GIB = 1n << 32n;

export function pageUp(address: bigint): bigint {
  return ((address + PAGE - 1n) / PAGE) * PAGE;
}

function pageDown(address: bigint): bigint {
  return (address / PAGE) * PAGE;
}

export class FreePages {
  /** Sorted, neither overlapping nor touching: a file may have tens of thousands of segments and sections. */
  private readonly occupied: AddressRange[];

  /** @param occupied what is loaded or will be used: the kernel */
  constructor(
    private readonly target: LoadTarget,
    occupied: readonly AddressRange[],
  ) {
    this.occupied = union(occupied);
  }

  /** The lowest free pages: in conventional memory, else behind everything that is occupied. Null where there are none. */
  low(size: number): bigint | null {
    const length = pageUp(BigInt(Math.max(size, 1)));
    let start = FIRST;
    for (const range of this.occupied) {
      if (start + length <= range.start || range.start >= this.target.conventionalEnd) break;
      if (range.end > start) start = pageUp(range.end);
    }
    if (start + length <= this.target.conventionalEnd) return this.take(start, length);
    const last = this.occupied.at(-1)?.end ?? 0n;
    return this.take(pageUp(last > MIB ? last : MIB), length);
  }

  /** The highest free pages from 1 MiB to 4 GiB whose last byte is not above `last`. Null where there are none. */
  high(size: number, last: bigint): bigint | null {
    const length = pageUp(BigInt(Math.max(size, 1)));
    const ram = this.target.memoryMap.filter(({ range, type }) => type === E820_RAM && range.end <= FOUR_GIB);
    for (const { range } of [...ram].reverse()) {
      const lowest = range.start > MIB ? range.start : MIB;
      const start = this.below(range.end <= last ? range.end : last + 1n, length);
      if (start >= lowest) return this.take(start, length);
    }
    return null;
  }

  /** Free pages with these bytes in them, in low memory; null where there are none. */
  place(bytes: Uint8Array): bigint | null {
    const at = this.low(bytes.length);
    return at !== null && this.target.write(at, bytes) ? at : null;
  }

  /** The highest start of free pages that end at `end` at most; negative where nothing is free down to 0. */
  private below(end: bigint, length: bigint): bigint {
    let start = pageDown(end) - length;
    for (let index = this.occupied.length - 1; index >= 0; index--) {
      const range = this.occupied[index]!;
      if (range.end <= start) break;
      if (range.start < start + length) start = pageDown(range.start) - length;
    }
    return start;
  }

  /** Null where it is not all RAM. */
  private take(start: bigint, length: bigint): bigint | null {
    const end = start + length;
    if (!this.target.isRam({ start, end })) return null;
    const next = this.occupied.findIndex((range) => range.start >= end);
    const index = next < 0 ? this.occupied.length : next;
    const neighbours = this.occupied.slice(Math.max(index - 1, 0), index + 1);
    const touching = neighbours.filter((range) => range.end === start || range.start === end);
    const first = touching[0]?.end === start ? index - 1 : index;
    this.occupied.splice(first, touching.length, ...union([...touching, { start, end }]));
    return start;
  }
}
