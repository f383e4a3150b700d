/** A ROM that ends where RAM starts, on a VMM that took the end of a range as its last byte. */
import { hex } from '../../address/format';
import { touchingPairs } from '../../address/intervals';
import type { Document, VmmChoice } from '../../machine/language';
import type { Machine, Region } from '../../machine/machine';
import type { Check } from '../check';
import { isBhyvectl } from './mapProducer';

/** Versions whose second-level page-table code took `[start, end]` as closed (illumos issue 14042). */
const AFFECTED: Readonly<Record<string, readonly string[]>> = { bhyve: ['illumos-2021-08'] };

const FOUR_GIB = 0x1_0000_0000n;

type Standing = 'affected' | 'open' | 'unaffected';

/** Whether the seam may hurt on the VMM that made the map. Without a VMM only bhyve's own table is worth a word. */
function standing(document: Document, machine: Machine, lower: Region): Standing {
  const choice: VmmChoice | null = document.choice;
  if (choice) return AFFECTED[choice.vmm]?.includes(choice.version) ? 'affected' : 'unaffected';
  if (!isBhyvectl(document, machine)) return 'unaffected';
  // FreeBSD's boot ROM lies at the end of a 16 MiB segment; illumos prints offset 0. Only illumos had the defect.
  return lower.backingOffset === 0n ? 'open' : 'unaffected';
}

function message(lower: Region, upper: Region, state: Standing): string {
  const seam = hex(upper.range.start);
  const fact = `${lower.name} ends at ${seam}, where ${upper.name} starts.`;
  return state === 'affected'
    ? `${fact} This bhyve takes the end as the last byte, so a reboot or the end of the VM also unmaps the first page of RAM at ${seam} (illumos issue 14042: DEBUG kernels panic with "ptes[i] == 0").`
    : `${fact} That is correct and harmless, except on illumos kernels of mid-2021 before the fix of issue 14042, where a reboot also unmaps the page at ${seam}.`;
}

export const closedRangeSeam: Check = {
  code: 'closed-range-seam',
  severity: 'warning',
  title: 'ROM touches RAM on a VMM with closed ranges',
  on: ['machine'],
  *run(document) {
    for (const machine of document.machines) {
      const { regions } = machine;
      for (const seam of touchingPairs(
        regions.map(({ range }) => range),
        1000,
      )) {
        const [lower, upper] = [regions[seam.lower]!, regions[seam.upper]!];
        if (upper.kind !== 'ram' || (lower.kind !== 'rom' && lower.kind !== 'reserved')) continue;
        const state = standing(document, machine, lower);
        // Without a named VMM only the seam of the report is mentioned: a ROM below 4 GiB.
        if (
          state === 'unaffected' ||
          (state === 'open' && (lower.kind !== 'rom' || seam.address !== FOUR_GIB))
        )
          continue;
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
