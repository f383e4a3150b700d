/** The runs that show a known issue, side by side, as JSON and as text. */
import type { KnownIssue, SimulationCell } from '../machine/knownIssue';
import type { BootReport } from '../simulation/report';
import { exceptionName } from '../x86/exceptions';
import { faultJson } from './bootReport';
import { wrap, type ReportStyle } from './reportStyle';

export interface IssueRun {
  readonly cell: SimulationCell;
  readonly report: BootReport;
}

/** `issue` with its link, and `cells`: one a run, `reached` null where it did not come to what the report describes. */
export function issueRunsJson(issue: KnownIssue, runs: readonly IssueRun[]): object {
  return {
    issue: { id: issue.id, title: issue.title, link: issue.link, affected: issue.affected, fix: issue.fix },
    cells: runs.map(({ cell, report }) => ({
      name: cell.name,
      vmm: `${issue.vmm}@${cell.version}`,
      probe: cell.probe,
      parameters: cell.parameters,
      vendor: cell.vendor ?? null,
      commandLine: cell.commandLine ?? null,
      settings: cell.settings ?? {},
      evidence: cell.evidence,
      outcome: report.outcome,
      reason: report.reason,
      exitStatus: report.exitStatus,
      reached: report.shown?.reached ?? null,
      instructions: report.instructions,
      console: report.console,
      faultChain: report.faultChain.map(faultJson),
    })),
  };
}

const NOT_SHOWN =
  'No run comes to it with this guest; each says above how it ended. Without a file the issue’s own guest is run.';

/** The runs first, each with its outcome and grade, then what they show together and what helps. */
export function issueRunsText(issue: KnownIssue, runs: readonly IssueRun[], style: ReportStyle): string {
  const count = runs.filter(({ report }) => report.shown?.reached).length;
  const lines = [
    '',
    `Known issue ${issue.id}`,
    ...wrap(issue.title, style, '  '),
    `  ${issue.link}`,
    '',
    `Runs: ${count} of ${runs.length} come to the state that the report describes (●)`,
  ];
  for (const { cell, report } of runs) {
    const reached = report.shown?.reached ?? null;
    const chain = report.faultChain.map(({ vector }) => exceptionName(vector)).join(' → ');
    lines.push(
      '',
      `  ${reached === null ? '○' : '●'} ${cell.name}`,
      `      ${report.outcome}${chain ? `, ${chain}` : ''} · ${issue.vmm}@${cell.version} · ${cell.evidence}`,
      ...wrap(reached ?? report.reason, style, '      '),
    );
  }
  // What the runs show together holds where the issue is shown, and for no guest that does not come to it.
  const together = count > 0 ? (issue.simulation?.shows ?? '') : NOT_SHOWN;
  lines.push('', 'Together', ...wrap(together, style, '  '));
  lines.push('', 'Fix', ...wrap(issue.fix, style, '  '));
  return lines.join('\n') + '\n';
}
