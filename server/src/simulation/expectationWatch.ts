/** What a run has shown so far of what a boot plan expects of it, and whether it has shown all that can be seen on the way. */
import type { Core, TraceEvent } from '../../emulator/face';
import type { EventField, Expectation, ExitPattern } from '../boot-plan/plan';
import type { ExitKind } from '../machine/outcome';
import { modeOf, type CpuMode } from '../x86/state';
import { AwaitedText } from './awaitedText';
import type { Access, RunObserver } from './runObserver';

/** The exception that came first. */
export type FirstFault = Extract<TraceEvent, { readonly event: 'exception' }>;

type TextKind = 'console' | 'firmware-log';

/** Plain data that survives structured clone. */
export interface WatchState {
  readonly modes: readonly CpuMode[];
  readonly fault: FirstFault | null;
  readonly progress: readonly number[];
  readonly texts: readonly (ReturnType<AwaitedText['save']> | null)[];
}

/**
 * How far an expectation has come is one number: times an exit was seen, exits seen in their order, or 1 for what has been seen.
 * A text that is expected behind others is looked for from the end of theirs on.
 */
export class ExpectationWatch implements RunObserver {
  /** In the order in which vCPUs came into them. */
  readonly modes: CpuMode[] = [];
  fault: FirstFault | null = null;
  private readonly progress: number[];
  private readonly texts: readonly (AwaitedText | null)[];
  private core: Core | null = null;
  /** Nothing of the plan waits for the end of the run. */
  private readonly endsEarly: boolean;

  /** @param awaits the run is ended by a text of its own, and not before */
  constructor(
    private readonly expectations: readonly Expectation[],
    awaits: boolean,
  ) {
    this.progress = expectations.map(() => 0);
    this.texts = expectations.map((expectation) =>
      expectation.kind === 'console' || expectation.kind === 'firmware-log'
        ? new AwaitedText(expectation.contains)
        : null,
    );
    this.endsEarly = !awaits && !expectations.some(waitsForEnd) && expectations.some((one) => isSeen(one));
  }

  /** All that can be seen while the guest runs has been seen, and nothing else is expected of its end. */
  get met(): boolean {
    return this.endsEarly && this.expectations.every((one, index) => !isSeen(one) || this.holds(index));
  }

  /** How often, or how many in their order; 1 for what was seen. */
  progressOf(expectation: Expectation): number {
    return this.progress[this.expectations.indexOf(expectation)] ?? 0;
  }

  poweredOn(core: Core): void {
    this.core = core;
    for (let vcpu = 0; vcpu < core.vcpus; vcpu++) {
      if (core.activity(vcpu) !== 'wait-for-sipi') this.enter(modeOf(core.state(vcpu)));
    }
  }

  access({ kind, address, value }: Access): void {
    this.exit(kind, address, value);
  }

  /** A triple fault: what KVM calls the exit “shutdown”. */
  shutdown(): void {
    this.exit('shutdown', null, null);
  }

  trace(event: TraceEvent): void {
    if (event.event === 'mode') this.enter(event.to);
    else if (event.event === 'sipi') this.enter('real');
    else if (event.event === 'exception') this.fault ??= event;
    else if (event.event === 'halt') this.exit('hlt', null, null);
    else if (event.event === 'msr-write') this.exit('wrmsr', BigInt(event.index >>> 0), event.value);
    this.expectations.forEach((expectation, index) => {
      if (expectation.kind === 'event' && this.progress[index] === 0 && matchesEvent(expectation, event))
        this.advance(index);
    });
  }

  console(text: string): void {
    this.read('console', text);
  }

  firmwareLog(text: string): void {
    this.read('firmware-log', text);
  }

  save(): WatchState {
    return {
      modes: [...this.modes],
      fault: this.fault,
      progress: [...this.progress],
      texts: this.texts.map((text) => text?.save() ?? null),
    };
  }

  restore({ modes, fault, progress, texts }: WatchState): void {
    this.modes.splice(0, this.modes.length, ...modes);
    this.fault = fault;
    this.progress.splice(0, this.progress.length, ...progress);
    texts.forEach((state, index) => {
      if (state) this.texts[index]?.restore(state);
    });
  }

  private enter(mode: CpuMode): void {
    if (this.modes.includes(mode)) return;
    this.modes.push(mode);
    this.stopWhereMet();
  }

  private exit(kind: ExitKind, address: bigint | null, value: bigint | null): void {
    for (const [index, expectation] of this.expectations.entries()) {
      if (expectation.kind === 'exit-count') {
        if (matchesExit(expectation.exit, kind, address, value)) this.advance(index);
      } else if (expectation.kind === 'exits-in-order') {
        const next = expectation.exits[this.progress[index]!];
        if (next && matchesExit(next.value, kind, address, value)) this.advance(index);
      }
    }
  }

  /** Each character goes to all texts that must not come, and to the first that has not come yet. */
  private read(kind: TextKind, text: string): void {
    for (const character of text) {
      let taken = false;
      for (const [index, expectation] of this.expectations.entries()) {
        if (expectation.kind !== kind || this.progress[index] !== 0) continue;
        if (!expectation.absent && taken) continue;
        if (!expectation.absent) taken = true;
        if (this.texts[index]!.read(character)) this.advance(index);
      }
    }
  }

  private advance(index: number): void {
    this.progress[index]!++;
    this.stopWhereMet();
  }

  private stopWhereMet(): void {
    if (this.met) this.core?.requestStop();
  }

  private holds(index: number): boolean {
    const expectation = this.expectations[index]!;
    const progress = this.progress[index]!;
    switch (expectation.kind) {
      case 'mode-reached':
        return this.modes.includes(expectation.mode);
      case 'exits-in-order':
        return progress === expectation.exits.length;
      case 'exit-count':
        return progress >= expectation.count.least;
      default:
        return progress > 0;
    }
  }
}

/** What is true at some moment and stays so: the run may end when it has come. The others hold until something breaks them. */
function isSeen(expectation: Expectation): boolean {
  switch (expectation.kind) {
    case 'mode-reached':
    case 'exits-in-order':
    case 'event':
      return true;
    case 'console':
    case 'firmware-log':
      return !expectation.absent;
    case 'exit-count':
      return expectation.count.least > 0;
    default:
      return false;
  }
}

/** What only the end of the run shows. */
function waitsForEnd(expectation: Expectation): boolean {
  switch (expectation.kind) {
    case 'outcome':
      return !expectation.outcomes.includes('expectation-met');
    case 'mode-at-end':
    case 'register':
    case 'fault-chain':
    case 'exit-status':
      return true;
    // So many and no more: of the whole run.
    case 'exit-count':
      return expectation.count.least > 0 && expectation.count.most < Infinity;
    case 'event':
      return BOARD_EVENTS.has(expectation.event);
    default:
      return false;
  }
}

/** Lines of the timeline that do not come from the CPU. */
const BOARD_EVENTS: ReadonlySet<string> = new Set(['console', 'verdict', 'repeated', 'omitted']);

function matchesExit(
  pattern: ExitPattern,
  kind: ExitKind,
  address: bigint | null,
  value: bigint | null,
): boolean {
  return (
    pattern.kind === kind &&
    (pattern.address === null || pattern.address === address) &&
    (pattern.value === null || pattern.value === value)
  );
}

/** Whether an event has the name and the fields; numbers are compared without a sign. */
export function matchesEvent(
  { event, fields }: { readonly event: string; readonly fields: ReadonlyMap<string, EventField> },
  candidate: { readonly event: string },
): boolean {
  if (candidate.event !== event) return false;
  for (const [name, value] of fields) {
    const found = (candidate as Record<string, unknown>)[name];
    // The core gives the index of an MSR with a sign.
    const number = typeof found === 'number' ? BigInt(found < 0 ? found >>> 0 : found) : found;
    if (number !== value) return false;
  }
  return true;
}
