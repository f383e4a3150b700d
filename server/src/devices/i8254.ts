/**
 * The Intel 8254 programmable interval timer at 1.193182 MHz (Intel 231164). Counts are derived from guest time, not
 * stepped; a count is there at once, not one clock after it was written.
 */
import type { Clock, Device, DeviceState, InterruptLine, Nanoseconds } from './device';
import { Frequency } from './frequency';

/** The PC's timer clock: 105/88 MHz. */
const PIT_HERTZ = 1_193_182;
const INPUT = new Frequency(PIT_HERTZ);

interface Channel {
  mode: number;
  /** 1 low byte, 2 high byte, 3 low then high. */
  access: number;
  bcd: boolean;
  /** Initial count in clocks, 1 to 65536. */
  count: number;
  /** A count was written since the control word. */
  loaded: boolean;
  /** A count that waits: for `at` clocks to have passed in the periodic modes, for a trigger (infinity) in modes 1 and 5. */
  next: { count: number; at: number } | null;
  gate: boolean;
  /** Clocks counted before `since`. */
  counted: number;
  /** When counting was last resumed; null while it is held by the gate or waits for a trigger. */
  since: Nanoseconds | null;
  /** First byte of a count that is written low then high. */
  lowWritten: number | null;
  highNext: boolean;
  latchedCount: number | null;
  latchedStatus: number | null;
}

function powerOn(gate: boolean): Channel {
  return {
    mode: 0,
    access: 3,
    bcd: false,
    count: 65536,
    loaded: false,
    next: null,
    gate,
    counted: 0,
    since: null,
    lowWritten: null,
    highNext: false,
    latchedCount: null,
    latchedStatus: null,
  };
}

export class I8254 implements Device {
  readonly name = '8254';
  readonly eightBits = true;
  readonly ports = [{ start: 0x40, end: 0x44 }];
  private channels = [powerOn(true), powerOn(true), powerOn(false)];

  /**
   * `irq0` is the OUT pin of channel 0. `restartsOnCount`: a count that is written while a periodic mode runs begins a new
   * period at once, as in VMMs; in the chip it waits for the end of the present one.
   */
  constructor(
    private readonly clock: Clock,
    private readonly irq0: InterruptLine,
    private readonly options: { readonly restartsOnCount: boolean },
  ) {}

  readPort(port: number): number {
    const channel = this.channels[port - 0x40];
    if (!channel) return 0;
    settle(channel, this.clock.now());
    if (channel.latchedStatus !== null) {
      const status = channel.latchedStatus;
      channel.latchedStatus = null;
      return status;
    }
    const value = channel.latchedCount ?? shownCount(channel, this.clock.now());
    if (channel.access === 3 && !channel.highNext) {
      channel.highNext = true;
      return value & 0xff;
    }
    channel.highNext = false;
    channel.latchedCount = null;
    return channel.access === 1 ? value & 0xff : value >> 8;
  }

  writePort(port: number, _size: number, value: number): void {
    const byte = value & 0xff;
    const channel = this.channels[port - 0x40];
    for (const one of this.channels) settle(one, this.clock.now());
    if (channel) this.writeCount(channel, byte);
    else if (byte >= 0xc0) this.readBack(byte);
    else this.writeControl(this.channels[byte >> 6]!, byte);
  }

  /** The GATE input of channel 2. A rising edge starts the triggered modes and restarts the periodic ones. */
  setGate2(level: boolean): void {
    const channel = this.channels[2]!;
    if (channel.gate === level) return;
    const now = this.clock.now();
    settle(channel, now);
    channel.gate = level;
    // A falling edge does nothing to what a rising one has triggered.
    if (!level && isTriggered(channel)) return;
    channel.counted = elapsed(channel, now);
    channel.since = null;
    if (!level || !channel.loaded) return;
    if (channel.mode !== 0 && channel.mode !== 4) {
      channel.counted = 0;
      channel.count = channel.next?.count ?? channel.count;
      channel.next = null;
    }
    channel.since = now;
  }

  get gate2(): boolean {
    return this.channels[2]!.gate;
  }

  /** Level of a channel's OUT pin. */
  output(index: number): boolean {
    const channel = this.channels[index]!;
    settle(channel, this.clock.now());
    return out(channel, this.clock.now());
  }

  reset(): void {
    this.channels = [powerOn(true), powerOn(true), powerOn(false)];
    this.clock.clearAlarm(this.name);
  }

  save(): DeviceState {
    return structuredClone({ channels: this.channels });
  }

  restore(state: DeviceState): void {
    this.channels = (structuredClone(state) as unknown as { channels: Channel[] }).channels;
    this.schedule();
  }

  private writeControl(channel: Channel, byte: number): void {
    if ((byte & 0x30) === 0) {
      channel.latchedCount ??= shownCount(channel, this.clock.now());
      return;
    }
    const mode = (byte >> 1) & 7;
    Object.assign(channel, powerOn(channel.gate), {
      mode: mode > 5 ? mode - 4 : mode,
      access: (byte >> 4) & 3,
      bcd: (byte & 1) !== 0,
      count: channel.count,
    });
    if (channel !== this.channels[0]) return;
    // In the other modes OUT is high now; only an edge at the end of a count interrupts.
    this.irq0(false);
    this.schedule();
  }

  private readBack(byte: number): void {
    const now = this.clock.now();
    this.channels.forEach((channel, index) => {
      if ((byte & (2 << index)) === 0) return;
      if ((byte & 0x20) === 0) channel.latchedCount ??= shownCount(channel, now);
      if ((byte & 0x10) !== 0) return;
      channel.latchedStatus ??=
        (out(channel, now) ? 0x80 : 0) |
        (channel.loaded && channel.next === null ? 0 : 0x40) |
        (channel.access << 4) |
        (channel.mode << 1) |
        (channel.bcd ? 1 : 0);
    });
  }

  private writeCount(channel: Channel, byte: number): void {
    if (channel.access === 3 && channel.lowWritten === null) {
      channel.lowWritten = byte;
      if (channel.mode === 0) this.holdForSecondByte(channel);
      return;
    }
    const raw =
      channel.access === 1 ? byte : channel.access === 2 ? byte << 8 : (byte << 8) | channel.lowWritten!;
    channel.lowWritten = null;
    this.load(channel, channel.bcd ? fromBcd(raw) || 10000 : raw || 65536);
    channel.loaded = true;
    if (channel !== this.channels[0]) return;
    if (channel.mode === 0) this.irq0(false);
    this.schedule();
  }

  private load(channel: Channel, count: number): void {
    const now = this.clock.now();
    const running = channel.loaded && channel.since !== null;
    if (running && isTriggered(channel)) {
      channel.next = { count, at: Infinity };
    } else if (running && isPeriodic(channel) && !this.options.restartsOnCount) {
      const periods = Math.floor(elapsed(channel, now) / channel.count) + 1;
      channel.next = { count, at: periods * channel.count };
    } else {
      channel.count = count;
      if (isTriggered(channel)) return;
      channel.counted = 0;
      channel.since = channel.gate ? now : null;
    }
  }

  /** In mode 0 the first of two bytes stops the counter and lowers OUT. */
  private holdForSecondByte(channel: Channel): void {
    channel.counted = elapsed(channel, this.clock.now());
    channel.since = null;
    channel.loaded = false;
    if (channel !== this.channels[0]) return;
    this.irq0(false);
    this.schedule();
  }

  /** Sets the alarm for channel 0's next rising OUT. Its gate is tied high. */
  private schedule(): void {
    const channel = this.channels[0]!;
    if (channel.since === null) return this.clock.clearAlarm(this.name);
    const done = elapsed(channel, this.clock.now());
    const periodic = isPeriodic(channel);
    const next = periodic ? (Math.floor(done / channel.count) + 1) * channel.count : channel.count;
    if (!periodic && done >= next) return this.clock.clearAlarm(this.name);
    const at = channel.since + INPUT.nanoseconds(next - channel.counted);
    this.clock.setAlarm(this.name, at, () => this.ring());
  }

  private ring(): void {
    settle(this.channels[0]!, this.clock.now());
    // The low phase is shorter than anybody can see: OUT falls and rises in one go.
    if (this.channels[0]!.mode !== 0) this.irq0(false);
    this.irq0(true);
    this.schedule();
  }
}

function isPeriodic({ mode }: Channel): boolean {
  return mode === 2 || mode === 3;
}

/** By a rising edge of GATE, not by writing a count. */
function isTriggered({ mode }: Channel): boolean {
  return mode === 1 || mode === 5;
}

/** Takes over a count that waited for the end of a period which is over. */
function settle(channel: Channel, now: Nanoseconds): void {
  const { next, since, counted } = channel;
  if (!next || since === null || elapsed(channel, now) < next.at) return;
  channel.since = since + INPUT.nanoseconds(next.at - counted);
  channel.counted = 0;
  channel.count = next.count;
  channel.next = null;
}

function elapsed(channel: Channel, now: Nanoseconds): number {
  return channel.counted + (channel.since === null ? 0 : INPUT.ticks(now - channel.since));
}

/** The counter as it is read back, in BCD where the channel counts so. */
function shownCount(channel: Channel, now: Nanoseconds): number {
  const done = elapsed(channel, now);
  const { count, bcd, mode } = channel;
  const modulus = bcd ? 10000 : 65536;
  let value: number;
  if (mode === 2) value = count - (done % count);
  else if (mode === 3) value = squareWaveCount(count, done % count);
  else value = (((count - done) % modulus) + modulus) % modulus;
  return bcd ? toBcd(value % 10000) : value & 0xffff;
}

/** Counts down by two, once while OUT is high and once while it is low; from one less where the count is odd. */
function squareWaveCount(count: number, position: number): number {
  const high = Math.ceil(count / 2);
  const within = position < high ? position : position - high;
  return count - (count & 1) - 2 * within;
}

function out(channel: Channel, now: Nanoseconds): boolean {
  if (!channel.loaded) return channel.mode !== 0;
  const done = elapsed(channel, now);
  const { count } = channel;
  switch (channel.mode) {
    case 0:
      return done >= count;
    case 1:
      return channel.since === null ? true : done >= count;
    case 2:
      return !channel.gate || done % count !== count - 1;
    case 3:
      return !channel.gate || done % count < Math.ceil(count / 2);
    default:
      return done !== count;
  }
}

function fromBcd(value: number): number {
  return [12, 8, 4, 0].reduce((sum, shift) => sum * 10 + ((value >> shift) & 15), 0);
}

function toBcd(value: number): number {
  return [1000, 100, 10, 1].reduce((sum, unit) => (sum << 4) | (Math.floor(value / unit) % 10), 0);
}
