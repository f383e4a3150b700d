/** Two regions of one machine that share bytes. */
import { formatRange, formatSize } from '../../address/format';
import { overlappingPairs } from '../../address/intervals';
import { PAGE, sizeOf, type AddressRange } from '../../address/range';
import type { Document } from '../../machine/language';
import { parentsOf, type Machine, type Region } from '../../machine/machine';
import type { Check, Found } from '../check';
import { producerOf } from './mapProducer';
import { isDeviceOverMemory } from './mmioOverRam';

/** Pairs reported a machine: a map with more is broken as a whole. */
const LIMIT = 50;

/** e820 type numbers by kind (ACPI specification, 15: address range types); `type N` names its own. */
const E820_TYPES: Readonly<Record<Region['kind'], number>> = {
  hole: 0,
  ram: 1,
  reserved: 2,
  rom: 2,
  mmio: 2,
  acpi: 3,
  nvs: 4,
  unusable: 5,
  persistent: 7,
};

function typeNumber(region: Region): number {
  const named = /type (\d{1,9})/.exec(region.name);
  return named ? Number(named[1]) : E820_TYPES[region.kind];
}

/** What the producer of the map makes of an overlap, and how much that weighs. */
function consequence(
  document: Document,
  machine: Machine,
  a: Region,
  b: Region,
): Pick<Found, 'severity'> & { readonly words: string } {
  if (document.language !== 'memmap')
    return {
      severity: 'error',
      words: 'One guest page has one backing, so a VMM refuses such a map or one region hides the other.',
    };
  const { overlap: meaning } = producerOf(machine);
  if (meaning) return meaning;
  const [low, high] = typeNumber(a) <= typeNumber(b) ? [a, b] : [b, a];
  const same = typeNumber(low) === typeNumber(high);
  const winner = same ? 'merges entries of one type' : `lets the higher type win, here ${high.name},`;
  return {
    severity: same ? 'information' : 'warning',
    words: `Linux ${winner} before it prints a map: this text was edited or mixed from two logs, or the sanitiser gave up on the map.`,
  };
}

/** Regions side by side: those of one parent, since what is nested (/proc/iomem) shares its parent's bytes by right. */
function siblings(regions: readonly Region[]): Region[][] {
  const groups = new Map<number, Region[]>();
  parentsOf(regions).forEach((parent, index) => {
    const group = groups.get(parent);
    if (group) group.push(regions[index]!);
    else groups.set(parent, [regions[index]!]);
  });
  return [...groups.values()];
}

function* overlapsOf(machine: Machine): Generator<readonly [Region, Region, AddressRange]> {
  let left = LIMIT;
  // A gap line says that nothing is there: it is no claim to the addresses.
  for (const regions of siblings(machine.regions.filter(({ kind }) => kind !== 'hole'))) {
    for (const { first, second, shared } of overlappingPairs(
      regions.map(({ range }) => range),
      left,
    )) {
      left--;
      yield [regions[first]!, regions[second]!, shared];
    }
    if (left <= 0) return;
  }
}

/** What so small an overlap betrays. */
function slip(document: Document, shared: AddressRange): string {
  const size = sizeOf(shared);
  if (size === 1n) return ' One byte is what an exclusive end makes that was taken for the last byte.';
  // Firmware hands over overlaps of a page that say nothing of anybody's ends.
  return size === PAGE && document.language !== 'memmap'
    ? ' One page is what an exclusive end makes that was taken for the last page.'
    : '';
}

export const overlap: Check = {
  code: 'region-overlap',
  severity: 'error',
  title: 'Two regions share addresses',
  on: ['machine'],
  *run(document) {
    for (const machine of document.machines) {
      for (const [a, b, shared] of overlapsOf(machine)) {
        if (isDeviceOverMemory(document, a, b)) continue;
        const { severity, words } = consequence(document, machine, a, b);
        yield {
          severity,
          at: b.at ?? a.at,
          message: `${b.name} ${formatRange(b.range)} and ${a.name} ${formatRange(a.range)} share ${formatSize(sizeOf(shared))}, ${formatRange(shared)}. ${words}${slip(document, shared)}`,
          ...(a.at && b.at ? { related: [{ at: a.at, message: `${a.name} ${formatRange(a.range)}` }] } : {}),
        };
      }
    }
  },
};
