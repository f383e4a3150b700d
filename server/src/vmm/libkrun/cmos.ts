/** libkrun's CMOS: an index, and memory sizes; no clock (containers/libkrun src/devices/src/legacy/x86_64/cmos.rs). */
import type { Device, DeviceState } from '../../devices/device';

const INDEX = 0x70;
const DATA = 0x71;
const INDEX_MASK = 0x7f;
const UNIT = 65536n;
const SIXTEEN_MIB = 1n << 24n;

export class MemorySizeCmos implements Device {
  readonly name = 'CMOS';
  readonly ports = [{ start: INDEX, end: INDEX + 8 }];
  private index = 0;
  private readonly data: ReadonlyMap<number, number>;

  /** Bytes below and above the MMIO gap, of the size that was asked for. */
  constructor(belowGap: bigint, aboveGap: bigint) {
    const low = least(0xffffn, (belowGap > SIXTEEN_MIB ? belowGap - SIXTEEN_MIB : 0n) / UNIT);
    const high = least(0xffffffn, aboveGap / UNIT);
    this.data = new Map([
      [0x34, low & 0xff],
      [0x35, low >> 8],
      [0x5b, high & 0xff],
      [0x5c, (high >> 8) & 0xff],
      [0x5d, high >> 16],
    ]);
  }

  readPort(port: number, size: 1 | 2 | 4): number {
    if (size !== 1) return 0;
    if (port === INDEX) return this.index;
    return port === DATA ? (this.data.get(this.index) ?? 0) : 0;
  }

  writePort(port: number, size: 1 | 2 | 4, value: number): void {
    if (size === 1 && port === INDEX) this.index = value & INDEX_MASK;
  }

  reset(): void {
    this.index = 0;
  }

  save(): DeviceState {
    return { index: this.index };
  }

  restore(state: DeviceState): void {
    this.index = (state as { index: number }).index;
  }
}

function least(a: bigint, b: bigint): number {
  return Number(a < b ? a : b);
}
