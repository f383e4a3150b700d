/**
 * The CPU as vmm(4) shows it to a guest: the host's own CPUID minus what it masks (sys/arch/amd64/amd64/vmm_machdep.c
 * rev 1.34, vmm_handle_cpuid, and the VMM_CPUID*_MASK lists of vmmvar.h). The host is a plain model CPU.
 */
import { CpuidModel, type CpuidLeaf } from '../../x86/cpuid/model';
import { brandLeaves, cpuidText, maximumAndVendor } from '../../x86/cpuid/models';
import type { CpuidFeatureName } from '../../x86/cpuid/features';

const PHYSICAL_WIDTH = 39;
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
}

const LEAVES: readonly CpuidLeaf[] = [
  { leaf: 0, subleaf: null, registers: maximumAndVendor(HIGHEST_BASIC, 'GenuineIntel') },
  { leaf: 1, subleaf: null, registers: [0x000506e3, 8 << 8, 0, 0] },
  { leaf: 0x15, subleaf: null, registers: [1, 100, TSC_HERTZ / 100, 0] },
  {
    leaf: 0x40000000,
    subleaf: null,
    registers: [
      0,
      cpuidText(SIGNATURE.slice(0, 4)),
      cpuidText(SIGNATURE.slice(4, 8)),
      cpuidText(SIGNATURE.slice(8)),
    ],
  },
  { leaf: 0x80000000, subleaf: null, registers: [HIGHEST_EXTENDED, 0, 0, 0] },
  ...brandLeaves(BRAND),
  { leaf: 0x80000008, subleaf: null, registers: [(48 << 8) | PHYSICAL_WIDTH, 0, 0, 0] },
];

/** A leaf beyond the highest basic or extended one gives the highest basic one, whoever made the host's CPU. */
const MODEL = CpuidModel.of(LEAVES, () => HIGHEST_BASIC).with(...FEATURES);

export function vmdCpuProfile({ localApic, x2apic, ibt }: VmdCpuOptions): CpuidModel {
  const more: CpuidFeatureName[] = [];
  if (localApic) more.push('APIC');
  if (x2apic) more.push('x2APIC');
  if (ibt) more.push('CET_IBT');
  return MODEL.with(...more);
}
