/**
 * KVM's paravirtual clock, kvm-clock: the guest names pages by MSR, and KVM writes into them how its TSC counts time
 * (Linux Documentation/virt/kvm/x86/msr.rst; arch/x86/include/asm/pvclock-abi.h; arch/x86/kvm/msrs.c, kvm_write_wall_clock).
 * One tick of guest time is one nanosecond and one count of the TSC, so a page is written once and stays true.
 */
import type { Clock, Device, DeviceState } from '../../devices/device';

/** Old and new numbers of MSR_KVM_WALL_CLOCK and MSR_KVM_SYSTEM_TIME; the new ones are CPUID's CLOCKSOURCE2. */
const WALL_CLOCK: ReadonlySet<number> = new Set([0x11, 0x4b564d00]);
const SYSTEM_TIME: ReadonlySet<number> = new Set([0x12, 0x4b564d01]);
/** Bit 0 of the address switches the page on. */
const ENABLED = 1n;
/** PVCLOCK_TSC_STABLE_BIT: all vCPUs read the same time. */
const STABLE = 1;
/** kvm_get_time_scale for a TSC of 1 GHz: nanoseconds are (ticks << 1) * 2^31 / 2^32. */
const SHIFT = 1;
const MULTIPLIER = 0x80000000;
const SYSTEM_TIME_SIZE = 32;
const WALL_CLOCK_SIZE = 12;

export interface ParavirtualClockOptions {
  /** Seconds since 1970 when the VM was made. */
  readonly epoch: number;
  writeMemory(address: bigint, bytes: Uint8Array): boolean;
}

export class ParavirtualClock implements Device {
  readonly name = 'kvm-clock';
  private wallClock = 0n;
  private systemTime: Map<number, bigint> = new Map();
  private version = 0;

  constructor(
    private readonly clock: Clock,
    private readonly options: ParavirtualClockOptions,
  ) {}

  /** Null for an MSR that is not one of the clock's. */
  read(index: number, vcpu: number): bigint | null {
    if (WALL_CLOCK.has(index)) return this.wallClock;
    return SYSTEM_TIME.has(index) ? (this.systemTime.get(vcpu) ?? 0n) : null;
  }

  /** False for an MSR that is not one of the clock's. */
  write(index: number, value: bigint, vcpu: number): boolean {
    if (WALL_CLOCK.has(index)) {
      this.wallClock = value;
      if (value !== 0n) this.options.writeMemory(value, this.wallClockPage());
      return true;
    }
    if (!SYSTEM_TIME.has(index)) return false;
    this.systemTime.set(vcpu, value);
    if ((value & ENABLED) !== 0n) this.options.writeMemory(value & ~ENABLED, this.systemTimePage());
    return true;
  }

  /** struct pvclock_wall_clock: the time of day when the VM's clock was 0. */
  private wallClockPage(): Uint8Array {
    const view = new DataView(new ArrayBuffer(WALL_CLOCK_SIZE));
    view.setUint32(0, this.nextVersion(), true);
    view.setUint32(4, this.options.epoch, true);
    return new Uint8Array(view.buffer);
  }

  /** struct pvclock_vcpu_time_info. */
  private systemTimePage(): Uint8Array {
    const now = BigInt(Math.floor(this.clock.now()));
    const view = new DataView(new ArrayBuffer(SYSTEM_TIME_SIZE));
    view.setUint32(0, this.nextVersion(), true);
    view.setBigUint64(8, now, true);
    view.setBigUint64(16, now, true);
    view.setUint32(24, MULTIPLIER, true);
    view.setInt8(28, SHIFT);
    view.setUint8(29, STABLE);
    return new Uint8Array(view.buffer);
  }

  /** Even: the page is whole. */
  private nextVersion(): number {
    this.version += 2;
    return this.version;
  }

  /** Both pages go off. */
  reset(): void {
    this.wallClock = 0n;
    this.systemTime = new Map();
  }

  save(): DeviceState {
    return { wallClock: this.wallClock, systemTime: [...this.systemTime], version: this.version };
  }

  restore(state: DeviceState): void {
    const saved = state as { wallClock: bigint; systemTime: [number, bigint][]; version: number };
    this.wallClock = saved.wallClock;
    this.systemTime = new Map(saved.systemTime);
    this.version = saved.version;
  }
}
