/** The reset control register at 0xCF9 (82371SB PIIX3 data sheet, 2.3.2.1): a rising bit 2 resets; bit 1 says how hard. */
import type { Device, DeviceState } from './device';

const RESET_CPU = 0x04;
const SYSTEM_RESET = 0x02;

export class ResetControlCf9 implements Device {
  readonly name = 'reset control';
  readonly eightBits = true;
  readonly ports = [{ start: 0xcf9, end: 0xcfa }];
  private latch = 0;

  constructor(private readonly resetMachine: (hard: boolean) => void) {}

  readPort(): number {
    return this.latch;
  }

  writePort(_port: number, _size: number, value: number): void {
    const rising = value & ~this.latch & RESET_CPU;
    this.latch = value & SYSTEM_RESET;
    if (rising !== 0) this.resetMachine((value & SYSTEM_RESET) !== 0);
  }

  reset(): void {
    this.latch = 0;
  }

  save(): DeviceState {
    return { latch: this.latch };
  }

  restore(state: DeviceState): void {
    this.latch = (state as { latch: number }).latch;
  }
}
