/** What is asked of a run by a boot plan whose files have been read. */
import type { BootPlan, PlannedCpu } from '../boot-plan/plan';
import type { Machine } from '../machine/machine';
import type { CpuChoice } from '../vmm/model';
import { planContents, type PlanFiles, type PlanProblem } from './planContents';
import type { SimulationRequest } from './report';
import { DEFAULT_BUDGET } from './simulate';

/** The request, or what keeps the plan from being run. */
export function plannedRequest(
  plan: BootPlan,
  machine: Machine,
  files: PlanFiles,
): SimulationRequest | readonly PlanProblem[] {
  const { run, cpu, boot, expectations } = plan;
  const file = (path: { readonly value: string } | null | undefined) =>
    path ? (files.get(path.value) ?? null) : null;
  const contents = plan.start === 'plan' ? planContents(plan, machine.regions, files) : null;
  if (contents && !('pieces' in contents)) return contents;
  const choice = cpuChoice(cpu);
  return {
    machine: machine.name,
    ...(contents
      ? { firmware: null, kernel: null, probe: null, plan: contents }
      : {
          firmware: file(boot?.firmware),
          kernel: file(boot?.kernel),
          initrd: file(boot?.initrd),
          probe: boot?.probe?.value ?? null,
        }),
    ...(choice ? { cpu: choice } : {}),
    ...(cpu?.physicalWidth ? { physicalWidth: cpu.physicalWidth.value } : {}),
    taps: run.taps,
    maxInstructions: budgetOf(plan),
    reboots: run.reboots?.value ?? 0,
    ...(run.until ? { until: run.until.value } : {}),
    ...(run.idleSeconds ? { idleSeconds: run.idleSeconds.value } : {}),
    ...(expectations.length > 0 ? { expectations } : {}),
  };
}

/** One instruction more than is expected at most tells that it was not enough. */
function budgetOf({ run, expectations }: BootPlan): number {
  const expected = expectations.flatMap((one) => (one.kind === 'max-instructions' ? [one.most + 1] : []));
  return Math.min(run.maxInstructions?.value ?? DEFAULT_BUDGET, ...expected);
}

/** Null leaves the CPU to the model. */
function cpuChoice(cpu: PlannedCpu | null): CpuChoice | null {
  if (!cpu) return null;
  const { vendor, added, removed } = cpu;
  if (vendor === null && added.length === 0 && removed.length === 0) return null;
  return { vendor: vendor ?? 'intel', added, removed };
}
