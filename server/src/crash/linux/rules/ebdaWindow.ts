/** R7b: a failure in RAM that the firmware may use too, on a vmd that calls it RAM. */
import { formatRange, hex } from '../../../address/format';
import { regionAt } from '../../../machine/machine';
import { vmdLowmem } from '../../../vmm/vmd/knownIssues/vmdLowmem';
import { linesOf, type Candidate, type CrashRule, type RuleFinding } from '../../crashFacts';
import type { OopsFacts } from '../facts';
import type { GuestPhysical } from '../../locate';
import { guestPhysicalAddresses } from '../addresses';

/** From SeaBIOS's lowest EBDA (src/config.h, BUILD_EBDA_MINIMUM) to the VGA window. */
const EBDA_WINDOW = { start: 0x90000n, end: 0xa0000n };

/** Condition 1: the guest ran under OpenBSD's vmd, by the dump's hardware name; without one by the config that was given. */
export function isUnderVmd(facts: OopsFacts): boolean {
  if (facts.oops.hardware !== null) return facts.vmm?.model === 'vmd';
  return facts.candidates.some(({ machine }) => machine.vmm === 'vmd');
}

/** Condition 2: the machine is read for a version of vmd that calls the window RAM. Null where the version is unknown. */
export function isAffected({ machine, versionAssumed }: Candidate): boolean | null {
  if (machine.vmm !== 'vmd' || machine.version === null) return null;
  if (vmdLowmem.affected.includes(machine.version)) return true;
  return versionAssumed ? null : false;
}

/**
 * Condition 3: RIP or the faulting access lies in the window. A page table or a blob there is no evidence: healthy
 * machines have them there too.
 */
export function failureInWindow(facts: OopsFacts): GuestPhysical | undefined {
  return guestPhysicalAddresses(facts).find(
    ({ register, role, address }) =>
      role === 'identity-mapped' &&
      (register === 'rip' || register === 'cr2') &&
      address >= EBDA_WINDOW.start &&
      address < EBDA_WINDOW.end,
  );
}

/** The machines for which all three conditions hold, with the region that the map calls RAM. */
export function conflictingMachines(facts: OopsFacts): Candidate[] {
  const failure = failureInWindow(facts);
  if (!failure || !isUnderVmd(facts)) return [];
  return facts.candidates.filter(
    (candidate) =>
      isAffected(candidate) === true && regionAt(candidate.machine, failure.address)?.kind === 'ram',
  );
}

export const ebdaWindow: CrashRule<OopsFacts> = {
  id: 'R7b',
  code: 'failure-in-ebda-window',
  title: 'The failure lies in RAM that the firmware may use too',
  confidence: 'low',
  check(facts): readonly RuleFinding[] {
    const failure = failureInWindow(facts);
    if (!failure) return [];
    return conflictingMachines(facts).map(({ machine }) => {
      const region = regionAt(machine, failure.address)!;
      return {
        message: `${failure.what} ${hex(failure.address)} lies in [0x90000, 0xa0000), which vmd@${machine.version} calls RAM (${region.name} ${formatRange(region.range)}) and SeaBIOS may use for its EBDA. This is consistent with memory that was overwritten, one hypothesis among others.`,
        severity: 'information',
        evidence: 'inferred',
        cause: null,
        lines: linesOf(facts, failure.register),
        related: region.at
          ? [{ at: region.at, message: 'this gives the guest the region; it is no established cause' }]
          : [],
      };
    });
  },
};
