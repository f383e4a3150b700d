/** Boots a job in a worker, prints the report, and gives the exit code. */
import type { KnownIssue } from '../machine/knownIssue';
import { vmmLabel } from '../machine/machine';
import { bootReportJson, bootReportText, countText } from '../output/bootReport';
import { divergenceJson, divergenceText } from '../output/divergence';
import { issueRunsJson, issueRunsText, type IssueRun } from '../output/issueRuns';
import type { Outcome } from '../machine/outcome';
import type { SavedRun } from '../simulation/savedRun';
import { startJob, type SimulationJob, type WorkerReport } from '../workerHost';
import { json, stringOption, UsageError, type Options, type Terminal } from './command';
import { pathOf, terminalStyle } from './inputs';
import { saveOption, StateSaver } from './savedState';

/** Outcomes that make exit code 1 where nothing was expected; a finding of error severity does so too. */
const FAILED: ReadonlySet<Outcome> = new Set([
  'triple-fault',
  'guest-panic',
  'host-panic',
  'budget',
  'invalid-entry',
]);

/** The exit code of what Ctrl-C has ended, as shells have it: 128 and the number of SIGINT. */
const INTERRUPTED = 130;

/** The runs that together show a known issue. */
export interface IssueRuns {
  readonly issue: KnownIssue;
  /** A job for each cell of its simulation, in their order. */
  readonly jobs: readonly SimulationJob[];
}

/** What is booted, and for a known issue all its runs. */
export interface ChosenJobs {
  readonly job: SimulationJob;
  readonly runs: IssueRuns | null;
}

/** Boots, saves where that is asked for, and gives the exit code. */
export async function bootAndTell(
  job: SimulationJob,
  options: Options,
  terminal: Terminal,
  runs: IssueRuns | null = null,
): Promise<number> {
  const target = saveOption(options);
  const saver = new StateSaver(target, terminal.note);
  const report = await boot({ ...job, request: { ...job.request, ...target?.request } }, saver.saved);
  const issueRuns = runs && report.outcome !== 'cancelled' ? await bootAll(runs, report) : [];
  const code = tell(report, job, options, terminal, runs && { issue: runs.issue, runs: issueRuns });
  saver.finish(report.instructions);
  return code;
}

/** The first run is the one that was made already. */
async function bootAll({ issue, jobs }: IssueRuns, first: WorkerReport): Promise<IssueRun[]> {
  const runs: IssueRun[] = [];
  for (const [index, job] of jobs.entries()) {
    const report = index === 0 ? first : await boot(job);
    runs.push({ cell: issue.simulation!.cells[index]!, report });
    if (report.outcome === 'cancelled') break;
  }
  return runs;
}

function tell(
  report: WorkerReport,
  { machine, compared }: SimulationJob,
  options: Options,
  { out, note }: Terminal,
  shown: { readonly issue: KnownIssue; readonly runs: readonly IssueRun[] } | null,
): number {
  if (report.outcome === 'cancelled') note('cancelled');
  const { comparison } = report;
  if (stringOption(options, 'format') === 'json') {
    out(
      json({
        ...bootReportJson(report, pathOf),
        ...(comparison ? divergenceJson(comparison) : {}),
        ...(shown ? issueRunsJson(shown.issue, shown.runs) : {}),
      }),
    );
  } else {
    out(bootReportText(report, machine, terminalStyle()));
    if (comparison && compared) {
      out(divergenceText(comparison, vmmLabel(machine) ?? 'here', vmmLabel(compared.machine) ?? 'there'));
    }
    if (shown) out(issueRunsText(shown.issue, shown.runs, terminalStyle()));
  }
  if (report.outcome === 'cancelled') return INTERRUPTED;
  // What a boot plan expects decides of its run.
  const badEnd = !report.missed && FAILED.has(report.outcome);
  const failed = badEnd || report.findings.some(({ severity }) => severity === 'error');
  return failed ? 1 : 0;
}

/** Boots in a worker, with the count on the terminal; Ctrl-C ends it. */
async function boot(job: SimulationJob, saved?: (run: SavedRun) => void): Promise<WorkerReport> {
  const progress = (instructions: number) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${countText(instructions)} instructions `);
  };
  const simulation = startJob(job, progress, saved);
  const interrupt = () => simulation.cancel();
  process.once('SIGINT', interrupt);
  try {
    return await simulation.report;
  } catch (error) {
    // A parameter that the probe does not have: a sentence for the user.
    throw new UsageError((error as Error).message);
  } finally {
    process.removeListener('SIGINT', interrupt);
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}
