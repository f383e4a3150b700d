/** An end that is one byte off: a last byte taken for an exclusive end, or the other way round. */
import { formatRange, hex } from '../../address/format';
import { PAGE } from '../../address/range';
import type { Region } from '../../machine/machine';
import type { Check } from '../check';

const LAST_OFFSET = PAGE - 1n;

/** Maps whose producer prints exact ends: those with rounded lengths prove nothing. */
function exact(region: Region): boolean {
  return region.approximate !== true && region.range.end > region.range.start;
}

interface Slip {
  readonly fact: string;
  readonly why: string;
}

/** What the end of a range betrays, null where it may well be meant. */
function slipOf({ range }: Region): Slip | null {
  const offset = range.end & LAST_OFFSET;
  if (offset === 1n && range.end > PAGE)
    return {
      fact: `ends at ${hex(range.end)}, one byte beyond a page`,
      why: 'Who made the map took an exclusive end for the last byte (libkrun tells its guests so); the guest believes in a byte more than there is.',
    };
  if (offset === LAST_OFFSET)
    return {
      fact: `ends at ${hex(range.end)}, one byte short of a page`,
      why: 'Who made the map took a last byte for an exclusive end; the guest loses the byte, and Linux with it the whole page.',
    };
  return null;
}

export const offByOne: Check = {
  code: 'range-off-by-one',
  severity: 'warning',
  title: 'Range that is one byte too long or too short',
  // A boot plan’s own rule tells it at the key that is wrong.
  on: ['memmap'],
  *run(document) {
    for (const { regions } of document.machines) {
      for (const region of regions) {
        if (!exact(region) || region.kind === 'hole' || region.kind === 'mmio') continue;
        // Nested lines of /proc/iomem end where a program or a section ends.
        if ((region.level ?? 0) > 0) continue;
        const slip = slipOf(region);
        if (!slip) continue;
        yield {
          at: region.at,
          evidence: 'inferred',
          message: `${region.name} ${formatRange(region.range)} ${slip.fact}. ${slip.why}`,
        };
      }
    }
  },
};
