/**
 * Two boots of the same guest, and the first access or event at which they part. Runs repeat exactly, so the first run leaves
 * only a hash of each step; the step at which the second one differs is then looked up in a third run.
 */
import type { Core, TraceEvent } from '../../emulator/face';
import type { Machine } from '../machine/machine';
import type { VmmModel } from '../vmm/model';
import { modeOf, type CpuMode, type VcpuState } from '../x86/state';
import type { Outcome } from '../machine/outcome';
import type { BootReport, SimulationRequest } from './report';
import type { Access, RunObserver } from './runObserver';
import { simulate, type SimulationHost } from './simulate';
import { StepHashes } from './stepHashes';

/** What `simulate` is asked for. */
export interface Boot {
  readonly machine: Machine;
  readonly model: VmmModel;
  readonly version: string;
  readonly request: SimulationRequest;
}

/** A run at the step where it parts from the other one. */
export type Parting =
  | {
      readonly step: Access | TraceEvent;
      readonly registers: VcpuState;
      readonly mode: CpuMode;
    }
  /** It had no more steps. */
  | { readonly step: null; readonly outcome: Outcome; readonly reason: string };

export interface Divergence {
  /** Ticks of the earlier of the two steps. */
  readonly instructions: number;
  readonly left: Parting;
  readonly right: Parting;
}

/** A register of vCPU 0 that the two VMMs set otherwise before the first instruction: `cr0`, `cs.base`. */
export interface StartDifference {
  readonly register: string;
  readonly left: bigint;
  readonly right: bigint;
}

export interface Comparison {
  /** Of the first boot. */
  readonly report: BootReport;
  /** Null where both took the same steps to the same outcome. */
  readonly divergence: Divergence | null;
  readonly start: readonly StartDifference[];
}

type Step = Access | TraceEvent;

/** Boots one after the other. Throws what `simulate` throws. */
export function compareBoots(left: Boot, right: Boot, host: SimulationHost): Comparison {
  const recording = new Recording();
  const report = observed(left, host, recording);
  const matching = new Matching(recording.hashes);
  const other = observed(
    right,
    { ...host, cancelled: () => matching.found !== null || host.cancelled() },
    matching,
  );
  const start = startDifferences(recording.start, matching.start);
  const parted = matching.found !== null || matching.count < recording.hashes.length;
  if (!parted && report.outcome === other.outcome) return { report, divergence: null, start };
  const at = matching.found?.index ?? matching.count;
  const theirs = matching.found?.parting ?? ended(other);
  const ours = at < recording.hashes.length ? lookedUp(left, host, at) : ended(report);
  const times = [ours, theirs].map((parting) => parting.step?.at ?? Infinity);
  const instructions = Math.min(...times, report.instructions);
  return { report, divergence: { instructions, left: ours, right: theirs }, start };
}

function observed(
  { machine, model, version, request }: Boot,
  host: SimulationHost,
  observer: RunObserver,
): BootReport {
  return simulate(machine, model, version, request, { ...host, observer });
}

/** The step of that index in a boot that was made before. */
function lookedUp(boot: Boot, host: SimulationHost, index: number): Parting {
  const search = new Search(index);
  const report = observed(
    boot,
    { ...host, cancelled: () => search.found !== null || host.cancelled() },
    search,
  );
  return search.found ?? ended(report);
}

function ended({ outcome, reason }: BootReport): Parting {
  return { step: null, outcome, reason };
}

/** What happens within the guest alone: no exit, and what differs there has come from an access or from the start. */
const WITHIN: ReadonlySet<TraceEvent['event']> = new Set(['mode', 'cr-write', 'table-load']);

/** Counts the steps of a run and knows its core. */
abstract class Steps implements RunObserver {
  count = 0;
  /** Of vCPU 0 before the first instruction of the first power-on. */
  start: VcpuState | null = null;
  private core: Core | null = null;

  poweredOn(core: Core): void {
    this.core = core;
    this.start ??= core.state(0);
  }

  access(access: Access): void {
    this.step(access);
  }

  trace(event: TraceEvent): void {
    if (!WITHIN.has(event.event)) this.step(event);
  }

  /** `step` with the state of its vCPU as it is now: within an access, before the instruction has ended. */
  protected parting(step: Step): Parting {
    const core = this.core!;
    core.requestStop();
    const registers = core.state(step.vcpu);
    return { step, registers, mode: modeOf(registers) };
  }

  protected abstract step(step: Step): void;
}

class Recording extends Steps {
  readonly hashes = new StepHashes();

  protected step(step: Step): void {
    this.hashes.push(step);
    this.count++;
  }
}

/** Follows a recording up to the first other step. */
class Matching extends Steps {
  found: { readonly index: number; readonly parting: Parting } | null = null;

  constructor(private readonly expected: StepHashes) {
    super();
  }

  protected step(step: Step): void {
    if (this.found) return;
    if (!this.expected.matches(this.count, step)) {
      this.found = { index: this.count, parting: this.parting(step) };
      return;
    }
    this.count++;
  }
}

class Search extends Steps {
  found: Parting | null = null;

  constructor(private readonly index: number) {
    super();
  }

  protected step(step: Step): void {
    if (this.count++ === this.index) this.found = this.parting(step);
  }
}

/** Registers by name, segments and tables field by field. */
function startDifferences(left: VcpuState | null, right: VcpuState | null): StartDifference[] {
  if (!left || !right) return [];
  const [a, b] = [new Map(numbersOf('', left)), new Map(numbersOf('', right))];
  return [...a]
    .filter(([register, value]) => b.get(register) !== value)
    .map(([register, value]) => ({ register, left: value, right: b.get(register) ?? 0n }));
}

/** The two groups of a state whose names are not those of registers. */
const GROUPS: ReadonlySet<string> = new Set(['general', 'segments']);

function* numbersOf(prefix: string, value: object): Generator<[string, bigint]> {
  for (const [name, field] of Object.entries(value) as [string, unknown][]) {
    if (typeof field === 'bigint' || typeof field === 'number') yield [prefix + name, BigInt(field)];
    else if (field !== null && typeof field === 'object')
      yield* numbersOf(GROUPS.has(name) ? prefix : `${prefix}${name}.`, field);
  }
}
