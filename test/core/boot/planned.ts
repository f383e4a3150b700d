/** Boot plans as they are after reading, made in code, and their runs on the core. */
import { createCore } from '../../../server/emulator/core';
import type { BootPlan, Expectation, PlannedLoad, PlannedVcpu } from '../../../server/src/boot-plan/plan';
import type { Machine } from '../../../server/src/machine/machine';
import { fromText } from '../../../server/src/machine/origin';
import {
  planContents,
  type PlanContents,
  type PlanProblem,
} from '../../../server/src/simulation/planContents';
import type { BootReport, SimulationRequest } from '../../../server/src/simulation/report';
import { simulate } from '../../../server/src/simulation/simulate';
import type { SourceRange } from '../../../server/src/text/position';
import { vmmModel } from '../../../server/src/vmm/models';
import type { SegmentState } from '../../../server/src/x86/state';
import { bytesOf } from '../lab';

/** A place in line `line`, from 1. */
export const at = (line: number): SourceRange => ({
  uri: 'file:///plan.boot.toml',
  range: { start: { line: line - 1, character: 0 }, end: { line: line - 1, character: 1 } },
});

const flat = (selector: number, attributes: number): SegmentState => ({
  selector,
  base: 0n,
  limit: 0xffffffff,
  attributes,
});

/** 32-bit protected mode with flat segments, at 1 MiB. */
export const PROTECTED: PlannedVcpu = {
  index: 0,
  general: { rdx: 0x3f8n },
  control: { rip: 0x100000n, cr0: 0x11n, rflags: 2n },
  segments: {
    cs: flat(8, 0xc09b),
    ...Object.fromEntries(['ss', 'ds', 'es', 'fs', 'gs'].map((name) => [name, flat(16, 0xc093)])),
  },
  debug: {},
  msrs: new Map(),
  activity: 'running',
  at: at(1),
  places: new Map(),
};

export const code = (hex: string, address = 0x100000n): PlannedLoad => ({
  kind: 'flat',
  content: { kind: 'bytes', bytes: Uint8Array.from(bytesOf(hex)) },
  address: { value: address, at: at(1) },
  at: at(1),
});

export function plan(change: Partial<BootPlan> = {}): BootPlan {
  return {
    name: 'plan',
    vmm: { vmm: 'pc', version: vmmModel('pc')!.versions.at(-1)!.id },
    start: 'plan',
    vcpus: 1,
    memory: null,
    cpu: null,
    boot: null,
    regions: [
      { range: { start: 0n, end: 0x200000n }, kind: 'ram', name: 'RAM', permissions: null, at: at(1) },
    ],
    loads: [],
    structures: [],
    paging: null,
    linux: null,
    captured: null,
    registers: [PROTECTED],
    run: { maxInstructions: null, reboots: null, idleSeconds: null, taps: [], until: null },
    expectations: [],
    ...change,
  };
}

export function machineOf({ name, vmm, vcpus, regions }: BootPlan): Machine {
  const origin = fromText(at(1));
  return {
    name,
    ...vmm,
    memory: null,
    vcpus: { value: vcpus, origin },
    images: [],
    at: null,
    nameAt: null,
    regions: regions.map((region) => ({ ...region, kind: region.kind, reason: '', origin })),
  };
}

export function contentsOf(
  planned: BootPlan,
  files: ReadonlyMap<string, Uint8Array> = new Map(),
): PlanContents | readonly PlanProblem[] {
  return planContents(planned, machineOf(planned).regions, files);
}

/** Runs a plan with the bytes of its files. */
export function run(
  planned: BootPlan,
  expectations: readonly Expectation[] = [],
  rest: Partial<SimulationRequest> = {},
  files: ReadonlyMap<string, Uint8Array> = new Map(),
): BootReport {
  const contents = contentsOf(planned, files);
  if (!('pieces' in contents)) throw new Error(contents.map(({ message }) => message).join('; '));
  const request: SimulationRequest = {
    machine: null,
    firmware: null,
    kernel: null,
    probe: null,
    taps: [],
    maxInstructions: 1_000_000,
    reboots: 0,
    plan: contents,
    ...(expectations.length > 0 ? { expectations } : {}),
    ...rest,
  };
  return simulate(machineOf(planned), vmmModel(planned.vmm.vmm)!, planned.vmm.version, request, {
    createCore,
    cancelled: () => false,
    progress: () => undefined,
  });
}
