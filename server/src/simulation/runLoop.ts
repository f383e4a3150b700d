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
const RFLAGS_IF = 0x200n;

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

export interface RunLimits {
  /** Instructions of this power-on. */
  readonly maxInstructions: number;
  readonly idleSeconds: number;
  cancelled(): boolean;
  /** Called about every million ticks. */
  progress(): void;
}

export function run(powered: PoweredMachine, recorder: Recorder, limits: RunLimits): Ending {
  const { core, clock } = powered;
  const idle = new IdleWatch(core, recorder, limits.idleSeconds);
  let panicAt: number | null = null;
  for (;;) {
    clock.ringDue();
    if (powered.verdict) return { kind: 'verdict', verdict: powered.verdict };
    if (recorder.met) return { kind: 'met' };
    if (limits.cancelled()) return { kind: 'cancelled' };
    const left = limits.maxInstructions - core.instructions;
    if (left <= 0) return { kind: 'budget', why: 'instructions' };
    if (recorder.panic !== null) panicAt ??= core.instructions;
    if (panicAt !== null && core.instructions - panicAt > AFTER_PANIC)
      return { kind: 'budget', why: 'panic' };
    const deadline = Math.min(clock.next() ?? Infinity, core.now + Math.min(SLICE, left));
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
    if (core.activity(vcpu) === 'halted' && (core.state(vcpu).rflags & RFLAGS_IF) !== 0n)
      interruptible = true;
  }
  if (!interruptible) return { kind: 'halted', why: 'interrupts-off' };
  const times = [clock.next(), core.nextTimer?.() ?? null].filter((time) => time !== null);
  if (times.length === 0) return { kind: 'halted', why: 'no-source' };
  const until = Math.max(core.now, Math.min(...times));
  if (until > core.now) core.skipIdle(until);
  return null;
}

/** Tells a guest that waits for somebody from one that works. */
class IdleWatch {
  private since: Ticks = 0;
  private instructions = 0;

  constructor(
    private readonly core: Core,
    private readonly recorder: Recorder,
    private readonly seconds: number,
  ) {}

  check(): Ending | null {
    const { core, recorder } = this;
    if (recorder.lastText > this.since) this.restart(recorder.lastText);
    const passed = core.now - this.since;
    if (passed < this.seconds * SECOND) return null;
    if ((core.instructions - this.instructions) * IDLE_SHARE < passed) {
      return { kind: 'idle', seconds: Math.floor(passed / SECOND) };
    }
    this.restart(core.now);
    return null;
  }

  private restart(since: Ticks): void {
    this.since = since;
    this.instructions = this.core.instructions;
  }
}
