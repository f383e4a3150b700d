/** What is foretold of the state before the first instruction the run shows, where the plan says how it ends. */
import type { BootPlan } from '../../boot-plan/plan';
import type { Finding } from '../../text/finding';
import { BOOT_STATE_CHECKS } from '../bootState/rows';

const FORETOLD: ReadonlySet<string> = new Set(BOOT_STATE_CHECKS.map(({ code }) => code));

/** Whether an error keeps the plan from nothing. */
export function leftToTheRun({ code }: Finding, { expectations }: BootPlan): boolean {
  return FORETOLD.has(code) && expectations.some(({ kind }) => kind === 'outcome' || kind === 'fault-chain');
}
