/**
 * Whether a CPU would enter a guest with this state: every check of VMX entry or VMRUN on it, by vendor. A VMM's initial
 * register set goes through it before a boot, and so can the registers that a crash dump shows.
 */
import { CONTROL_REGISTER_CHECKS } from './controlRegisters';
import type { EntryCheck, EntryCpu, GuestState } from './guestState';
import { NON_REGISTER_CHECKS } from './nonRegister';
import { REGISTER_CHECKS } from './registers';
import { SEGMENT_CHECKS } from './segments';
import { VMRUN_CHECKS } from './vmrun';

export type { EntryCheck, EntryCpu, GuestState } from './guestState';

export const VMX_CHECKS: readonly EntryCheck[] = [
  ...CONTROL_REGISTER_CHECKS,
  ...SEGMENT_CHECKS,
  ...REGISTER_CHECKS,
  ...NON_REGISTER_CHECKS,
];
export { VMRUN_CHECKS };

export interface EntryViolation {
  readonly check: EntryCheck;
  /** What the state has, with its numbers; no full stop. */
  readonly problem: string;
}

export interface EntryResult {
  /** Every violated check, in the manual's order. */
  readonly violations: readonly EntryViolation[];
  /** Checks that the state does not tell enough for. */
  readonly unknown: readonly EntryCheck[];
}

export function checkEntry(guest: GuestState, cpu: EntryCpu): EntryResult {
  const violations: EntryViolation[] = [];
  const unknown: EntryCheck[] = [];
  for (const check of cpu.vendor === 'intel' ? VMX_CHECKS : VMRUN_CHECKS) {
    const problem = check.holds(guest, cpu);
    if (problem === undefined) unknown.push(check);
    else if (problem !== null) violations.push({ check, problem });
  }
  return { violations, unknown };
}
