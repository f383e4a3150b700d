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

/** Bit of HWCR: the TSC counts at the frequency of P-state 0, which PStateDef 0 tells. */
const TSC_FREQ_SEL = 1n << 24n;
/** P-state 0 of family 17h: PstateEn, and 200 MHz times CpuFid 40 by CpuDfsId 8 is the TSC's 1 GHz. */
const PSTATE_DEF_0 = (1n << 63n) | (8n << 8n) | 40n;
/** Locked, with neither VMX nor SMX. */
const FEATURE_CONTROL_LOCKED = 1n;
/** Maximum non-turbo ratio (15:8) and maximum efficiency ratio (47:40), times 100 MHz; no CPUID faulting (31). */
const PLATFORM_RATIOS = (10n << 8n) | (10n << 40n);
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
  // What Linux probes for, and every Skylake has; those of features that are not there are not either (0x140, 0x64e).
  row(0x34, 'intel', 0n, null), // MSR_SMI_COUNT
  row(0x3a, 'intel', FEATURE_CONTROL_LOCKED, null), // IA32_FEATURE_CONTROL
  row(0xce, 'intel', PLATFORM_RATIOS, null), // MSR_PLATFORM_INFO
  row(0x1a0, 'intel', MISC_ENABLE_RESET, MISC_ENABLE_WRITABLE), // IA32_MISC_ENABLE
  // What kernels access without expecting a fault: Xen SYSCFG, Linux and OpenBSD HWCR, Linux NB_CFG1, all of them DE_CFG.
  row(0xc0010010, 'amd', 0n, ALL), // SYSCFG
  row(0xc0010015, 'amd', TSC_FREQ_SEL, ALL & ~TSC_FREQ_SEL), // HWCR
  row(0xc001001f, 'amd', 0n, ALL), // NB_CFG1
  // P-states: the first is the only one. OpenBSD takes the TSC's frequency from it.
  row(0xc0010061, 'amd', 0n, null), // PStateCurLim
  row(0xc0010062, 'amd', 0n, 7n), // PStateCtl
  row(0xc0010063, 'amd', 0n, null), // PStateStat
  row(0xc0010064, 'amd', PSTATE_DEF_0, ALL),
  ...[1, 2, 3, 4, 5, 6, 7].map((n) => row(0xc0010064 + n, 'amd', 0n, ALL)),
  row(0xc0011020, 'amd', 0n, ALL), // LS_CFG
  row(0xc0011028, 'amd', 0n, ALL), // FP_CFG
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
