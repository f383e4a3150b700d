/** Every probe guest on every version of every VMM model: what came of it, in a word or two. */
import { createCore } from '../../server/emulator/core';
import { GIB } from '../../server/src/address/range';
import type { GuestDescription } from '../../server/src/machine/machine';
import type { Probe } from '../../server/src/simulation/probes/probe';
import { readProbeReport } from '../../server/src/simulation/probes/probeReport';
import { PROBES } from '../../server/src/simulation/probes/probes';
import type { BootReport } from '../../server/src/simulation/report';
import { simulate } from '../../server/src/simulation/simulate';
import type { VmmModel, VmmVersion } from '../../server/src/vmm/model';
import { underModel } from '../../server/src/vmm/relayout';

/** A probe needs a few million instructions at most. */
const BUDGET = 20_000_000;
export const VCPUS = 2;
/** Most generations of all VMMs give that much; a probe that wants memory above 4 GiB gets more. */
export const MEMORY = GIB;
export const LARGE_MEMORY = 6n * GIB;
const WANTS_HIGH_MEMORY: ReadonlySet<string> = new Set(['reset-high-memory']);

export interface Cell {
  readonly probe: string;
  /** The outcome of the run, and the probe's last status where it said one: `reset`, `halted: complete`. */
  readonly text: string;
  /** Null where the VMM has no such way to boot. */
  readonly report: BootReport | null;
}

/** The same guest for all: it says nothing that only one VMM knows. */
export function guest(memory: bigint): GuestDescription {
  const origin = { kind: 'vmm', vmm: 'matrix', version: '', citation: 'the guest of the matrix' } as const;
  return {
    name: 'guest',
    memory: { value: memory, origin },
    vcpus: { value: VCPUS, origin },
    images: [],
    at: null,
    nameAt: null,
  };
}

export function runProbe(model: VmmModel, { id }: VmmVersion, probe: Probe): Cell {
  if (probe.needsFirmware && model.startsKernels)
    return { probe: probe.name, text: 'no firmware', report: null };
  const memory = WANTS_HIGH_MEMORY.has(probe.name) ? LARGE_MEMORY : MEMORY;
  const machine = underModel({ ...guest(memory), vmm: null, version: null, regions: [] }, model, id);
  const request = { machine: null, firmware: null, kernel: null, probe: probe.name, taps: [] };
  const report = simulate(
    machine,
    model,
    id,
    { ...request, maxInstructions: BUDGET, reboots: 0 },
    { createCore, cancelled: () => false, progress: () => undefined },
  );
  const status = readProbeReport(probe, report.console || report.firmwareLog).status?.code ?? null;
  return { probe: probe.name, text: textOf(report, status), report };
}

function textOf({ outcome, exitStatus, vcpus }: BootReport, status: string | null): string {
  if (vcpus.length === 0) return 'not started';
  const exit = exitStatus === null ? outcome : `${outcome} ${exitStatus}`;
  return status === null ? exit : `${exit}: ${status}`;
}

/** All probes of one version. */
export function runVersion(model: VmmModel, version: VmmVersion): Cell[] {
  return PROBES.map((probe) => runProbe(model, version, probe));
}
