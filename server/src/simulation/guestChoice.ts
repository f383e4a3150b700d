/** What is booted: an image, a probe guest, or the probe of a known issue. */
import type { KnownIssue } from '../machine/knownIssue';
import type { VmmModel } from '../vmm/model';
import type { Probe } from './probes/probe';
import { PROBES, probeNamed } from './probes/probes';
import { probeRom } from './probes/rom';
import type { SimulationRequest } from './report';

export interface Guest {
  readonly firmware: Uint8Array | null;
  readonly kernel: Uint8Array | null;
  readonly probe: Probe | null;
  /** The known issue that is shown, where its model says how. */
  readonly issue: KnownIssue | null;
}

/** Throws a sentence for an unknown issue, probe or parameter: that is the caller's mistake. */
export function chooseGuest(model: VmmModel, request: SimulationRequest): Guest {
  const issue = chosenIssue(model, request.knownIssue ?? null);
  const name = issue?.simulation?.probe ?? request.probe;
  const probe = name === null ? defaultProbe(request) : probeOf(name);
  if (!probe) return { firmware: request.firmware, kernel: request.kernel, probe: null, issue };
  const parameters = { ...issue?.simulation?.parameters, ...request.parameters };
  checkParameters(probe, Object.keys(parameters));
  return { firmware: probeRom(probe, parameters), kernel: null, probe, issue };
}

function chosenIssue(model: VmmModel, id: string | null): KnownIssue | null {
  if (id === null) return null;
  const issue = model.knownIssues.find((candidate) => candidate.id === id);
  if (!issue) throw new Error(`${model.name} has no known issue "${id}".`);
  if (!issue.simulation) throw new Error(`The known issue ${id} cannot be shown on the emulator.`);
  return issue;
}

/** The first probe, where there is nothing else to boot. */
function defaultProbe(request: SimulationRequest): Probe | null {
  return request.firmware || request.kernel || request.captured ? null : (PROBES[0] ?? null);
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
