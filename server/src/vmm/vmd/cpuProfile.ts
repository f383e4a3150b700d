/**
 * The CPU as vmm(4) shows it to a guest: the host's own CPUID minus what it masks (sys/arch/amd64/amd64/vmm_machdep.c
 * rev 1.34, vmm_handle_cpuid, and the VMM_CPUID*_MASK lists of vmmvar.h). The host is a plain model CPU.
 */
import type { CpuProfile } from '../../../emulator/face';
import type { CpuChoice } from '../model';
import { CpuidModel, type CpuidLeaf } from '../../x86/cpuid/model';
import { brandLeaves, cpuidText, maximumAndVendor } from '../../x86/cpuid/models';
import type { CpuidFeatureName } from '../../x86/cpuid/features';

const PHYSICAL_WIDTH = 39;
const AMD_PHYSICAL_WIDTH = 48;
/** The highest basic leaf: raised to 0x15 where the host's TSC is invariant. */
const HIGHEST_BASIC = 0x15;
const HIGHEST_EXTENDED = 0x8000001f;
/** One tick of guest time is one nanosecond. */
const TSC_HERTZ = 1_000_000_000;

/** What passes the masks. */
const FEATURES: readonly CpuidFeatureName[] = [
  ...([
    'FPU',
    'VME',
    'DE',
    'PSE',
    'TSC',
    'MSR',
    'PAE',
    'CX8',
    'SEP',
    'PGE',
    'CMOV',
    'PAT',
    'PSE-36',
  ] as const),
  ...(['CLFSH', 'MMX', 'FXSR', 'SSE', 'SSE2', 'CMPXCHG16B', 'Hypervisor'] as const),
  ...(['FSGSBASE', 'SMEP', 'ERMS', 'SMAP', 'UMIP', 'LAHF64', 'SYSCALL', 'NX', 'Page1GB', 'LM'] as const),
  'InvariantTSC',
];

const BRAND = 'Bootpath model CPU';
const SIGNATURE = 'OpenBSDVMM58';

export interface VmdCpuOptions {
  readonly localApic: boolean;
  readonly x2apic: boolean;
  /** The host itself runs with CR4.CET. */
  readonly ibt: boolean;
  /** The host's CPU as the user asks for it; null is an Intel one. */
  readonly cpu: CpuChoice | null;
}

const HYPERVISOR_LEAF: CpuidLeaf = {
  leaf: 0x40000000,
  subleaf: null,
  registers: [
    0,
    cpuidText(SIGNATURE.slice(0, 4)),
    cpuidText(SIGNATURE.slice(4, 8)),
    cpuidText(SIGNATURE.slice(8)),
  ],
};

const INTEL: readonly CpuidLeaf[] = [
  { leaf: 0, subleaf: null, registers: maximumAndVendor(HIGHEST_BASIC, 'GenuineIntel') },
  { leaf: 1, subleaf: null, registers: [0x000506e3, 8 << 8, 0, 0] },
  { leaf: 0x15, subleaf: null, registers: [1, 100, TSC_HERTZ / 100, 0] },
  HYPERVISOR_LEAF,
  { leaf: 0x80000000, subleaf: null, registers: [HIGHEST_EXTENDED, 0, 0, 0] },
  ...brandLeaves(BRAND),
  { leaf: 0x80000008, subleaf: null, registers: [(48 << 8) | PHYSICAL_WIDTH, 0, 0, 0] },
];

/** Family 17h, model 71h. vmm(4) raises the highest basic leaf here, too. */
const AMD: readonly CpuidLeaf[] = [
  { leaf: 0, subleaf: null, registers: maximumAndVendor(HIGHEST_BASIC, 'AuthenticAMD') },
  { leaf: 1, subleaf: null, registers: [0x00870f10, 8 << 8, 0, 0] },
  { leaf: 0x15, subleaf: null, registers: [1, 100, TSC_HERTZ / 100, 0] },
  HYPERVISOR_LEAF,
  { leaf: 0x80000000, subleaf: null, registers: maximumAndVendor(HIGHEST_EXTENDED, 'AuthenticAMD') },
  { leaf: 0x80000001, subleaf: null, registers: [0x00870f10, 0, 0, 0] },
  ...brandLeaves(BRAND),
  { leaf: 0x80000008, subleaf: null, registers: [(48 << 8) | AMD_PHYSICAL_WIDTH, 0, 0, 0] },
];

/** A leaf beyond the highest basic or extended one gives the highest basic one, whoever made the host's CPU. */
const modelOf = (leaves: readonly CpuidLeaf[]): CpuidModel =>
  CpuidModel.of(leaves, () => HIGHEST_BASIC).with(...FEATURES);
const MODELS = { intel: modelOf(INTEL), amd: modelOf(AMD) } as const;

/** vmm(4) never intercepts MOV to CR0, CR3 or CR4 on AMD (vcpu_reset_regs_svm), so the processor's own rules hold. */
export function vmdCpuProfile({ localApic, x2apic, ibt, cpu }: VmdCpuOptions): CpuProfile {
  const vendor = cpu?.vendor ?? 'intel';
  const more: CpuidFeatureName[] = [];
  if (localApic) more.push('APIC');
  if (x2apic) more.push('x2APIC');
  if (ibt && vendor === 'intel') more.push('CET_IBT');
  const model = MODELS[vendor].with(...more, ...(cpu?.added ?? [])).without(...(cpu?.removed ?? []));
  return { cpuid: (leaf, subleaf, vcpu) => model.cpuid(leaf, subleaf, vcpu), nestedPaging: true };
}
