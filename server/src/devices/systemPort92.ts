/** Port 0x92, system control port A of the PS/2: bit 1 is the A20 gate, a rising bit 0 resets the machine. */
import type { Device, DeviceState } from './device';

const FAST_RESET = 0x01;
const A20 = 0x02;

export interface SystemPort92Options {
  /** Called with every write. */
  setA20(on: boolean): void;
  reset(): void;
}

export class SystemPort92 implements Device {
  readonly name = 'system control port A';
  readonly eightBits = true;
  readonly ports = [{ start: 0x92, end: 0x93 }];
  private latch = A20;

  /** The gate is open at first, as firmware leaves it. */
  constructor(private readonly options: SystemPort92Options) {}

  readPort(): number {
    return this.latch;
  }

  writePort(_port: number, _size: number, value: number): void {
    const rising = value & ~this.latch & FAST_RESET;
    this.latch = value & 0xff;
    this.options.setA20((value & A20) !== 0);
    if (rising !== 0) this.options.reset();
  }

  reset(): void {
    this.latch = A20;
    this.options.setA20(true);
  }

  save(): DeviceState {
    return { latch: this.latch };
  }

  restore(state: DeviceState): void {
    this.latch = (state as { latch: number }).latch;
  }
}
