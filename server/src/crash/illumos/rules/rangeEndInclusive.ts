/** R12b: a removal went one page too far, into the region that begins where the removed one ends. */
import { hex } from '../../../address/format';
import { explainPageTableEntry } from '../../../x86/pageTableEntry';
import type { CrashRule } from '../../crashFacts';
import type { PanicFacts } from '../facts';
import { describeSeam, lineOf } from '../seams';
import { hostFrame, readVacation } from '../vacated';
import { seamPlaces, seamsIn } from './illumos14042';

/**
 * A seam alone is normal, almost every map has one. It takes an operation on the region below (in the stack) and a sign
 * of the content above (a live entry where the removal expects none).
 */
export const rangeEndInclusive: CrashRule<PanicFacts> = {
  id: 'R12b',
  code: 'range-end-taken-as-inclusive',
  title: 'A range end was taken as inclusive',
  confidence: 'possible',
  check(facts) {
    const vacation = readVacation(facts);
    if (!vacation?.frame) return [];
    const { frame } = vacation;
    return seamsIn(facts).map((seam) => ({
      message: `${describeSeam(seam)}, with no gap. ${frame.symbol} found a live entry where it expected an empty table: what a removal of ${seam.below.name} finds that takes ${hex(seam.below.range.end)} as its last address. As a half-open range it ends one byte before. The assertion exists on DEBUG kernels only; without it the table would be freed with live entries.`,
      severity: 'warning' as const,
      evidence: 'inferred' as const,
      cause: 'vmm' as const,
      lines: [frame.line, facts.panic.messageLine],
      at: lineOf(seam.machine, seam.below),
      related: seamPlaces(seam),
    }));
  },
};

/** What the left side of the assertion is. EPT's bits 0 to 2 are other ones, so the words are for AMD's layout only. */
export const liveNestedEntry: CrashRule<PanicFacts> = {
  id: 'K9',
  code: 'live-nested-entry',
  title: 'The assertion shows a live second-level page-table entry',
  confidence: 'certain',
  check(facts) {
    const vacation = readVacation(facts);
    if (!vacation) return [];
    const { entry, vendor } = vacation;
    const layout =
      vendor === 'AMD'
        ? ` The stack names rvi_ functions, AMD’s nested paging, so it reads as ${explainPageTableEntry(entry, 'pt').set.join(' ')}.`
        : vendor === 'Intel'
          ? ' The stack names ept_ functions, Intel’s EPT, so bits 2:0 are read, write and execute.'
          : ' The stack does not name the host’s vendor, and the value alone does not tell it.';
    return [
      {
        message: `The left side ${hex(entry)} is an entry that is present and points to host-physical ${hex(hostFrame(entry))}.${layout} It is an address of the host and lies nowhere in the guest’s map. Its index is not printed: it is the first entry of its table that is still live, and so tells what the guest had touched.`,
        severity: 'information',
        evidence: 'proven',
        cause: null,
        lines: [facts.panic.messageLine],
      },
    ];
  },
};
