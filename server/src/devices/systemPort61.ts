/**
 * Port 0x61, system control port B of the PC/AT: speaker gate and data, refresh toggle and OUT of timer channel 2.
 */
import type { Clock, Device, DeviceState } from './device';
import type { I8254 } from './i8254';

export interface SystemPort61Options {
  /**
   * False for a VMM that throws writes away, answers bit 5 only and leaves channel 2 counting whatever the gate
   * (vmd: usr.sbin/vmd/i8253.c rev 1.28, vcpu_exit_i8253_misc).
   */
  readonly writable: boolean;
  /** Control bits that read back as written: 3:0 on a PC. */
  readonly kept?: number;
  /** Nanoseconds between two toggles of bit 4: a refresh request of a PC comes about every 15 microseconds. */
  readonly refresh?: number;
}

const CONTROL_BITS = 0x0f;
const REFRESH = 15085;

export class SystemPort61 implements Device {
  readonly name = 'system control port B';
  readonly eightBits = true;
  readonly ports = [{ start: 0x61, end: 0x62 }];
  private control = 0;

  constructor(
    private readonly clock: Clock,
    private readonly timer: I8254,
    private readonly options: SystemPort61Options,
  ) {
    this.reset();
  }

  readPort(): number {
    const out2 = this.timer.output(2) ? 0x20 : 0;
    if (!this.options.writable) return out2;
    const toggles = Math.floor(this.clock.now() / (this.options.refresh ?? REFRESH));
    return this.control | ((toggles & 1) << 4) | out2;
  }

  writePort(_port: number, _size: number, value: number): void {
    if (!this.options.writable) return;
    this.control = value & (this.options.kept ?? CONTROL_BITS);
    this.timer.setGate2((value & 1) !== 0);
  }

  reset(): void {
    this.control = 0;
    this.timer.setGate2(!this.options.writable);
  }

  save(): DeviceState {
    return { control: this.control };
  }

  restore(state: DeviceState): void {
    this.control = (state as { control: number }).control;
  }
}
