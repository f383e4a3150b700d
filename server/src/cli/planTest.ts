/** One boot plan as a test: read, checked, run in a worker, and held against what it expects. */
import { dirname } from 'node:path';
import { hostFiles } from '../hostFiles';
import { leftToTheRun } from '../checks/boot-plan/leftToTheRun';
import { isBootPlan } from '../boot-plan/document';
import type { PlanFailure, PlanResult } from '../output/planResults';
import { planBoot } from '../planBoot';
import type { Service } from '../service';
import type { PlanProblem } from '../simulation/planContents';
import type { SourceRange } from '../text/position';
import { jobOf, type WorkerReport, type Workers } from '../workerHost';
import { parseAs, readSource } from './inputs';

export interface PlanTestHost {
  readonly service: Service;
  readonly workers: Workers;
  readonly signal: AbortSignal;
}

/** Null where Ctrl-C ended it. UsageError where the plan itself cannot be read. */
export async function testPlan(file: string, host: PlanTestHost): Promise<PlanResult | null> {
  const language = host.service.languages.find(({ kind }) => kind === 'boot-plan')!;
  const document = parseAs(host.service, language, readSource(file));
  const failed = (failures: readonly PlanFailure[]): PlanResult => ({ file, failures, run: null });
  const plan = isBootPlan(document) ? document.plan : null;
  const errors = host.service
    .findings(document)
    .filter((finding) => finding.severity === 'error' && !(plan && leftToTheRun(finding, plan)));
  if (errors.length > 0)
    return failed(errors.map(({ message, at }) => failure('the plan has no errors', message, at)));
  const [machine] = document.machines;
  if (!plan || !machine) return failed([failure('the plan describes a machine', 'it has none', null)]);
  if (plan.expectations.length === 0 && !plan.run.until)
    return failed([failure('the plan has an [expect] table', 'it expects nothing of its run', null)]);
  const request = await planBoot(plan, machine, (path) => hostFiles.readImage(path, dirname(file)));
  if (!('taps' in request)) return failed(request.map(cannotRun));
  const job = jobOf({ machine, request });
  if (typeof job === 'string') return failed([failure('the plan can be run', job, null)]);
  try {
    const report = await host.workers.run(job, { signal: host.signal });
    if (report.outcome === 'cancelled') return null;
    const { outcome, reason, instructions, milliseconds, console, firmwareLog } = report;
    return {
      file,
      failures: failuresOf(report, plan.run.until),
      run: { outcome, reason, instructions, milliseconds, console, firmwareLog },
    };
  } catch (error) {
    return failed([failure('the run comes to an end', (error as Error).message, null)]);
  }
}

function failuresOf(
  { missed = [], outcome, reason }: WorkerReport,
  until: { readonly value: string; readonly at: SourceRange } | null,
): PlanFailure[] {
  const late =
    until && outcome !== 'expectation-met'
      ? [
          failure(
            `the run ends when ${JSON.stringify(until.value)} is written`,
            `it ended without: ${reason}`,
            until.at,
          ),
        ]
      : [];
  return [...late, ...missed.map(({ expected, actual, at }) => failure(expected, actual, at))];
}

function cannotRun({ message, at }: PlanProblem): PlanFailure {
  return failure('the plan can be run', message, at);
}

function failure(expected: string, actual: string, at: SourceRange | null): PlanFailure {
  return { expected, actual: actual.replace(/\.$/, ''), line: at === null ? null : at.range.start.line + 1 };
}
