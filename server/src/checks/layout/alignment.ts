/** Memory that does not begin and end at a page. */
import { formatRange, hex } from '../../address/format';
import { union } from '../../address/intervals';
import { PAGE } from '../../address/range';
import type { Region } from '../../machine/machine';
import type { Check } from '../check';
import { isBacked } from './backed';

/** The regions at the outer ends of memory: a border of two kinds of memory within a page is no border of a slot. */
function atBorders(regions: readonly Region[]): { readonly region: Region; readonly border: bigint }[] {
  const backed = regions.filter(({ kind }) => isBacked(kind));
  const starts = new Map(backed.map((region) => [region.range.start, region]));
  const ends = new Map(backed.map((region) => [region.range.end, region]));
  const offByOne = (end: bigint) => end % PAGE === 1n || end % PAGE === PAGE - 1n;
  return union(backed.map(({ range }) => range)).flatMap(({ start, end }) => [
    ...(start % PAGE === 0n ? [] : [{ region: starts.get(start)!, border: start }]),
    // Those are told by range-off-by-one.
    ...(end % PAGE === 0n || offByOne(end) ? [] : [{ region: ends.get(end)!, border: end }]),
  ]);
}

/** Who refuses it. */
function refusal(vmm: string | null): string {
  switch (vmm) {
    case 'vmd':
      return 'vmm(4) takes page-aligned ranges only and refuses the VM with EINVAL';
    case 'bhyve':
    case 'propolis':
      return 'vmm allocates memory in whole pages and refuses the segment with EINVAL';
    default:
      return 'KVM_SET_USER_MEMORY_REGION takes whole pages only and fails with EINVAL';
  }
}

export const alignment: Check = {
  code: 'region-misaligned',
  severity: 'warning',
  title: 'Memory that does not begin or end at a page',
  on: ['boot-plan'],
  *run({ machines }) {
    for (const { regions, vmm } of machines) {
      for (const { region, border } of atBorders(regions)) {
        yield {
          at: region.at,
          evidence: 'proven',
          message: `${region.name} ${formatRange(region.range)} has a border of memory at ${hex(border)}, within a page. ${refusal(vmm)}; Bootpath leaves out what is no whole page.`,
        };
      }
    }
  },
};
