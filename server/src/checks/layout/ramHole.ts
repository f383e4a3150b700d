/** A hole between two pieces of RAM that no device and no firmware needs. */
import { formatRange, formatSize } from '../../address/format';
import { Coverage } from '../../address/coverage';
import { GIB, MIB, PAGE, sizeOf, type AddressRange } from '../../address/range';
import type { Document } from '../../machine/language';
import type { Machine, Region } from '../../machine/machine';
import type { Check } from '../check';
import { isBhyvectl } from './mapProducer';

/** Where every PC has no RAM: the VGA window up to 1 MiB, and the devices below 4 GiB. */
const LEGACY: AddressRange = { start: 0x80000n, end: MIB };
const FOUR_GIB = 4n * GIB;

function isUsual({ start, end }: AddressRange): boolean {
  return (start >= LEGACY.start && end <= LEGACY.end) || (start < FOUR_GIB && end >= FOUR_GIB);
}

/** Holes of RAM, with the regions on both sides; sorted. Any region that touches a hole explains it. */
export function holesInRam({ regions }: Pick<Machine, 'regions'>): {
  readonly hole: AddressRange;
  readonly below: Region;
  readonly above: Region;
}[] {
  const others = new Coverage(
    regions.filter(({ kind }) => kind !== 'ram' && kind !== 'hole').map(({ range }) => range),
  );
  const ram = regions
    .filter(({ kind, range }) => kind === 'ram' && sizeOf(range) > 0n)
    .sort((a, b) => (a.range.start < b.range.start ? -1 : 1));
  const found: { hole: AddressRange; below: Region; above: Region }[] = [];
  let below = ram[0];
  for (const above of ram.slice(1)) {
    const hole = { start: below!.range.end, end: above.range.start };
    if (sizeOf(hole) > 0n && !isUsual(hole) && !others.touches(hole))
      found.push({ hole, below: below!, above });
    if (above.range.end > below!.range.end) below = above;
  }
  return found;
}

/** Whether a hole of this map is worth a word: firmware cuts its maps as it likes, bhyve and a plan's author do not. */
function decides(document: Document, machine: Machine): 'plan' | 'bhyvectl' | null {
  if (document.language === 'boot-plan') return 'plan';
  return isBhyvectl(machine) ? 'bhyvectl' : null;
}

/** bhyvectl prints a unit from about 98 of them on, rounded to the nearest: less than this part of a length is left out. */
const ROUNDING = 64n;

export const ramHole: Check = {
  code: 'ram-hole',
  severity: 'information',
  title: 'Hole inside RAM',
  on: ['boot-plan', 'memmap'],
  *run(document) {
    for (const machine of document.machines) {
      const producer = decides(document, machine);
      if (producer === null) continue;
      for (const { hole, below, above } of holesInRam(machine)) {
        const size = sizeOf(hole);
        if (below.approximate && size <= sizeOf(below.range) / ROUNDING) continue;
        const page = size === PAGE || size === 1n;
        yield {
          severity: producer === 'plan' && page ? 'warning' : 'information',
          at: above.at ?? below.at,
          message: `Nothing is at ${formatRange(hole)}, ${formatSize(size)} between ${below.name} ${formatRange(below.range)} and ${above.name} ${formatRange(above.range)}. ${
            producer === 'bhyvectl'
              ? 'bhyve maps memory without such holes: a line is missing, or lines of two guests are mixed.'
              : page
                ? 'A hole of so little is what a last page or byte makes that was taken for the end.'
                : 'A guest that is told one piece of RAM ends in it: an access there finds no memory.'
          }`,
          ...(above.at && below.at
            ? { related: [{ at: below.at, message: `${below.name} ${formatRange(below.range)}` }] }
            : {}),
        };
      }
    }
  },
};
