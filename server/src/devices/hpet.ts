/**
 * High precision event timers (IA-PC HPET Specification 1.0a): a main counter, and comparators that can be periodic. Matches are
 * worked out from guest time, not stepped.
 */
import type { Clock, Device, DeviceState, InterruptLine, Nanoseconds } from './device';
import { Frequency } from './frequency';

/** What differs between implementations. */
export interface HpetShape {
  readonly hertz: number;
  readonly timers: number;
  /** Of the counter and of every comparator. */
  readonly bits: 32 | 64;
  /** Timers 0 and 1 can take IRQ 0 and IRQ 8 over. */
  readonly legacyReplacement: boolean;
  /** Timers can interrupt by messages (FSB). */
  readonly messages: boolean;
}

export interface HpetOptions {
  readonly base: bigint;
  readonly shape: HpetShape;
  /** IRQ 0 and IRQ 8: what the 8254 and the MC146818 drive while there is no legacy replacement. */
  readonly legacy: readonly [InterruptLine, InterruptLine];
  /** I/O APIC inputs that a timer can be routed to, bit n for input n. */
  readonly routes: number;
  route(input: number, level: boolean): void;
  /** Where timers can interrupt by messages. */
  message?(address: number, data: number): void;
}

/** As on QEMU's machine pc: 100 MHz, three timers. */
export const PC_HPET: HpetShape = {
  hertz: 100_000_000,
  timers: 3,
  bits: 64,
  legacyReplacement: true,
  messages: false,
};

const FEMTOSECONDS = 10n ** 15n;

/** 2.3.4: the period in femtoseconds, vendor 8086, legacy replacement, size of the counter, number of timers, revision 1. */
export function hpetCapabilities({ hertz, timers, bits, legacyReplacement }: HpetShape): bigint {
  const low =
    0x80860001 + (legacyReplacement ? 0x8000 : 0) + (bits === 64 ? 0x2000 : 0) + ((timers - 1) << 8);
  return BigInt(low) | ((FEMTOSECONDS / BigInt(hertz)) << 32n);
}

export const HPET_SIZE = 0x400n;

const CAPABILITIES = 0x00;
const CONFIGURATION = 0x10;
const STATUS = 0x20;
const COUNTER = 0xf0;
const TIMERS = 0x100;
const TIMER_STRIDE = 0x20;
const COMPARATOR = 0x08;
const MESSAGE = 0x10;
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
const BY_MESSAGE = 0x4000;
const CAN_SEND_MESSAGES = 0x8000;
const ROUTE_SHIFT = 9;
const ROUTE = 0x1f << ROUTE_SHIFT;
const WRITABLE = LEVEL | INTERRUPT | PERIODIC | SET_VALUE | MODE_32;

const WORD = 1n << 32n;
const ALL_ONES = (1n << 64n) - 1n;

interface Timer {
  configuration: number;
  /** Data in the low half and address in the high one. */
  message: bigint;
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
  private readonly input: Frequency;
  private readonly capabilities: bigint;
  /** Largest value of the counter and of a comparator. */
  private readonly limit: bigint;
  private state: State;

  constructor(
    private readonly clock: Clock,
    private readonly options: HpetOptions,
  ) {
    const { shape } = options;
    this.input = new Frequency(shape.hertz);
    this.capabilities = hpetCapabilities(shape);
    this.limit = shape.bits === 64 ? ALL_ONES : WORD - 1n;
    this.state = powerOn(shape);
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
    this.state = { ...powerOn(this.options.shape), legacyLevels: this.state.legacyLevels };
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
    return (counter + BigInt(this.input.ticks(this.clock.now() - since))) & this.limit;
  }

  private readRegister(register: number): bigint {
    const { state } = this;
    if (register === CAPABILITIES) return this.capabilities;
    if (register === CONFIGURATION) return BigInt(state.configuration);
    if (register === STATUS) return BigInt(state.status);
    if (register === COUNTER) return this.counter();
    const timer = state.timers[Math.floor((register - TIMERS) / TIMER_STRIDE)];
    const within = (register - TIMERS) % TIMER_STRIDE;
    if (!timer) return 0n;
    if (within === 0)
      return BigInt(timer.configuration | this.able()) | (BigInt(this.options.routes >>> 0) << 32n);
    if (within === COMPARATOR) return timer.comparator;
    return within === MESSAGE ? timer.message : 0n;
  }

  /** What every timer can do. */
  private able(): number {
    const { bits, messages } = this.options.shape;
    return CAN_BE_PERIODIC | (bits === 64 ? IS_64_BITS : 0) | (messages ? CAN_SEND_MESSAGES : 0);
  }

  /** Writes the bits of `mask`. */
  private writeRegister(register: number, value: bigint, mask: bigint): void {
    const { state } = this;
    const merge = (old: bigint) => (old & ~mask) | value;
    if (register === CONFIGURATION) {
      const can = this.options.shape.legacyReplacement ? ENABLE | LEGACY_REPLACEMENT : ENABLE;
      this.configure(Number(merge(BigInt(state.configuration)) & BigInt(can)));
    } else if (register === STATUS) {
      state.status &= ~Number(value & 0xffn);
      state.timers.forEach((_, index) => this.driveLevel(index));
    } else if (register === COUNTER) {
      state.counter = merge(this.counter()) & this.limit;
      if (state.since !== null) state.since = this.clock.now();
      for (const timer of state.timers) timer.seen = (state.counter - 1n) & this.limit;
    } else {
      const index = Math.floor((register - TIMERS) / TIMER_STRIDE);
      const timer = state.timers[index];
      if (!timer) return;
      const within = register - TIMERS - index * TIMER_STRIDE;
      if (within === 0 && (mask & 1n) !== 0n) this.configureTimer(index, timer, Number(value & 0xffffn));
      else if (within === COMPARATOR) this.writeComparator(timer, merge);
      else if (within === MESSAGE && this.options.shape.messages) timer.message = merge(timer.message);
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
    const { bits, messages } = this.options.shape;
    const writable = (bits === 64 ? WRITABLE : WRITABLE & ~MODE_32) | (messages ? BY_MESSAGE : 0);
    timer.configuration = (value & writable) | kept;
    if ((timer.configuration & MODE_32) !== 0) {
      timer.comparator &= WORD - 1n;
      timer.period &= WORD - 1n;
    }
    if ((value & LEVEL) === 0) this.state.status &= ~(1 << index);
    this.driveLevel(index);
  }

  /** 2.3.9.2.2: a periodic timer takes a write for its period, and for its next match too after "set value". */
  private writeComparator(timer: Timer, merge: (old: bigint) => bigint): void {
    const periodic = (timer.configuration & PERIODIC) !== 0;
    const limit = this.limitOf(timer);
    if (!periodic || (timer.configuration & SET_VALUE) !== 0) {
      timer.comparator = merge(timer.comparator) & limit;
      // A comparator that equals the counter matches.
      timer.seen = (this.counter() - 1n) & this.limit;
    }
    if (periodic) timer.period = merge(timer.period) & limit;
    timer.configuration &= ~SET_VALUE;
  }

  private limitOf({ configuration }: Timer): bigint {
    return (configuration & MODE_32) !== 0 ? WORD - 1n : this.limit;
  }

  /** Ticks from `from` on, itself excluded, to the next match. */
  private distance(timer: Timer, from: bigint): bigint {
    const limit = this.limitOf(timer);
    const distance = (timer.comparator - from) & limit;
    return distance === 0n ? limit + 1n : distance;
  }

  /** Acts on the matches since the last look; several of one timer are one. */
  private findMatches(): void {
    if (this.state.since === null) return;
    const counter = this.counter();
    this.state.timers.forEach((timer, index) => {
      const from = timer.seen;
      timer.seen = counter;
      if ((timer.configuration & (INTERRUPT | LEVEL | PERIODIC)) === 0) return;
      const passed = (counter - from) & this.limit;
      const distance = this.distance(timer, from);
      if (passed < distance) return;
      if ((timer.configuration & PERIODIC) !== 0 && timer.period > 0n) {
        const periods = (passed - distance) / timer.period + 1n;
        timer.comparator = (timer.comparator + periods * timer.period) & this.limitOf(timer);
      }
      this.match(index, timer);
    });
  }

  private match(index: number, { configuration, message }: Timer): void {
    if ((configuration & BY_MESSAGE) !== 0) {
      if ((configuration & INTERRUPT) !== 0)
        this.options.message?.(Number(message >> 32n), Number(message & (WORD - 1n)));
    } else if ((configuration & LEVEL) !== 0) {
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
    const ticks = this.input.ticks(this.clock.now() - since) + Math.min(...distances);
    const at = since + this.input.nanoseconds(ticks);
    if (Number.isSafeInteger(at)) this.clock.setAlarm(this.name, at, () => this.ring());
  }

  private ring(): void {
    this.findMatches();
    this.schedule();
  }
}

function powerOn({ timers, bits }: HpetShape): State {
  return {
    configuration: 0,
    status: 0,
    counter: 0n,
    since: null,
    timers: Array.from({ length: timers }, () => ({
      configuration: 0,
      message: 0n,
      comparator: bits === 64 ? ALL_ONES : WORD - 1n,
      period: 0n,
      seen: 0n,
    })),
    legacyLevels: [false, false],
  };
}
