/**
 * The Motorola MC146818 real-time clock with the CMOS memory of a PC, ports 0x70 and 0x71. The date is guest time
 * from a fixed start, so that every run repeats.
 */
import type { Clock, Device, DeviceState, InterruptLine, Nanoseconds } from './device';

const SECOND = 1_000_000_000;
const REGISTER_A = 0x0a;
const REGISTER_B = 0x0b;
const REGISTER_C = 0x0c;
const REGISTER_D = 0x0d;
const B_SET = 0x80;
const B_BINARY = 0x04;
const B_24_HOURS = 0x02;
const PERIODIC = 0x40;
const ALARM = 0x20;
const UPDATE = 0x10;
/** The update-in-progress bit is up for this long before each second (data sheet: 244 microseconds). */
const UPDATE_WINDOW = 244_000;

export interface Mc146818Options {
  /** Bytes of registers and memory together: 128 on a PC. */
  readonly size: number;
  /** What an index beyond `size` selects: vmd turns it into register D. */
  readonly beyond: number;
  /** First content by index. */
  readonly memory: Readonly<Record<number, number>>;
  /** Index of the century byte, in BCD. */
  readonly century: number;
  /** Seconds since 1970 at guest time 0. */
  readonly epoch: number;
  /**
   * As vmd has it (usr.sbin/vmd/mc146818.c rev 1.31): the periodic interrupt and no other, register C shows PF while that is
   * enabled and nothing else, UIP is never up, the time is in BCD whatever register B says, and what a guest writes to the time
   * is gone with the next second.
   */
  readonly periodicOnly?: true;
  /** False where port 0x70 can only be written, as in a PC's chip set: it then reads as all ones. */
  readonly indexReads: boolean;
}

interface State {
  index: number;
  bytes: Uint8Array;
  /** Seconds since 1970 at guest time 0: moves when the guest sets the clock. */
  epoch: number;
  /** When register C was last read: flags tell what happened since. */
  cleared: Nanoseconds;
  interrupting: boolean;
}

export class Mc146818 implements Device {
  readonly name = 'MC146818';
  readonly eightBits = true;
  readonly ports = [{ start: 0x70, end: 0x72 }];
  private state: State;
  /** The second that the time bytes show; null where they may show anything. */
  private shown: number | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly irq8: InterruptLine,
    private readonly options: Mc146818Options,
  ) {
    this.state = this.powerOn();
  }

  readPort(port: number): number {
    if (port === 0x70) return this.options.indexReads ? this.state.index : 0xff;
    return this.read(this.state.index);
  }

  writePort(port: number, _size: number, value: number): void {
    if (port === 0x70) {
      // Bit 7 is the NMI mask of the board, not of this chip.
      const index = value & 0x7f;
      this.state.index = index < this.options.size ? index : this.options.beyond;
    } else {
      this.write(this.state.index, value & 0xff);
    }
  }

  reset(): void {
    this.clock.clearAlarm(this.name);
    this.shown = null;
    this.state = this.powerOn();
  }

  save(): DeviceState {
    return structuredClone({ ...this.state });
  }

  restore(state: DeviceState): void {
    this.state = structuredClone(state) as unknown as State;
    this.shown = null;
    this.schedule();
  }

  private powerOn(): State {
    const bytes = new Uint8Array(this.options.size);
    bytes[REGISTER_B] = B_24_HOURS;
    bytes[REGISTER_D] = 0x80;
    for (const [index, value] of Object.entries(this.options.memory)) bytes[Number(index)] = value;
    return { index: 0, bytes, epoch: this.options.epoch, cleared: this.clock.now(), interrupting: false };
  }

  private read(index: number): number {
    const { bytes } = this.state;
    const now = this.clock.now();
    if (index === REGISTER_A) {
      if (this.options.periodicOnly) return bytes[REGISTER_A]!;
      const updating = (bytes[REGISTER_B]! & B_SET) === 0 && now % SECOND >= SECOND - UPDATE_WINDOW;
      return (bytes[REGISTER_A]! & 0x7f) | (updating ? 0x80 : 0);
    }
    if (index === REGISTER_C) return this.takeFlags();
    if (this.ticks() && this.isTime(index)) this.refreshTime();
    return bytes[index] ?? 0xff;
  }

  private write(index: number, value: number): void {
    const { bytes } = this.state;
    if (index === REGISTER_C || index === REGISTER_D) return;
    if (this.options.periodicOnly) {
      if (this.isTime(index)) this.refreshTime();
      bytes[index] = value;
      if (index === REGISTER_A || index === REGISTER_B) this.ring();
      return;
    }
    if (this.isTime(index) && (bytes[REGISTER_B]! & B_SET) === 0) this.refreshTime();
    const wasSet = (bytes[REGISTER_B]! & B_SET) !== 0;
    if (index === REGISTER_B && !wasSet && (value & B_SET) !== 0) this.refreshTime();
    // Setting the clock disables its update interrupt.
    bytes[index] = index === REGISTER_B && (value & B_SET) !== 0 ? value & ~UPDATE : value;
    this.shown = null;
    if (index === REGISTER_A || index === REGISTER_B) this.ring();
    const released = index === REGISTER_B && wasSet && (value & B_SET) === 0;
    if (released || (this.isTime(index) && !wasSet)) this.setClock();
  }

  private isTime(index: number): boolean {
    return (
      index === this.options.century || (index < REGISTER_A && index !== 1 && index !== 3 && index !== 5)
    );
  }

  /** The time bytes follow the clock. */
  private ticks(): boolean {
    return this.options.periodicOnly === true || (this.state.bytes[REGISTER_B]! & B_SET) === 0;
  }

  private encode(value: number): number {
    if (this.options.periodicOnly) return toBcd(value);
    return (this.state.bytes[REGISTER_B]! & B_BINARY) !== 0 ? value : toBcd(value);
  }

  private decode(index: number): number {
    const value = this.state.bytes[index]!;
    return (this.state.bytes[REGISTER_B]! & B_BINARY) !== 0 ? value : (value >> 4) * 10 + (value & 15);
  }

  /** Fills the time bytes from guest time. */
  private refreshTime(): void {
    const { bytes, epoch } = this.state;
    const second = epoch + Math.floor(this.clock.now() / SECOND);
    if (second === this.shown) return;
    this.shown = second;
    const date = new Date(second * 1000);
    bytes[0] = this.encode(date.getUTCSeconds());
    bytes[2] = this.encode(date.getUTCMinutes());
    bytes[4] = this.encodeHour(date.getUTCHours());
    bytes[6] = date.getUTCDay() + 1;
    bytes[7] = this.encode(date.getUTCDate());
    bytes[8] = this.encode(date.getUTCMonth() + 1);
    bytes[9] = this.encode(date.getUTCFullYear() % 100);
    bytes[this.options.century] = toBcd(Math.floor(date.getUTCFullYear() / 100));
  }

  private encodeHour(hour: number): number {
    if (this.options.periodicOnly || (this.state.bytes[REGISTER_B]! & B_24_HOURS) !== 0)
      return this.encode(hour);
    return this.encode(hour % 12 || 12) | (hour >= 12 ? 0x80 : 0);
  }

  /** Takes the time bytes, which the guest wrote, as the present time. */
  private setClock(): void {
    const { bytes } = this.state;
    const century = bytes[this.options.century]!;
    const year = ((century >> 4) * 10 + (century & 15)) * 100 + this.decode(9);
    let hour = this.decode(4);
    if ((bytes[REGISTER_B]! & B_24_HOURS) === 0) {
      const afternoon = (bytes[4]! & 0x80) !== 0;
      bytes[4] = bytes[4]! & 0x7f;
      hour = (this.decode(4) % 12) + (afternoon ? 12 : 0);
    }
    const set =
      Date.UTC(year, this.decode(8) - 1, this.decode(7), hour, this.decode(2), this.decode(0)) / 1000;
    if (Number.isFinite(set)) this.state.epoch = set - Math.floor(this.clock.now() / SECOND);
  }

  /** Nanoseconds between periodic events; 0 where none is selected (data sheet, table of RS3:0 at 32.768 kHz). */
  private period(): Nanoseconds {
    const rate = this.state.bytes[REGISTER_A]! & 15;
    if (rate === 0) return 0;
    const shift = rate <= 2 ? rate + 6 : rate - 1;
    return Math.round((SECOND * 2 ** shift) / 32768);
  }

  /** Flags of what happened after `from` and not after `to`. */
  private flagsBetween(from: Nanoseconds, to: Nanoseconds): number {
    const period = this.period();
    let flags = 0;
    if (period > 0 && Math.floor(to / period) > Math.floor(from / period)) flags |= PERIODIC;
    if (this.options.periodicOnly) return flags & this.state.bytes[REGISTER_B]!;
    const first = Math.floor(from / SECOND) + 1;
    const last = Math.floor(to / SECOND);
    if (last >= first) flags |= UPDATE;
    for (let second = first; second <= last && second < first + 86400; second++) {
      if (this.alarmMatches(second)) return flags | ALARM;
    }
    return flags;
  }

  private alarmMatches(second: number): boolean {
    const date = new Date((this.state.epoch + second) * 1000);
    const { bytes } = this.state;
    const match = (index: number, value: number) => bytes[index]! >= 0xc0 || bytes[index] === value;
    return (
      match(1, this.encode(date.getUTCSeconds())) &&
      match(3, this.encode(date.getUTCMinutes())) &&
      match(5, this.encodeHour(date.getUTCHours()))
    );
  }

  /** Reading register C tells what happened, clears it and drops the interrupt. */
  private takeFlags(): number {
    const now = this.clock.now();
    const flags = this.flagsBetween(this.state.cleared, now);
    const interrupting = this.state.interrupting || (flags & this.state.bytes[REGISTER_B]! & 0x70) !== 0;
    this.state.cleared = now;
    this.state.interrupting = false;
    this.irq8(false);
    this.schedule();
    return flags | (interrupting && !this.options.periodicOnly ? 0x80 : 0);
  }

  /** Sets the alarm for the next event that an interrupt is enabled for. */
  private schedule(): void {
    const enabled = this.state.bytes[REGISTER_B]! & (this.options.periodicOnly ? PERIODIC : 0x70);
    const now = this.clock.now();
    const period = this.period();
    const times: number[] = [];
    if ((enabled & PERIODIC) !== 0 && period > 0) times.push((Math.floor(now / period) + 1) * period);
    if ((enabled & (ALARM | UPDATE)) !== 0) times.push((Math.floor(now / SECOND) + 1) * SECOND);
    if (times.length === 0) this.clock.clearAlarm(this.name);
    else this.clock.setAlarm(this.name, Math.min(...times), () => this.ring());
  }

  /** IRQF is up while a flag and its enable bit are both set, whichever came first. */
  private ring(): void {
    const flags = this.flagsBetween(this.state.cleared, this.clock.now());
    const interrupting = (flags & this.state.bytes[REGISTER_B]! & 0x70) !== 0;
    if (interrupting !== this.state.interrupting) {
      this.state.interrupting = interrupting;
      this.irq8(interrupting);
    }
    this.schedule();
  }
}

function toBcd(value: number): number {
  return (Math.floor(value / 10) << 4) | (value % 10);
}
