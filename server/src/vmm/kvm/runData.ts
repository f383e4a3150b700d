/**
 * The eight bytes of `kvm_run` in which MMIO data passes between KVM and a VMM (Linux include/uapi/linux/kvm.h). KVM fills them
 * for a write, and takes them back for a read whether the VMM has put an answer there or not. `io.data_offset` of a port access
 * is in the same place.
 */
import type { Device, DeviceState } from '../../devices/device';

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
