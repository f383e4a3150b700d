/** ACPI fixed hardware: PM1a event and control registers and the 24-bit PM timer (ACPI 6.5, 4.8.3). */
import type { Clock, Device, DeviceState } from './device';
import { Frequency } from './frequency';

export const PM_TIMER_HERTZ = 3_579_545;

export interface AcpiPmOptions {
  /** First port of PM1a_EVT (4 bytes), PM1a_CNT (2 bytes) and PM_TMR (4 bytes). */
  readonly event: number;
  readonly control: number;
  readonly timer: number;
  /** SLP_TYP of S5, from the DSDT's _S5 object. */
  readonly s5: number;
  /** Bits of PM1 enable and PM1 control that can be written. */
  readonly enableMask: number;
  readonly controlMask: number;
  /** First value of PM1 control: SCI_EN (bit 0) where the VMM has no SMI command port. */
  readonly controlReset: number;
  /** SLP_EN was written with the type of S5. */
  powerOff(): void;
}

const SLP_EN = 1 << 13;

export class AcpiPm implements Device {
  readonly name = 'ACPI PM1 and PM timer';
  readonly ports: readonly { start: number; end: number }[];
  private readonly input = new Frequency(PM_TIMER_HERTZ);
  private status = 0;
  private enable = 0;
  private control: number;

  constructor(
    private readonly clock: Clock,
    private readonly options: AcpiPmOptions,
  ) {
    this.control = options.controlReset;
    this.ports = [
      { start: options.event, end: options.event + 4 },
      { start: options.control, end: options.control + 2 },
      { start: options.timer, end: options.timer + 4 },
    ];
  }

  readPort(port: number, size: 1 | 2 | 4): number {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + this.readByte(port + i);
    return value;
  }

  writePort(port: number, size: 1 | 2 | 4, value: number): void {
    for (let i = 0; i < size; i++) this.writeByte(port + i, Math.floor(value / 2 ** (8 * i)) & 0xff);
    if ((this.control & SLP_EN) !== 0 && ((this.control >> 10) & 7) === this.options.s5) {
      this.options.powerOff();
    }
  }

  reset(): void {
    this.status = 0;
    this.enable = 0;
    this.control = this.options.controlReset;
  }

  save(): DeviceState {
    return { status: this.status, enable: this.enable, control: this.control };
  }

  restore(state: DeviceState): void {
    Object.assign(this, state as { status: number; enable: number; control: number });
  }

  private readByte(port: number): number {
    const { event, control, timer } = this.options;
    if (port >= event && port < event + 2) return (this.status >> ((port - event) * 8)) & 0xff;
    if (port >= event + 2 && port < event + 4) return (this.enable >> ((port - event - 2) * 8)) & 0xff;
    if (port >= control && port < control + 2) return (this.control >> ((port - control) * 8)) & 0xff;
    if (port >= timer && port < timer + 4) {
      const count = this.input.ticks(this.clock.now()) & 0xffffff;
      return (count >> ((port - timer) * 8)) & 0xff;
    }
    return 0xff;
  }

  private writeByte(port: number, byte: number): void {
    const { event, control } = this.options;
    const shift = (port & 1) * 8;
    if (port >= event && port < event + 2) {
      // Status bits are cleared by writing ones.
      this.status &= ~(byte << shift);
    } else if (port >= event + 2 && port < event + 4) {
      this.enable = ((this.enable & ~(0xff << shift)) | (byte << shift)) & this.options.enableMask;
    } else if (port >= control && port < control + 2) {
      this.control = ((this.control & ~(0xff << shift)) | (byte << shift)) & this.options.controlMask;
    }
  }
}
