/**
 * Cloud Hypervisor's CMOS at ports 0x70 and 0x71 (devices/src/legacy/cmos.rs): a clock that only reads, in BCD, and 128 bytes of
 * memory. From v23.0 on the index keeps its bit 7, so that 0x80 reads memory byte 0 and not the seconds.
 */
import type { Clock, Device, DeviceState } from '../../devices/device';

const INDEX = 0x70;
const INDEX_MASK = 0x7f;
/** Register 0xF, shutdown status, with NMI off: a zero there restarts the VM. */
const RESET_INDEX = 0x8f;
const SECOND = 1_000_000_000;
/** The update-in-progress bit is up in the last eight periods of 32768 Hz of a second. */
const UPDATE = Math.floor((8 * SECOND) / 32768);

export interface CmosOptions {
  /** Seconds since 1970 at the start. */
  readonly epoch: number;
  /** Bytes of RAM below 3 GiB, and from 4 GiB on. */
  readonly memoryBelow: bigint;
  readonly memoryAbove: bigint;
  /** Null where this version has no reset by CMOS, and then the index loses its bit 7. */
  readonly reset: (() => void) | null;
  /** Register D says that there is power. */
  readonly power: boolean;
}

export class CloudHypervisorCmos implements Device {
  readonly name = 'CMOS';
  readonly ports = [{ start: INDEX, end: INDEX + 2 }];
  private index = 0;
  private memory: Uint8Array;

  constructor(
    private readonly clock: Clock,
    private readonly options: CmosOptions,
  ) {
    this.memory = this.initial();
  }

  /** Only accesses of one byte do something; others read 0. */
  readPort(port: number, size: 1 | 2 | 4): number {
    if (size !== 1) return 0;
    return port === INDEX ? this.index : (this.clockRegister() ?? this.memory[this.index & INDEX_MASK]!);
  }

  writePort(port: number, size: 1 | 2 | 4, value: number): void {
    if (size !== 1) return;
    if (port === INDEX) this.index = this.options.reset ? value : value & INDEX_MASK;
    else if (this.options.reset && this.index === RESET_INDEX && value === 0) this.options.reset();
    else this.memory[this.index & INDEX_MASK] = value;
  }

  reset(): void {
    this.index = 0;
    this.memory = this.initial();
  }

  save(): DeviceState {
    return { index: this.index, memory: this.memory.slice() };
  }

  restore(state: DeviceState): void {
    const saved = state as { index: number; memory: Uint8Array };
    this.index = saved.index;
    this.memory = saved.memory.slice();
  }

  /** Memory in units of 64 KiB: above 16 MiB in 0x34, from 4 GiB on in 0x5B. */
  private initial(): Uint8Array {
    const { memoryBelow, memoryAbove } = this.options;
    const bytes = new Uint8Array(128);
    const units = (size: bigint, most: bigint) => {
      const count = size > 0n ? size / 0x10000n : 0n;
      return Number(count < most ? count : most);
    };
    const extended = units(memoryBelow - 0x1000000n, 0xffffn);
    const high = units(memoryAbove, 0xffffffn);
    bytes.set([extended & 0xff, extended >> 8], 0x34);
    bytes.set([high & 0xff, (high >> 8) & 0xff, high >> 16], 0x5b);
    return bytes;
  }

  /** Null where the index selects memory. */
  private clockRegister(): number | null {
    const now = this.clock.now();
    const date = new Date((this.options.epoch + Math.floor(now / SECOND)) * 1000);
    switch (this.index) {
      case 0x00:
        return bcd(date.getUTCSeconds());
      case 0x02:
        return bcd(date.getUTCMinutes());
      case 0x04:
        return bcd(date.getUTCHours());
      case 0x06:
        return bcd(date.getUTCDay() + 1);
      case 0x07:
        return bcd(date.getUTCDate());
      case 0x08:
        return bcd(date.getUTCMonth() + 1);
      case 0x09:
        return bcd(date.getUTCFullYear() % 100);
      case 0x0a:
        return 0x20 | (now % SECOND >= SECOND - UPDATE ? 0x80 : 0);
      case 0x0d:
        return this.options.power ? 0x80 : null;
      case 0x32:
        return bcd(Math.floor(date.getUTCFullYear() / 100));
      default:
        return null;
    }
  }
}

function bcd(value: number): number {
  return ((value / 10) << 4) | (value % 10);
}
