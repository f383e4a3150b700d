/** What is booted: an image, a probe guest, or a cell of a known issue's simulation. */
import type { KnownIssue, SimulationCell } from '../machine/knownIssue';
import type { Machine } from '../machine/machine';
import type { VmmModel } from '../vmm/model';
import { probeKernel, romAsProbeKernel } from './probes/kernel';
import type { Probe } from './probes/probe';
import { PROBES, probeNamed } from './probes/probes';
import { probeRom } from './probes/rom';
import type { SimulationRequest } from './report';

/** A known issue and the one of its runs that is made. */
export interface IssueCell {
  readonly issue: KnownIssue;
  readonly cell: SimulationCell;
}

export interface Guest {
  readonly firmware: Uint8Array | null;
  readonly kernel: Uint8Array | null;
  readonly probe: Probe | null;
  /** The known issue that is shown, where its model says how. */
  readonly shown: IssueCell | null;
}

/** Throws a sentence for an unknown issue, cell, probe or parameter: that is the caller's mistake. */
export function chooseGuest(model: VmmModel, machine: Machine, request: SimulationRequest): Guest {
  const shown = chosenIssue(model, request);
  const name = shown?.cell.probe ?? request.probe;
  const probe = name === null ? defaultProbe(request) : probeOf(name);
  if (!probe) return { firmware: request.firmware, kernel: request.kernel, probe: null, shown };
  const parameters = { ...shown?.cell.parameters, ...request.parameters };
  checkParameters(probe, Object.keys(parameters));
  if (probe.load === 'rom' && model.startsKernels?.(machine)) {
    if (probe.needsFirmware)
      throw new Error(
        `The probe ${probe.name} goes through a firmware, and guests of ${model.title} have none.`,
      );
    return { firmware: null, kernel: romAsProbeKernel(probe, parameters), probe, shown };
  }
  return probe.load === 'rom'
    ? {
        firmware: probeRom(probe, parameters, shown?.issue.simulation?.firmwareSize),
        kernel: null,
        probe,
        shown,
      }
    : { firmware: request.firmware, kernel: probeKernel(probe, parameters), probe, shown };
}

function chosenIssue(model: VmmModel, request: SimulationRequest): IssueCell | null {
  const id = request.knownIssue ?? null;
  if (id === null) return null;
  const issue = model.knownIssues.find((candidate) => candidate.id === id);
  if (!issue) throw new Error(`${model.name} has no known issue "${id}".`);
  if (!issue.simulation) throw new Error(`The known issue ${id} cannot be shown on the emulator.`);
  const cell = issue.simulation.cells[request.cell ?? 0];
  if (!cell) throw new Error(`The known issue ${id} has no run ${request.cell ?? 0}.`);
  return { issue, cell };
}

/** The first probe, where there is nothing else to boot. */
function defaultProbe(request: SimulationRequest): Probe | null {
  return request.firmware || request.kernel || request.captured || request.plan ? null : (PROBES[0] ?? null);
}

function probeOf(name: string): Probe {
  const probe = probeNamed(name);
  if (!probe) throw new Error(`There is no probe guest named "${name}".`);
  return probe;
}

function checkParameters(probe: Probe, names: readonly string[]): void {
  for (const name of names) {
    if (probe.parameters.some((parameter) => parameter.name === name)) continue;
    const known = probe.parameters.map((parameter) => parameter.name).join(', ') || 'none';
    throw new Error(`The probe ${probe.name} has no parameter "${name}" (it has ${known}).`);
  }
}
