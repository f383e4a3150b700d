/** Small devices of Cloud Hypervisor that look like no chip: what resets and powers off, the PM timer and the debug ports. */
import type { Clock, Device, DeviceState } from '../../devices/device';
import { Frequency } from '../../devices/frequency';
import { PM_TIMER_HERTZ } from '../../devices/acpiPm';
import { hex } from '../../address/format';

/** A device that keeps nothing. */
abstract class Stateless implements Device {
  abstract readonly name: string;
  abstract readonly ports: readonly { start: number; end: number }[];

  reset(): void {}

  save(): DeviceState {
    return {};
  }

  restore(): void {}
}

/**
 * devices/src/legacy/i8042.rs: four ports from 0x61 on. There is no keyboard and no timer channel 2 behind it: 0x61 reads bit 5
 * so that Linux does not wait for that channel, 0x64 reads 0.
 */
export class ResetController extends Stateless {
  readonly name = 'i8042 reset';
  readonly ports = [{ start: 0x61, end: 0x65 }];

  constructor(private readonly pulse: () => void) {
    super();
  }

  readPort(port: number, size: 1 | 2 | 4): number {
    return size === 1 && port === 0x61 ? 0x20 : 0;
  }

  writePort(port: number, size: 1 | 2 | 4, value: number): void {
    if (size === 1 && port === 0x64 && value === 0xfe) this.pulse();
  }
}

/** devices/src/acpi.rs, AcpiShutdownDevice: one register of four ports for sleep control, sleep status and reset. */
export interface SleepRegisterOptions {
  readonly first: number;
  /** Accesses of another size than a byte do nothing; before, their first byte counted. */
  readonly bytesOnly: boolean;
  reset(): void;
  powerOff(): void;
}

const REBOOT = 1;
/** SLP_EN with the sleep type of S5, 5. */
const POWER_OFF = (5 << 2) | (1 << 5);

export class SleepRegister extends Stateless {
  readonly name: string;
  readonly ports: readonly { start: number; end: number }[];

  constructor(private readonly options: SleepRegisterOptions) {
    super();
    this.name = `ACPI sleep register at ${hex(options.first)}`;
    this.ports = [{ start: options.first, end: options.first + 4 }];
  }

  readPort(): number {
    return 0;
  }

  writePort(_port: number, size: 1 | 2 | 4, value: number): void {
    if (size !== 1 && this.options.bytesOnly) return;
    const byte = value & 0xff;
    if (byte === REBOOT) this.options.reset();
    if (byte === POWER_OFF) this.options.powerOff();
  }
}

/** AcpiPmTimerDevice: 32 bits that count from the start of the VM; other sizes read 0, or are `wrongSize`. */
export class PmTimer extends Stateless {
  readonly name: string;
  readonly ports: readonly { start: number; end: number }[];
  private readonly input = new Frequency(PM_TIMER_HERTZ);

  constructor(
    private readonly clock: Clock,
    private readonly first: number,
    private readonly wrongSize: (() => void) | null,
  ) {
    super();
    this.name = `ACPI PM timer at ${hex(first)}`;
    this.ports = [{ start: first, end: first + 4 }];
  }

  readPort(port: number, size: 1 | 2 | 4): number {
    if (size !== 4) this.wrongSize?.();
    return port === this.first && size === 4 ? this.input.ticks(this.clock.now()) % 2 ** 32 : 0;
  }

  writePort(): void {}
}

/** A port that takes bytes and shows them on the host: boot codes at 0x80, firmware's text at 0x402, the debug console. */
export class DebugOutput extends Stateless {
  readonly name: string;
  readonly ports: readonly { start: number; end: number }[];

  /**
   * @param reads what a read of one byte gives: 0 where the VMM leaves KVM's cleared buffer alone
   * @param show a character that the host's user sees
   */
  constructor(
    port: number,
    private readonly reads: number,
    private readonly show: (character: string) => void,
  ) {
    super();
    this.name = `debug output at ${hex(port)}`;
    this.ports = [{ start: port, end: port + 1 }];
  }

  readPort(_port: number, size: 1 | 2 | 4): number {
    return size === 1 ? this.reads : 0;
  }

  writePort(_port: number, size: 1 | 2 | 4, value: number): void {
    if (size === 1) this.show(String.fromCharCode(value));
  }
}
