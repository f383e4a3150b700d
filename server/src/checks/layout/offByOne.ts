/** An end that is one byte off: a last byte taken for an exclusive end, or the other way round. */
import { formatRange, hex } from '../../address/format';
import { PAGE } from '../../address/range';
import type { Document } from '../../machine/language';
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
function slipOf({ range }: Region, document: Document): Slip | null {
  const offset = range.end & LAST_OFFSET;
  const printed = document.language === 'memmap';
  if (offset === 1n && range.end > PAGE)
    return {
      fact: `ends at ${hex(range.end)}, one byte beyond a page`,
      why: printed
        ? 'Who made the map took an exclusive end for the last byte (libkrun tells its guests so); the guest believes in a byte more than there is.'
        : 'An exclusive end that is written as a last byte makes a range one byte too long, and so one page where pages are counted up.',
    };
  if (offset === LAST_OFFSET)
    return {
      fact: `ends at ${hex(range.end)}, one byte short of a page`,
      why: printed
        ? 'Who made the map took a last byte for an exclusive end; the guest loses the byte, and Linux with it the whole page.'
        : 'A last byte that is written as an exclusive end makes a range one byte too short, and so one page where only whole pages count.',
    };
  return null;
}

export const offByOne: Check = {
  code: 'range-off-by-one',
  severity: 'warning',
  title: 'Range that is one byte too long or too short',
  on: ['memmap'],
  *run(document) {
    for (const { regions } of document.machines) {
      for (const region of regions) {
        if (!exact(region) || region.kind === 'hole' || region.kind === 'mmio') continue;
        // Nested lines of /proc/iomem end where a program or a section ends.
        if ((region.level ?? 0) > 0) continue;
        const slip = slipOf(region, document);
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
