/** What is booted for a wish: one machine, under which VMM, beside which other one, or all the runs of a known issue. */
import type { KnownIssue } from './machine/knownIssue';
import type { VmmChoice } from './machine/language';
import type { Machine } from './machine/machine';
import type { SimulationRequest } from './simulation/report';
import { VMM_MODELS, vmmModel } from './vmm/models';
import { underModel } from './vmm/relayout';

/** One boot. */
export interface BootRun {
  readonly machine: Machine;
  readonly request: SimulationRequest;
  /** The same guest under another VMM, which is booted too to find where the two part. */
  readonly compared?: Machine;
}

export interface BootWish {
  readonly as?: VmmChoice | undefined;
  readonly compare?: VmmChoice | undefined;
  readonly issue?: KnownIssue | null | undefined;
}

export interface BootRuns {
  readonly main: BootRun;
  /** A run for each cell of the known issue's simulation, the first of which is `main`; none without an issue. */
  readonly cells: readonly BootRun[];
}

/** Known issues that the emulator can show. */
export const SHOWN_ISSUES: readonly KnownIssue[] = VMM_MODELS.flatMap(
  ({ knownIssues }) => knownIssues,
).filter(({ simulation }) => simulation);

/**
 * @param machineUnder the guest as this VMM builds it; without a choice as its config says
 */
export function chooseRuns(
  machineUnder: (choice: VmmChoice | undefined) => Machine,
  { as, compare, issue }: BootWish,
  request: SimulationRequest,
): BootRuns {
  const cells = issue?.simulation?.cells ?? [];
  const choiceOf = (version: string): VmmChoice => ({ vmm: issue!.vmm, version });
  const choice = as ?? (cells[0] && choiceOf(cells[0].version));
  const machine = machineUnder(choice);
  const asked: SimulationRequest = { ...request, machine: machine.name, knownIssue: issue?.id ?? null };
  const main: BootRun = { machine, request: asked };
  if (compare) return { main: { ...main, compared: machineUnder(compare) }, cells: [] };
  // Whoever picks the version, or sets parameters, wants that run and no other.
  if (as || Object.keys(request.parameters ?? {}).length > 0) return { main, cells: [] };
  const run = ({ version }: { version: string }, cell: number): BootRun => ({
    machine: machineUnder(choiceOf(version)),
    request: { ...asked, cell },
  });
  return { main, cells: cells.map(run) };
}

/** The guest that a known issue is shown with where the user names none. */
export function guestOf(issue: KnownIssue, { vmm, version }: VmmChoice): Machine {
  const guest = { ...issue.simulation!.guest, vmm: null, version: null, regions: [] };
  return underModel(guest, vmmModel(vmm)!, version);
}
