/** How much the finding `boot-OUTCOME` weighs. */
import type { Outcome } from '../machine/outcome';
import type { Severity } from '../text/finding';

/** The other outcomes have no finding. */
export const FINDING_SEVERITY: Readonly<Partial<Record<Outcome, Severity>>> = {
  'triple-fault': 'error',
  'vmm-exit': 'error',
  'host-panic': 'error',
  'guest-panic': 'error',
  'invalid-entry': 'error',
  reset: 'information',
  budget: 'warning',
};
