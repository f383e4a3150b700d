/** Which spans of guest physical addresses are RAM or ROM: sorted, not overlapping; everything else is MMIO. */
import { MAX_SLOTS } from './assembly/layout';
import type { SlotKind } from './face';

export interface Slot {
  readonly start: bigint;
  /** Exclusive. */
  readonly end: bigint;
  readonly kind: 'ram' | 'rom';
}

export class SlotTable {
  private table: Slot[] = [];

  get entries(): readonly Slot[] {
    return this.table;
  }

  /** Makes `[start, end)` of one kind; what it covered of older slots is cut away. Both ends must be page aligned. */
  set(start: bigint, end: bigint, kind: SlotKind): void {
    if ((start & 0xfffn) !== 0n || (end & 0xfffn) !== 0n || start < 0n || end > 1n << 52n)
      throw new RangeError(
        `slot [0x${start.toString(16)}, 0x${end.toString(16)}) is not page aligned below 2^52`,
      );
    if (start >= end) return;
    const next: Slot[] = [];
    for (const slot of this.table) {
      if (slot.end <= start || slot.start >= end) next.push(slot);
      else {
        if (slot.start < start) next.push({ ...slot, end: start });
        if (slot.end > end) next.push({ ...slot, start: end });
      }
    }
    if (kind !== 'mmio') next.push({ start, end, kind });
    next.sort((a, b) => (a.start < b.start ? -1 : 1));
    const merged: Slot[] = [];
    for (const slot of next) {
      const before = merged.at(-1);
      if (before && before.end === slot.start && before.kind === slot.kind)
        merged[merged.length - 1] = { ...before, end: slot.end };
      else merged.push(slot);
    }
    if (merged.length > MAX_SLOTS) throw new RangeError(`more than ${MAX_SLOTS} memory slots`);
    this.table = merged;
  }

  replace(slots: readonly Slot[]): void {
    this.table = [...slots];
  }

  /** Whether every byte of `[start, end)` is RAM or ROM. */
  covers(start: bigint, end: bigint): boolean {
    let at = start;
    for (const slot of this.table) {
      if (slot.start > at) break;
      if (slot.end > at) at = slot.end;
      if (at >= end) return true;
    }
    return at >= end;
  }
}
