/** The boot of a plan: its files are read, and what they say of memory and registers becomes a run. */
import type { BootPlan } from './boot-plan/plan';
import type { Machine } from './machine/machine';
import { gunzippedKernel } from './packedKernel';
import { filesOf, type PlanProblem } from './simulation/planContents';
import { plannedRequest } from './simulation/plannedRequest';
import type { SimulationRequest } from './simulation/report';

/**
 * The request for a plan; what keeps it from being run, each with its place in the plan, otherwise.
 * @param read rejects with a sentence for the user
 */
export async function planBoot(
  plan: BootPlan,
  machine: Machine,
  read: (path: string) => Promise<Uint8Array>,
): Promise<SimulationRequest | readonly PlanProblem[]> {
  const files = new Map<string, Uint8Array>();
  const problems: PlanProblem[] = [];
  const kernel = plan.boot?.kernel?.value;
  for (const { value, at } of filesOf(plan)) {
    if (files.has(value)) continue;
    try {
      const bytes = await read(value);
      files.set(value, value === kernel ? gunzippedKernel(bytes) : bytes);
    } catch (error) {
      problems.push({ message: (error as Error).message.replace(/\.$/, ''), at });
    }
  }
  return problems.length > 0 ? problems : plannedRequest(plan, machine, files);
}
