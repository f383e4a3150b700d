/**
 * ACPI fixed hardware: PM1a event and control registers and the PM timer (ACPI 6.5, 4.8.3), where the chip set has put them.
 */
import type { Clock, Device, DeviceState, InterruptLine } from './device';
import { Frequency } from './frequency';

export const PM_TIMER_HERTZ = 3_579_545;

/** First port of PM1a_EVT (4 bytes), PM1a_CNT (2 bytes) and PM_TMR (4 bytes). */
export interface AcpiPmPlace {
  readonly event: number;
  readonly control: number;
  readonly timer: number;
}

export interface AcpiPmOptions {
  /** Where the registers are now; null while no port leads to them. */
  place(): AcpiPmPlace | null;
  readonly timerBits: 24 | 32;
  /** SLP_TYP of S5, from the DSDT's _S5 object. */
  readonly s5: number;
  /** Bits of PM1 enable and PM1 control that can be written. */
  readonly enableMask: number;
  readonly controlMask: number;
  /** First value of PM1 control: SCI_EN (bit 0) where the VMM has no SMI command port. */
  readonly controlReset: number;
  /** The system control interrupt; null where the VMM never raises it, and then no status bit is ever set. */
  readonly sci: InterruptLine | null;
  /** SLP_EN was written with the type of S5. */
  powerOff(): void;
}

const SCI_EN = 1;
const SLP_EN = 1 << 13;
/** Carry bit: the highest bit of the timer changed (4.8.3.1). */
const TMR_STS = 1;

interface State {
  status: number;
  enable: number;
  control: number;
  /** How often the timer's highest bit had changed when the status was last brought up to date. */
  changes: number;
}

export class AcpiPm implements Device {
  readonly name = 'ACPI PM1 and PM timer';
  private readonly input = new Frequency(PM_TIMER_HERTZ);
  private state: State;

  constructor(
    private readonly clock: Clock,
    private readonly options: AcpiPmOptions,
  ) {
    this.state = this.powerOn();
  }

  get ports(): { start: number; end: number }[] {
    const place = this.options.place();
    if (!place) return [];
    return [
      { start: place.event, end: place.event + 4 },
      { start: place.control, end: place.control + 2 },
      { start: place.timer, end: place.timer + 4 },
    ];
  }

  readPort(port: number, size: 1 | 2 | 4): number {
    const place = this.options.place();
    if (!place) return 2 ** (8 * size) - 1;
    // Firmware waits by reading the timer millions of times.
    if (port === place.timer && size === 4) return this.timer();
    this.catchUp();
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + this.readByte(place, port + i);
    return value;
  }

  writePort(port: number, size: 1 | 2 | 4, value: number): void {
    const place = this.options.place();
    if (!place) return;
    this.catchUp();
    for (let i = 0; i < size; i++) this.writeByte(place, port + i, (value >>> (8 * i)) & 0xff);
    this.update();
    const { control } = this.state;
    // SLP_EN is write-only.
    this.state.control = control & ~SLP_EN;
    if ((control & SLP_EN) !== 0 && ((control >> 10) & 7) === this.options.s5) this.options.powerOff();
  }

  reset(): void {
    this.state = this.powerOn();
    this.update();
  }

  save(): DeviceState {
    return { ...this.state };
  }

  restore(state: DeviceState): void {
    this.state = { ...(state as unknown as State) };
    this.schedule();
  }

  private powerOn(): State {
    return { status: 0, enable: 0, control: this.options.controlReset, changes: this.changes() };
  }

  private ticks(): number {
    return this.input.ticks(this.clock.now());
  }

  /** Ticks between two changes of the timer's highest bit. */
  private get halfTurn(): number {
    return 2 ** (this.options.timerBits - 1);
  }

  private changes(): number {
    return Math.floor(this.ticks() / this.halfTurn);
  }

  private catchUp(): void {
    const changes = this.changes();
    if (this.options.sci && changes !== this.state.changes) this.state.status |= TMR_STS;
    this.state.changes = changes;
  }

  /** The SCI is a level: up while an enabled status bit is set (4.8.1). */
  private update(): void {
    const { status, enable, control } = this.state;
    this.options.sci?.((status & enable) !== 0 && (control & SCI_EN) !== 0);
    this.schedule();
  }

  private schedule(): void {
    const waits = this.options.sci && (this.state.enable & ~this.state.status & TMR_STS) !== 0;
    if (!waits) return this.clock.clearAlarm(this.name);
    const at = this.input.nanoseconds((this.state.changes + 1) * this.halfTurn);
    this.clock.setAlarm(this.name, at, () => {
      this.catchUp();
      this.update();
    });
  }

  private timer(): number {
    return this.ticks() % 2 ** this.options.timerBits;
  }

  private readByte(place: AcpiPmPlace, port: number): number {
    const { event, control, timer } = place;
    const { state } = this;
    if (port >= event && port < event + 2) return (state.status >> ((port - event) * 8)) & 0xff;
    if (port >= event + 2 && port < event + 4) return (state.enable >> ((port - event - 2) * 8)) & 0xff;
    if (port >= control && port < control + 2) return (state.control >> ((port - control) * 8)) & 0xff;
    if (port >= timer && port < timer + 4) {
      return Math.floor(this.timer() / 2 ** ((port - timer) * 8)) & 0xff;
    }
    return 0xff;
  }

  private writeByte(place: AcpiPmPlace, port: number, byte: number): void {
    const { event, control } = place;
    const { state, options } = this;
    const shift = (port & 1) * 8;
    if (port >= event && port < event + 2) {
      // Status bits are cleared by writing ones.
      state.status &= ~(byte << shift);
    } else if (port >= event + 2 && port < event + 4) {
      state.enable = ((state.enable & ~(0xff << shift)) | (byte << shift)) & options.enableMask;
    } else if (port >= control && port < control + 2) {
      state.control = ((state.control & ~(0xff << shift)) | (byte << shift)) & options.controlMask;
    }
  }
}
