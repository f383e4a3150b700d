/**
 * The high precision event timers of a PC (IA-PC HPET Specification 1.0a): a main counter of 64 bits at 100 MHz and three
 * comparators that can be periodic, without message (FSB) interrupts. Matches are worked out from guest time, not stepped.
 */
import type { Clock, Device, DeviceState, InterruptLine, Nanoseconds } from './device';

export interface HpetOptions {
  readonly base: bigint;
  /** IRQ 0 and IRQ 8: what the 8254 and the MC146818 drive while there is no legacy replacement. */
  readonly legacy: readonly [InterruptLine, InterruptLine];
  /** I/O APIC inputs that a timer can be routed to, bit n for input n. */
  readonly routes: number;
  route(input: number, level: boolean): void;
}

/** 2.3.4: 10 ns in femtoseconds, vendor 8086, legacy replacement capable, 64-bit counter, three timers, revision 1. */
const TICK: Nanoseconds = 10;
const HPET_TIMERS = 3;
export const HPET_CAPABILITIES =
  0x8086a001n | (BigInt(HPET_TIMERS - 1) << 8n) | (BigInt(TICK * 1_000_000) << 32n);
export const HPET_SIZE = 0x400n;

const CAPABILITIES = 0x00;
const CONFIGURATION = 0x10;
const STATUS = 0x20;
const COUNTER = 0xf0;
const TIMERS = 0x100;
const TIMER_STRIDE = 0x20;
const COMPARATOR = 0x08;
/** Bits of the general configuration. */
const ENABLE = 1;
const LEGACY_REPLACEMENT = 2;
/** Bits of a timer's configuration (2.3.8). */
const LEVEL = 0x02;
const INTERRUPT = 0x04;
const PERIODIC = 0x08;
const CAN_BE_PERIODIC = 0x10;
const IS_64_BITS = 0x20;
const SET_VALUE = 0x40;
const MODE_32 = 0x100;
const ROUTE_SHIFT = 9;
const ROUTE = 0x1f << ROUTE_SHIFT;
const WRITABLE = LEVEL | INTERRUPT | PERIODIC | SET_VALUE | MODE_32;

const WORD = 1n << 32n;
const ALL_ONES = (1n << 64n) - 1n;

interface Timer {
  configuration: number;
  comparator: bigint;
  /** What is added to the comparator at each match of a periodic timer. */
  period: bigint;
  /** The counter value up to which matches have been looked for. */
  seen: bigint;
}

interface State {
  configuration: number;
  /** Bit n: timer n matched in level mode. */
  status: number;
  /** The counter at `since`; what it stands at while `since` is null. */
  counter: bigint;
  since: Nanoseconds | null;
  timers: Timer[];
  /** Levels of the 8254's and the MC146818's outputs. */
  legacyLevels: [boolean, boolean];
}

export class Hpet implements Device {
  readonly name = 'HPET';
  readonly mmio: readonly { start: bigint; end: bigint }[];
  private state: State = powerOn();

  constructor(
    private readonly clock: Clock,
    private readonly options: HpetOptions,
  ) {
    this.mmio = [{ start: options.base, end: options.base + HPET_SIZE }];
  }

  /** The output of the 8254 (0) or the MC146818 (1) on its way to IRQ 0 or IRQ 8: cut off by legacy replacement. */
  legacyInput(index: 0 | 1): InterruptLine {
    return (level) => {
      this.state.legacyLevels[index] = level;
      if (!this.replacing) this.options.legacy[index](level);
    };
  }

  readMmio(address: bigint, size: 1 | 2 | 4 | 8): bigint {
    const offset = Number(address - this.options.base);
    const register = offset & ~7;
    // No match changes the counter, which is what kernels read again and again.
    if (register !== COUNTER) this.findMatches();
    return BigInt.asUintN(8 * size, this.readRegister(register) >> BigInt(8 * (offset & 7)));
  }

  writeMmio(address: bigint, size: 1 | 2 | 4 | 8, value: bigint): void {
    const offset = Number(address - this.options.base);
    // 2.3.1: registers are accessed as aligned double or quad words.
    if (size < 4 || (offset & (size - 1)) !== 0) return;
    this.findMatches();
    const register = offset & ~7;
    const shift = BigInt(8 * (offset & 7));
    const mask = size === 8 ? ALL_ONES : (WORD - 1n) << shift;
    this.writeRegister(register, (value << shift) & mask, mask);
    this.findMatches();
    this.schedule();
  }

  reset(): void {
    this.clock.clearAlarm(this.name);
    this.state = { ...powerOn(), legacyLevels: this.state.legacyLevels };
    this.options.legacy.forEach((line, index) => line(this.state.legacyLevels[index]!));
  }

  save(): DeviceState {
    return structuredClone({ ...this.state });
  }

  restore(state: DeviceState): void {
    this.state = structuredClone(state) as unknown as State;
    this.schedule();
  }

  private get replacing(): boolean {
    return (this.state.configuration & LEGACY_REPLACEMENT) !== 0;
  }

  private counter(): bigint {
    const { counter, since } = this.state;
    if (since === null) return counter;
    return BigInt.asUintN(64, counter + BigInt(Math.floor((this.clock.now() - since) / TICK)));
  }

  private readRegister(register: number): bigint {
    const { state } = this;
    if (register === CAPABILITIES) return HPET_CAPABILITIES;
    if (register === CONFIGURATION) return BigInt(state.configuration);
    if (register === STATUS) return BigInt(state.status);
    if (register === COUNTER) return this.counter();
    const timer = state.timers[(register - TIMERS) / TIMER_STRIDE];
    if (timer)
      return (
        BigInt(timer.configuration | CAN_BE_PERIODIC | IS_64_BITS) | (BigInt(this.options.routes) << 32n)
      );
    return state.timers[(register - TIMERS - COMPARATOR) / TIMER_STRIDE]?.comparator ?? 0n;
  }

  /** Writes the bits of `mask`. */
  private writeRegister(register: number, value: bigint, mask: bigint): void {
    const { state } = this;
    const merge = (old: bigint) => (old & ~mask) | value;
    if (register === CONFIGURATION) {
      this.configure(Number(merge(BigInt(state.configuration)) & 3n));
    } else if (register === STATUS) {
      state.status &= ~Number(value & 7n);
      state.timers.forEach((_, index) => this.driveLevel(index));
    } else if (register === COUNTER) {
      state.counter = merge(this.counter());
      if (state.since !== null) state.since = this.clock.now();
      for (const timer of state.timers) timer.seen = state.counter - 1n;
    } else {
      const index = Math.floor((register - TIMERS) / TIMER_STRIDE);
      const timer = state.timers[index];
      if (!timer) return;
      const within = register - TIMERS - index * TIMER_STRIDE;
      if (within === 0 && (mask & 1n) !== 0n) this.configureTimer(index, timer, Number(value & 0xffffn));
      else if (within === COMPARATOR) this.writeComparator(timer, merge);
    }
  }

  /** 2.3.5: halting keeps the counter; legacy replacement takes IRQ 0 and IRQ 8 away from the 8254 and the MC146818. */
  private configure(configuration: number): void {
    const { state, options } = this;
    const changed = configuration ^ state.configuration;
    if ((changed & ENABLE) !== 0) {
      state.counter = this.counter();
      state.since = (configuration & ENABLE) !== 0 ? this.clock.now() : null;
    }
    const replacing = (configuration & LEGACY_REPLACEMENT) !== 0;
    if (changed !== 0) state.timers.forEach((_, index) => this.line(index)?.(false));
    state.configuration = configuration;
    if ((changed & LEGACY_REPLACEMENT) !== 0)
      options.legacy.forEach((line, index) => line(!replacing && state.legacyLevels[index]!));
    if (changed !== 0) state.timers.forEach((_, index) => this.driveLevel(index));
  }

  private configureTimer(index: number, timer: Timer, value: number): void {
    this.line(index)?.(false);
    const route = (value & ROUTE) >> ROUTE_SHIFT;
    // A route that is not offered does not read back.
    const kept = ((this.options.routes >> route) & 1) !== 0 ? value & ROUTE : timer.configuration & ROUTE;
    timer.configuration = (value & WRITABLE) | kept;
    if ((value & MODE_32) !== 0) {
      timer.comparator &= WORD - 1n;
      timer.period &= WORD - 1n;
    }
    if ((value & LEVEL) === 0) this.state.status &= ~(1 << index);
    this.driveLevel(index);
  }

  /** 2.3.9.2.2: a periodic timer takes a write for its period, and for its next match too after "set value". */
  private writeComparator(timer: Timer, merge: (old: bigint) => bigint): void {
    const periodic = (timer.configuration & PERIODIC) !== 0;
    const limit = (timer.configuration & MODE_32) !== 0 ? WORD - 1n : ALL_ONES;
    if (!periodic || (timer.configuration & SET_VALUE) !== 0) {
      timer.comparator = merge(timer.comparator) & limit;
      // A comparator that equals the counter matches.
      timer.seen = this.counter() - 1n;
    }
    if (periodic) timer.period = merge(timer.period) & limit;
    timer.configuration &= ~SET_VALUE;
  }

  /** Ticks from `from` on, itself excluded, to the next match. */
  private distance({ configuration, comparator }: Timer, from: bigint): bigint {
    const bits = (configuration & MODE_32) !== 0 ? 32 : 64;
    const distance = BigInt.asUintN(bits, comparator - from);
    return distance === 0n ? 1n << BigInt(bits) : distance;
  }

  /** Acts on the matches since the last look; several of one timer are one. */
  private findMatches(): void {
    if (this.state.since === null) return;
    const counter = this.counter();
    this.state.timers.forEach((timer, index) => {
      const from = timer.seen;
      timer.seen = counter;
      if ((timer.configuration & (INTERRUPT | LEVEL | PERIODIC)) === 0) return;
      const passed = BigInt.asUintN(64, counter - from);
      const distance = this.distance(timer, from);
      if (passed < distance) return;
      if ((timer.configuration & PERIODIC) !== 0 && timer.period > 0n) {
        const periods = (passed - distance) / timer.period + 1n;
        const limit = (timer.configuration & MODE_32) !== 0 ? WORD - 1n : ALL_ONES;
        timer.comparator = (timer.comparator + periods * timer.period) & limit;
      }
      this.match(index, timer);
    });
  }

  private match(index: number, { configuration }: Timer): void {
    if ((configuration & LEVEL) !== 0) {
      this.state.status |= 1 << index;
      this.driveLevel(index);
    } else if ((configuration & INTERRUPT) !== 0) {
      const line = this.line(index);
      line?.(true);
      line?.(false);
    }
  }

  private driveLevel(index: number): void {
    const { configuration } = this.state.timers[index]!;
    if ((configuration & LEVEL) === 0) return;
    const up = (this.state.status & (1 << index)) !== 0 && (configuration & INTERRUPT) !== 0;
    this.line(index)?.(up && (this.state.configuration & ENABLE) !== 0);
  }

  /** Where a timer's interrupt goes; null where it was routed nowhere. */
  private line(index: number): InterruptLine | null {
    const { legacy, routes } = this.options;
    if (this.replacing && index < legacy.length) return legacy[index]!;
    const input = (this.state.timers[index]!.configuration & ROUTE) >> ROUTE_SHIFT;
    return ((routes >> input) & 1) !== 0 ? (level) => this.options.route(input, level) : null;
  }

  /** The alarm for the first match that interrupts; the others are found when somebody looks. */
  private schedule(): void {
    const { timers, since } = this.state;
    this.clock.clearAlarm(this.name);
    if (since === null) return;
    const interrupting = timers.filter(({ configuration }) => (configuration & INTERRUPT) !== 0);
    if (interrupting.length === 0) return;
    const counter = this.counter();
    const distances = interrupting.map((timer) => Number(this.distance(timer, counter)));
    const ticks = Math.floor((this.clock.now() - since) / TICK) + Math.min(...distances);
    const at = since + ticks * TICK;
    if (Number.isSafeInteger(at)) this.clock.setAlarm(this.name, at, () => this.ring());
  }

  private ring(): void {
    this.findMatches();
    this.schedule();
  }
}

function powerOn(): State {
  return {
    configuration: 0,
    status: 0,
    counter: 0n,
    since: null,
    timers: Array.from({ length: HPET_TIMERS }, () => ({
      configuration: 0,
      comparator: ALL_ONES,
      period: 0n,
      seen: 0n,
    })),
    legacyLevels: [false, false],
  };
}
