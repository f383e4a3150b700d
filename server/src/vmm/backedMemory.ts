/** Memory slots from the regions of a machine, which may begin and end within a page. */
import { PAGE, type AddressRange } from '../address/range';
import type { Region } from '../machine/machine';
import type { Board } from './model';

type Slot = { readonly start: bigint; readonly end: bigint; readonly kind: 'ram' | 'rom' };

/** Memory behind these regions in whole pages: ROM where the region is one, else RAM. */
export function slotsOf(backed: readonly Region[]): Board['slots'] {
  return wholePages(backed.map(({ range, kind }) => ({ ...range, kind: kind === 'rom' ? 'rom' : 'ram' })));
}

/** RAM behind all of these ranges, in whole pages. */
export function ramSlots(ranges: readonly AddressRange[]): Board['slots'] {
  return wholePages(ranges.map((range) => ({ ...range, kind: 'ram' })));
}

/** Neighbours of a kind are one slot, so that a border within a page takes no page away; at the outer borders only whole pages count. */
function wholePages(backed: readonly Slot[]): Slot[] {
  const slots: { start: bigint; end: bigint; kind: Slot['kind'] }[] = [];
  for (const slot of [...backed].sort((a, b) => (a.start < b.start ? -1 : 1))) {
    const last = slots.at(-1);
    if (last?.kind === slot.kind && slot.start <= last.end) {
      if (slot.end > last.end) last.end = slot.end;
    } else slots.push({ ...slot });
  }
  return slots
    .map(({ start, end, kind }) => ({
      start: ((start + PAGE - 1n) / PAGE) * PAGE,
      end: (end / PAGE) * PAGE,
      kind,
    }))
    .filter(({ start, end }) => start < end);
}
