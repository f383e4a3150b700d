/** A ROM that ends where RAM starts, on a VMM that took the end of a range as its last byte. */
import { hex } from '../../address/format';
import { touchingPairs } from '../../address/intervals';
import type { Document } from '../../machine/language';
import type { Machine, Region } from '../../machine/machine';
import type { Check } from '../check';
import { isBhyvectl } from './mapProducer';

/** Versions whose second-level page-table code took `[start, end]` as closed (illumos issue 14042). */
const AFFECTED: ReadonlyMap<string, readonly string[]> = new Map([['bhyve', ['illumos-2021-08']]]);

const FOUR_GIB = 0x1_0000_0000n;

type Standing = 'affected' | 'open' | 'unaffected';

/** Whether seams may hurt on the VMM that made the map. Without a VMM only bhyve's own table is worth a word. */
function standing(document: Document, machine: Machine): Standing {
  const { choice } = document;
  // What firmware or a kernel calls reserved is no mapping of the VMM.
  if (machine.producer !== undefined && !isBhyvectl(machine)) return 'unaffected';
  if (choice) return AFFECTED.get(choice.vmm)?.includes(choice.version) ? 'affected' : 'unaffected';
  return machine.producer === undefined ? 'unaffected' : 'open';
}

/**
 * Whether a seam is the one of the report: a ROM below 4 GiB. FreeBSD's boot ROM lies at the end of a 16 MiB segment;
 * illumos prints offset 0, and only illumos had the defect.
 */
function isReported(lower: Region, address: bigint): boolean {
  return lower.kind === 'rom' && lower.backingOffset === 0n && address === FOUR_GIB;
}

function message(lower: Region, upper: Region, state: Standing): string {
  const seam = hex(upper.range.start);
  const fact = `${lower.name} ends at ${seam}, where ${upper.name} starts.`;
  return state === 'affected'
    ? `${fact} This bhyve takes the end as the last byte, so a restart of the guest also unmaps the first page of RAM at ${seam} (illumos issue 14042: DEBUG kernels panic with "ptes[i] == 0").`
    : `${fact} That is correct and harmless, except on illumos kernels of mid-2021 before the fix of issue 14042, where a reboot also unmaps the page at ${seam}.`;
}

export const closedRangeSeam: Check = {
  code: 'closed-range-seam',
  severity: 'warning',
  title: 'ROM touches RAM on a VMM with closed ranges',
  on: ['machine'],
  *run(document) {
    for (const machine of document.machines) {
      const state = standing(document, machine);
      if (state === 'unaffected') continue;
      const { regions } = machine;
      for (const seam of touchingPairs(
        regions.map(({ range }) => range),
        1000,
      )) {
        const [lower, upper] = [regions[seam.lower]!, regions[seam.upper]!];
        if (upper.kind !== 'ram' || (lower.kind !== 'rom' && lower.kind !== 'reserved')) continue;
        if (state === 'open' && !isReported(lower, seam.address)) continue;
        yield {
          severity: state === 'affected' ? 'warning' : 'information',
          at: lower.at ?? upper.at,
          evidence: 'proven',
          message: message(lower, upper, state),
          ...(lower.at && upper.at
            ? { related: [{ at: upper.at, message: `${upper.name} starts at ${hex(seam.address)}` }] }
            : {}),
        };
      }
    }
  },
};
