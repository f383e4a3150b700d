/**
 * The eight bytes of `kvm_run` in which MMIO data passes between KVM and a VMM (Linux include/uapi/linux/kvm.h). KVM fills them
 * for a write, and takes them back for a read whether the VMM has put an answer there or not. `io.data_offset` of a port access
 * is in the same place.
 */
import type { Device, DeviceState } from '../../devices/device';
import type { MmioAccess } from '../model';

/** KVM_PIO_PAGE_OFFSET pages into the mapping of the vCPU: what a port access leaves. */
const PIO_DATA_OFFSET = 0x1000n;
const BYTES = 8;

export class KvmRunData implements Device {
  readonly name = 'kvm_run';
  /** One a vCPU would be right; accesses do not say whose they are. */
  private data = 0n;

  /** A port access that left the kernel. */
  portExit(): void {
    this.data = PIO_DATA_OFFSET;
  }

  /** `size` bytes are taken over, the others stay. */
  mmioWrite(value: bigint, size: number): void {
    const mask = (1n << BigInt(8 * size)) - 1n;
    this.data = (this.data & ~mask & ((1n << BigInt(8 * BYTES)) - 1n)) | (value & mask);
  }

  /** What a read gives that nobody answers. */
  mmioRead(size: number): bigint {
    return this.data & ((1n << BigInt(8 * size)) - 1n);
  }

  /** An MMIO access that goes to the VMM and that nobody there does anything with; what a read gives. */
  unanswered({ write, size, value }: MmioAccess): bigint {
    if (!write) return this.mmioRead(size);
    this.mmioWrite(value, size);
    return 0n;
  }

  reset(): void {
    this.data = 0n;
  }

  save(): DeviceState {
    return { data: this.data };
  }

  restore(state: DeviceState): void {
    this.data = (state as { data: bigint }).data;
  }
}

/**
 * A device in the VMM's process whose MMIO passes through the buffer: what is written to it and what it answers stay there.
 * @param takes whether the device does anything with an access at an address and of a size; what it leaves alone reads the buffer
 */
export class ThroughRunData implements Device {
  readonly name: string;
  readonly ports: Device['ports'];
  readonly mmio: Device['mmio'];

  constructor(
    private readonly device: Device,
    private readonly buffer: KvmRunData,
    private readonly takes: (address: bigint, size: number) => boolean = () => true,
  ) {
    this.name = device.name;
    this.ports = device.ports;
    this.mmio = device.mmio;
  }

  readPort(port: number, size: 1 | 2 | 4): number {
    return this.device.readPort?.(port, size) ?? 0;
  }

  writePort(port: number, size: 1 | 2 | 4, value: number): void {
    this.device.writePort?.(port, size, value);
  }

  readMmio(address: bigint, size: 1 | 2 | 4 | 8): bigint {
    const answered = this.device.readMmio && this.takes(address, size);
    if (answered) this.buffer.mmioWrite(this.device.readMmio!(address, size), size);
    return this.buffer.mmioRead(size);
  }

  writeMmio(address: bigint, size: 1 | 2 | 4 | 8, value: bigint): void {
    this.buffer.mmioWrite(value, size);
    if (this.takes(address, size)) this.device.writeMmio?.(address, size, value);
  }

  reset(): void {
    this.device.reset();
  }

  save(): DeviceState {
    return this.device.save();
  }

  restore(state: DeviceState): void {
    this.device.restore(state);
  }
}
