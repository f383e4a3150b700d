/** The report of a run that a boot plan has expectations of. */
import type { Expectation } from '../boot-plan/plan';
import type { Machine } from '../machine/machine';
import type { Finding } from '../text/finding';
import { expectsOutcome, missedExpectations } from './expectations';
import type { ExpectationWatch } from './expectationWatch';
import type { BootReport } from './report';

/** Before it is known how long the run took. */
export type UntimedReport = Omit<BootReport, 'milliseconds' | 'instructionsBefore'>;

/** The report with what was expected and did not come, each a finding; an end that is expected is no error. */
export function heldAgainst(
  expectations: readonly Expectation[],
  report: UntimedReport,
  watch: ExpectationWatch,
  machine: Machine,
): UntimedReport {
  if (report.outcome === 'cancelled') return report;
  const missed = missedExpectations(expectations, report, watch);
  const own = `boot-${report.outcome}`;
  const findings = report.findings.map((finding): Finding =>
    finding.code === own && expectsOutcome(expectations, report.outcome)
      ? { ...finding, severity: 'information' }
      : finding,
  );
  const told = missed.map(({ expected, actual, at }): Finding => ({
    code: 'boot-expectation-missed',
    severity: 'error',
    message: `Expected: ${expected}. But ${actual}.`,
    at: at ?? machine.nameAt ?? machine.at,
  }));
  return { ...report, missed, findings: [...findings, ...told] };
}
