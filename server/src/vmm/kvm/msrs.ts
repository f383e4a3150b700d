/**
 * What KVM does with the MSRs that the emulator core leaves to the board. An index that KVM does not know is #GP(0), since
 * `ignore_msrs` is off unless the host's administrator sets it. Linux arch/x86/kvm/msrs.c (kvm_get_msr_common and
 * kvm_set_msr_common, read at 37352c4fbdd7, 2026), vmx/vmx.c and svm/svm.c.
 */
import type { Device, DeviceState } from '../../devices/device';
import type { CpuVendor } from '../../x86/cpuid/answers';
import type { ParavirtualClock } from './paravirtualClock';

/** What a WRMSR of the guest does. */
type Write =
  /** #GP(0). */
  | 'refused'
  /** Thrown away without a fault. */
  | 'ignored'
  /** Bits that are taken; any other set bit is #GP(0). */
  | { readonly kept: bigint; readonly dropped?: bigint }
  /** Taken whole, but these bits must stay as they are. */
  | { readonly fixed: bigint; readonly readOnly: bigint };

interface Row {
  readonly first: number;
  /** Inclusive. */
  readonly last: number;
  /** After KVM_CREATE_VCPU; null where RDMSR is #GP(0). */
  readonly value: bigint | null;
  readonly write: Write;
}

const ALL = (1n << 64n) - 1n;
/** PEBS and branch trace storage are unavailable: bits 12 and 11, which a guest may not change; EMON, bit 7, stays. */
const MISC_ENABLE = { value: 0x1800n, fixed: 0x1800n, readOnly: 0x80n } as const;
/** HWCR: McStatusWrEn and TscFreqSel are taken; ignne emulation, flush filter and TLB cache disable are dropped. */
const HWCR = { kept: (1n << 18n) | (1n << 24n), dropped: 0x148n } as const;
const LFENCE_SERIALIZE = 2n;

const row = (first: number, value: bigint | null, write: Write, last = first): Row => ({
  first,
  last,
  value,
  write,
});

/** In whichever vendor's guest: KVM's common code does not ask for the vendor. */
const COMMON: readonly Row[] = [
  row(0x0, 0n, 'refused', 0x1), // IA32_P5_MC_ADDR, IA32_P5_MC_TYPE
  row(0x17, 0n, 'refused'), // IA32_PLATFORM_ID
  row(0x2a, 0n, 'refused'), // IA32_EBL_CR_POWERON
  row(0x2c, 1n << 24n, 'refused'), // MSR_EBC_FREQUENCY_ID: core to bus frequency ratio 1
  row(0x34, 0n, 'refused'), // MSR_SMI_COUNT
  row(0x79, null, 'ignored'), // IA32_BIOS_UPDT_TRIG
  row(0xc1, 0n, 'ignored', 0xc2), // IA32_PMC0 and 1, without a PMU
  row(0xcd, 3n, 'refused'), // MSR_FSB_FREQ
  row(0xce, 1n << 31n, 'refused'), // MSR_PLATFORM_INFO: CPUID faulting
  row(0x11e, 0xbe702111n, 'ignored'), // MSR_BBL_CR_CTL3
  row(0x140, 0n, { kept: 1n }), // MSR_MISC_FEATURES_ENABLES
  row(0x186, 0n, 'ignored', 0x187), // IA32_PERFEVTSEL0 and 1, without a PMU
  row(0x198, 1000n | (4n << 40n), 'refused'), // IA32_PERF_STATUS
  row(0x199, 0n, 'refused'), // IA32_PERF_CTL
  row(0x1a0, MISC_ENABLE.value, MISC_ENABLE), // IA32_MISC_ENABLE
  row(0x1db, 0n, 'refused', 0x1de), // last branch and last interrupt, from and to
  row(0x1fc, 0n, { kept: ALL }), // MSR_POWER_CTL
  // Energy counters, which must read as zero: MSR_RAPL_POWER_UNIT and the package, DRAM and both power planes.
  ...[0x606, 0x611, 0x619, 0x639, 0x641].map((index) => row(index, 0n, 'refused')),
  row(0xc0010000, 0n, 'ignored', 0xc0010007), // PERF_CTL0 to 3 and PERF_CTR0 to 3, without a PMU
  row(0xc0010010, 0n, 'refused'), // SYSCFG
  row(0xc0010015, 0n, HWCR),
  row(0xc001001b, 0x20000000n, 'ignored'), // CLK_CTL
  row(0xc001001f, 0n, 'ignored'), // NB_CFG
  row(0xc0010020, null, 'ignored'), // PATCH_LOADER
  row(0xc0010055, 0n, 'refused'), // INT_PENDING_MSG
  row(0xc0010058, 0n, { kept: 0n }), // MMIO_CONF_BASE
  row(0xc0010112, 0n, 'refused', 0xc0010113), // TSEG address and mask
  row(0xc0010117, 0n, 'ignored'), // VM_HSAVE_PA
  row(0xc0011022, 0n, 'ignored', 0xc0011023), // DC_CFG, TW_CFG
  row(0xc001102a, 0n, 'ignored'), // BU_CFG2
  row(0xc001102c, 0n, 'ignored'), // EX_CFG
];

const BY_VENDOR: Readonly<Record<CpuVendor, readonly Row[]>> = {
  intel: [
    row(0x3a, 0n, { kept: 1n }), // IA32_FEATURE_CONTROL: without VMX and SMX only the lock bit
    row(0x8b, 0x100000000n, 'ignored'), // IA32_BIOS_SIGN_ID
    row(0x1d9, 0n, { kept: 0n, dropped: 3n }), // IA32_DEBUGCTL: LBR and BTF are dropped
  ],
  amd: [
    row(0x8b, 0x01000065n, 'ignored'), // PATCH_LEVEL
    row(0xc0011029, LFENCE_SERIALIZE, { kept: LFENCE_SERIALIZE }), // DE_CFG
  ],
};

const FEATURE_CONTROL = 0x3a;

export class KvmMsrs implements Device {
  readonly name = 'KVM’s MSRs';
  private readonly rows: readonly Row[];
  private values: Map<string, bigint> = new Map();

  /**
   * `initial`: what the VMM sets with KVM_SET_MSRS on every vCPU before the first instruction, of those here; as host it may
   * set every bit, also of what a guest may not write.
   */
  constructor(
    vendor: CpuVendor,
    private readonly clock: ParavirtualClock | null,
    private readonly initial: ReadonlyMap<number, bigint> = new Map(),
  ) {
    this.rows = [...COMMON, ...BY_VENDOR[vendor]];
  }

  /** Null is #GP(0). */
  read(index: number, vcpu: number): bigint | null {
    const found = this.row(index);
    if (!found) return this.clock?.read(index, vcpu) ?? null;
    if (found.value === null) return null;
    return this.values.get(`${vcpu}.${index}`) ?? this.initial.get(index) ?? found.value;
  }

  /** False is #GP(0). */
  write(index: number, value: bigint, vcpu: number): boolean {
    const found = this.row(index);
    if (!found) return this.clock?.write(index, value, vcpu) ?? false;
    const { write } = found;
    if (write === 'refused') return false;
    if (write === 'ignored') return true;
    const old = this.read(index, vcpu) ?? 0n;
    if (index === FEATURE_CONTROL && (old & 1n) !== 0n) return false;
    if ('fixed' in write) {
      if (((old ^ value) & write.fixed) !== 0n) return false;
      this.values.set(`${vcpu}.${index}`, (value & ~write.readOnly) | (old & write.readOnly));
      return true;
    }
    const asked = value & ~(write.dropped ?? 0n);
    if ((asked & ~write.kept) !== 0n) return false;
    this.values.set(`${vcpu}.${index}`, asked);
    return true;
  }

  private row(index: number): Row | undefined {
    return this.rows.find(({ first, last }) => index >= first && index <= last);
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
