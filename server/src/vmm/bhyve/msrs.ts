/**
 * MSRs that the emulator core leaves to the board, as vmm and bhyve have them: first the kernel (vmx_msr.c, vmx_rdmsr and
 * vmx_wrmsr; svm_msr.c), then userland (xmsr.c, emulate_rdmsr and emulate_wrmsr). Everything else is #GP(0), or reads as zero
 * where the config says x86.strictmsr=false (vmexit_rdmsr, vmexit_wrmsr).
 */
import type { Device, DeviceState } from '../../devices/device';
import type { CpuVendor } from '../../x86/cpuid/answers';
import type { BhyveFacts } from './versions';

interface Row {
  readonly first: number;
  /** Inclusive. */
  readonly last: number;
  /** Null where RDMSR is refused. */
  readonly read: bigint | null;
  /** `same`: only the value that it has is taken, and the XD bit is left out of account. */
  readonly write: 'refused' | 'ignored' | 'same';
}

const row = (first: number, read: bigint | null, write: Row['write'] = 'refused', last = first): Row => ({
  first,
  last,
  read,
  write,
});

/** vmx_msr_init: the host's, here fast strings alone, with PEBS and branch traces unavailable and without EIST and MONITOR. */
const MISC_ENABLE = 0x1801n;
const XD_DISABLE = 1n << 34n;
/** 1 GHz in units of 100 MHz, as maximum non-turbo and as minimum ratio. */
const PLATFORM_INFO = (10n << 8n) | (10n << 40n);
const TURBO = 0x0a0a0a0a0a0a0a0an;
/** xmsr.c: fixed, so that energy counters of zero make sense. */
const RAPL_POWER_UNIT = 0x000a1003n;
/** HWCR as xmsr.c has it: the reset value of families 12h to 16h, and bit 9, MONITOR and MWAIT disabled. */
const HWCR = 0x01000010n | 0x200n;
const SVM_DISABLED = 0x10n;
const LFENCE_SERIALIZES = 2n;

const INTEL: readonly Row[] = [
  row(0x17, 0n), // IA32_PLATFORM_ID
  row(0x3a, 1n), // IA32_FEATURE_CONTROL: locked
  row(0x79, null, 'ignored'), // IA32_BIOS_UPDT_TRIG
  row(0x8b, 0n, 'ignored'), // IA32_BIOS_SIGN_ID
  row(0xce, PLATFORM_INFO), // MSR_PLATFORM_INFO
  row(0x140, 0n), // MSR_MISC_FEATURE_ENABLES
  row(0x1a0, MISC_ENABLE, 'same'), // IA32_MISC_ENABLE
  row(0x1ad, TURBO, 'refused', 0x1ae), // MSR_TURBO_RATIO_LIMIT and 1
  row(0x606, RAPL_POWER_UNIT), // MSR_RAPL_POWER_UNIT
  ...[0x611, 0x619, 0x639, 0x641].map((index) => row(index, 0n)), // energy status
  row(0xc24, null, 'ignored'), // P3 of Broadwell's uncore
  row(0xd04, null, 'ignored'),
];
/** illumos takes writes to the first two performance counters and their selectors. */
const INTEL_ILLUMOS: readonly Row[] = [row(0xc1, null, 'ignored', 0xc2), row(0x186, null, 'ignored', 0x187)];

const AMD: readonly Row[] = [
  row(0x8b, 0n), // PATCH_LEVEL
  row(0xc0010010, 0n, 'ignored'), // SYSCFG
  row(0xc0010020, null, 'ignored'), // PATCH_LOADER
  row(0xc0010055, 0n, 'ignored'), // interrupt pending message
  row(0xc0010000, 0n, 'ignored', 0xc0010007), // PerfEvtSel0 to 3 and PerfCtr0 to 3
  row(0xc0010015, HWCR, 'ignored'), // HWCR
  row(0xc001001f, 0n, 'ignored'), // NB_CFG1
  row(0xc0010061, 0n), // P-state limit
  row(0xc0010062, 0n, 'ignored'), // P-state control
  row(0xc0010063, 0n, 'refused', 0xc0010064), // P-state status, and the first one's definition
  row(0xc0010112, 0n, 'refused', 0xc0010113), // SMM address and mask
  row(0xc0010114, SVM_DISABLED), // VM_CR
  row(0xc0011005, 0n, 'ignored'), // CPUID feature override
  row(0xc0011020, 0n, 'ignored'), // LS_CFG
  row(0xc0011021, 0n, 'ignored'), // IC_CFG
];
/** DE_CFG: erratum 721 for OpenBSD in userland, or LFENCE in illumos' kernel. */
const DE_CFG = 0xc0011029;
const AMD_FREEBSD: readonly Row[] = [row(DE_CFG, 1n)];
const AMD_ILLUMOS: readonly Row[] = [row(DE_CFG, LFENCE_SERIALIZES, 'ignored')];

const ROWS = {
  intel: { illumos: [...INTEL_ILLUMOS, ...INTEL], freebsd: INTEL },
  amd: { illumos: [...AMD_ILLUMOS, ...AMD], freebsd: [...AMD_FREEBSD, ...AMD] },
} as const;

export class BhyveMsrs implements Device {
  readonly name = 'MSRs of vmm and bhyve';
  private readonly rows: readonly Row[];

  constructor(
    vendor: CpuVendor,
    { os }: Pick<BhyveFacts, 'os'>,
    private readonly strict: boolean,
  ) {
    this.rows = ROWS[vendor][os];
  }

  /** Null is #GP(0). */
  read(index: number): bigint | null {
    return this.row(index)?.read ?? (this.strict ? null : 0n);
  }

  /** False is #GP(0). */
  write(index: number, value: bigint): boolean {
    const found = this.row(index);
    if (!found || found.write === 'refused') return !this.strict;
    if (found.write === 'ignored') return true;
    return ((value ^ (found.read ?? 0n)) & ~XD_DISABLE) === 0n || !this.strict;
  }

  private row(index: number): Row | undefined {
    return this.rows.find(({ first, last }) => index >= first && index <= last);
  }

  reset(): void {}

  save(): DeviceState {
    return {};
  }

  restore(): void {}
}
