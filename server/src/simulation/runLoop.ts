/** Runs a powered machine to its end: alarms, idle time, budget, cancel. */
import type { Core, Exit, FaultRecord, Ticks } from '../../emulator/face';
import type { PoweredMachine } from './poweredMachine';
import type { Recorder } from './recorder';
import type { Verdict } from '../vmm/model';

/** How often the host is asked whether to go on, in ticks. */
const SLICE = 1_000_000;
/** A guest that gave up may go on this long to say why and to do what it does then. */
const AFTER_PANIC = 200_000_000;
const SECOND = 1_000_000_000;
/** A stretch of guest time counts as idle while fewer than one tick in this many is an instruction. */
const IDLE_SHARE = 100;

export type Ending =
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  | { readonly kind: 'triple-fault'; readonly vcpu: number; readonly faults: readonly FaultRecord[] }
  /** Nothing can wake it: every vCPU is halted with interrupts off, or nothing would interrupt. */
  | { readonly kind: 'halted'; readonly why: 'interrupts-off' | 'no-source' }
  /** It only waits: `seconds` of guest time without output. */
  | { readonly kind: 'idle'; readonly seconds: number }
  | { readonly kind: 'budget'; readonly why: 'instructions' | 'memory' | 'panic' }
  /** The text that the caller waits for has been written. */
  | { readonly kind: 'met' }
  | { readonly kind: 'cancelled' };

/** What the loop knows of the present power-on. Plain data, part of a saved run. */
export interface RunWatch {
  /** Tick from which on idle time is measured, and the instructions then. */
  idleSince: Ticks;
  idleInstructions: number;
  /** Instructions when the guest had given up. */
  panicAt: number | null;
}

export interface RunLimits {
  /** Instructions of this power-on. */
  readonly maxInstructions: number;
  readonly idleSeconds: number;
  cancelled(): boolean;
  /** Called about every million ticks. */
  progress(): void;
  /** Calls `save` when that many instructions of this power-on are done, then goes on. */
  readonly checkpoint?: { readonly at: number; save(): void };
}

export function run(powered: PoweredMachine, recorder: Recorder, limits: RunLimits): Ending {
  const { core, clock } = powered;
  const { watch } = powered;
  const idle = new IdleWatch(core, recorder, watch, limits.idleSeconds);
  const { checkpoint } = limits;
  let due = checkpoint !== undefined && checkpoint.at >= core.instructions;
  for (;;) {
    if (due && checkpoint && core.instructions >= checkpoint.at) {
      due = false;
      checkpoint.save();
    }
    clock.ringDue();
    if (powered.verdict) return { kind: 'verdict', verdict: powered.verdict };
    if (recorder.met) return { kind: 'met' };
    if (limits.cancelled()) return { kind: 'cancelled' };
    const left = limits.maxInstructions - core.instructions;
    if (left <= 0) return { kind: 'budget', why: 'instructions' };
    if (recorder.panic !== null) watch.panicAt ??= core.instructions;
    if (watch.panicAt !== null && core.instructions - watch.panicAt > AFTER_PANIC)
      return { kind: 'budget', why: 'panic' };
    const ahead = due && checkpoint ? Math.min(left, checkpoint.at - core.instructions) : left;
    const deadline = Math.min(clock.next() ?? Infinity, core.now + Math.min(SLICE, ahead));
    powered.deadline = deadline;
    const exit = core.run(deadline);
    powered.deadline = 0;
    const ending = powered.verdict
      ? ({ kind: 'verdict', verdict: powered.verdict } as const)
      : (endingOf(exit) ?? (exit.reason === 'idle' ? skip(powered) : null) ?? idle.check());
    if (ending) return ending;
    limits.progress();
  }
}

function endingOf(exit: Exit): Ending | null {
  if (exit.reason === 'shutdown') return { kind: 'triple-fault', vcpu: exit.vcpu, faults: exit.faults };
  return exit.reason === 'memory' ? { kind: 'budget', why: 'memory' } : null;
}

/** Moves an idle machine to whatever wakes it next; an ending where nothing does. */
function skip({ core, clock }: PoweredMachine): Ending | null {
  let interruptible = false;
  for (let vcpu = 0; vcpu < core.vcpus; vcpu++) {
    if (core.wakesByInterrupt(vcpu)) interruptible = true;
  }
  if (!interruptible) return { kind: 'halted', why: 'interrupts-off' };
  // The core waits for local APIC timers itself.
  const next = clock.next();
  if (next === null) return { kind: 'halted', why: 'no-source' };
  const until = Math.max(core.now, next);
  if (until > core.now) core.skipIdle(until);
  return null;
}

/** Tells a guest that waits for somebody from one that works. */
class IdleWatch {
  constructor(
    private readonly core: Core,
    private readonly recorder: Recorder,
    private readonly watch: RunWatch,
    private readonly seconds: number,
  ) {}

  check(): Ending | null {
    const { core, recorder, watch } = this;
    if (recorder.lastText > watch.idleSince) this.restart(recorder.lastText);
    const passed = core.now - watch.idleSince;
    if (passed < this.seconds * SECOND) return null;
    if ((core.instructions - watch.idleInstructions) * IDLE_SHARE < passed) {
      return { kind: 'idle', seconds: Math.floor(passed / SECOND) };
    }
    this.restart(core.now);
    return null;
  }

  private restart(since: Ticks): void {
    this.watch.idleSince = since;
    this.watch.idleInstructions = this.core.instructions;
  }
}
