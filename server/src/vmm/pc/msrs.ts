/** MSRs of the plain PC's CPU that the core leaves to the board: they are kept and do nothing (SDM vol. 4; APM vol. 2, appendix A). */
import type { Device, DeviceState } from '../../devices/device';
import type { CpuVendor } from '../../x86/cpuid/answers';

interface Row {
  readonly index: number;
  readonly vendor: CpuVendor;
  /** After power-on. */
  readonly value: bigint;
  /** Bits that a write changes; the others keep their value. Null: a write is #GP(0). */
  readonly writable: bigint | null;
}

const ALL = (1n << 64n) - 1n;

/** Bits 11 and 12 say that there is neither branch trace storage nor PEBS; 0 is fast strings. */
const MISC_ENABLE_RESET = 0x1801n;
/** Fast strings, TCC, EIST, MONITOR, limited CPUID, xTPR, XD disable. */
const MISC_ENABLE_WRITABLE = 0x400c50009n;

/** Bit of HWCR. It stays clear: where it is set there are P-state MSRs. */
const TSC_FREQ_SEL = 1n << 24n;
/** Bit of DE_CFG. */
const LFENCE_SERIALIZES = 2n;

const row = (index: number, vendor: CpuVendor, value: bigint, writable: bigint | null): Row => ({
  index,
  vendor,
  value,
  writable,
});

const ROWS: readonly Row[] = [
  row(0x17, 'intel', 0n, null), // IA32_PLATFORM_ID
  row(0x8b, 'intel', 0n, ALL), // IA32_BIOS_SIGN_ID
  row(0x8b, 'amd', 0n, null), // PATCH_LEVEL
  row(0x1a0, 'intel', MISC_ENABLE_RESET, MISC_ENABLE_WRITABLE), // IA32_MISC_ENABLE
  // What kernels access without expecting a fault: Xen SYSCFG, Linux and OpenBSD HWCR, Linux NB_CFG1, all of them DE_CFG.
  row(0xc0010010, 'amd', 0n, ALL), // SYSCFG
  row(0xc0010015, 'amd', 0n, ALL & ~TSC_FREQ_SEL), // HWCR
  row(0xc001001f, 'amd', 0n, ALL), // NB_CFG1
  row(0xc0011029, 'amd', LFENCE_SERIALIZES, ALL), // DE_CFG
  // PERF_CTL0 to 3 and PERF_CTR0 to 3, which every AMD processor has.
  ...[0, 1, 2, 3].map((n) => row(0xc0010000 + n, 'amd', 0n, ALL)),
  ...[4, 5, 6, 7].map((n) => row(0xc0010000 + n, 'amd', 0n, (1n << 48n) - 1n)),
];

export class PcMsrs implements Device {
  readonly name = 'MSRs';
  private readonly rows: ReadonlyMap<number, Row>;
  private values: Map<string, bigint>;

  /** Each vCPU has its own. */
  constructor(vendor: CpuVendor) {
    this.rows = new Map(ROWS.filter((one) => one.vendor === vendor).map((one) => [one.index, one]));
    this.values = new Map();
  }

  read(index: number, vcpu: number): bigint | null {
    const found = this.rows.get(index);
    return found ? (this.values.get(key(index, vcpu)) ?? found.value) : null;
  }

  write(index: number, value: bigint, vcpu: number): boolean {
    const found = this.rows.get(index);
    if (!found || found.writable === null) return false;
    const old = this.read(index, vcpu) ?? 0n;
    this.values.set(key(index, vcpu), (old & ~found.writable) | (value & found.writable));
    return true;
  }

  reset(): void {
    this.values = new Map();
  }

  save(): DeviceState {
    return { values: [...this.values] };
  }

  restore(state: DeviceState): void {
    this.values = new Map((state as { values: [string, bigint][] }).values);
  }
}

function key(index: number, vcpu: number): string {
  return `${vcpu}.${index}`;
}
