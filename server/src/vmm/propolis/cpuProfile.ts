/**
 * The CPU that a guest of Propolis sees without a cpuid profile: the kernel's legacy handling (Vcpu::set_cpuid with no entries,
 * VCC_FLAG_LEGACY_HANDLING), which is the host's CPUID less what x86_emulate_cpuid of vmm hides. The host is a plain model CPU.
 */
import type { CpuVendor } from '../../x86/cpuid/answers';
import type { CpuidFeatureName } from '../../x86/cpuid/features';
import { CpuidModel } from '../../x86/cpuid/model';
import { brandLeaves, cpuidText, maximumAndVendor, withVcpus } from '../../x86/cpuid/models';
import type { CpuChoice } from '../model';

const HIGHEST_EXTENDED = 0x80000008;
const WIDTHS = { linear: 48, physical: 48 } as const;
const BRAND = 'Bootpath model CPU';
/** HYPERVISOR_BASE_LEAF and its vendor (enlightenment/bhyve.rs). */
const HYPERVISOR_LEAF = 0x40000000;
const HYPERVISOR = 'bhyve bhyve ';

/** Hidden by vmm among others: x2APIC, which Propolis leaves off, TSC deadline, MONITOR, PCID. */
const FEATURES: readonly CpuidFeatureName[] = [
  ...(['FPU', 'VME', 'DE', 'PSE', 'TSC', 'MSR', 'PAE', 'MCE', 'CX8', 'APIC', 'SEP', 'MTRR', 'PGE'] as const),
  ...(['MCA', 'CMOV', 'PAT', 'PSE-36', 'CLFSH', 'MMX', 'FXSR', 'SSE', 'SSE2', 'SSE3', 'SSSE3'] as const),
  ...(['SSE4_1', 'CMPXCHG16B', 'MOVBE', 'POPCNT', 'Hypervisor', 'FSGSBASE', 'SMEP', 'SMAP', 'ERMS'] as const),
  ...(['LAHF64', 'LZCNT', 'SYSCALL', 'NX', 'Page1GB', 'LM', 'InvariantTSC'] as const),
];

/** AMD's where nothing is asked for: the hosts that Propolis is made for are. */
const DEFAULT_CPU: CpuChoice = { vendor: 'amd', added: [], removed: [] };
const VENDORS = {
  amd: { name: 'AuthenticAMD', signature: 0x00a00f11 },
  intel: { name: 'GenuineIntel', signature: 0x000506e3 },
} as const satisfies Record<CpuVendor, { name: string; signature: number }>;

export function propolisCpuProfile(choice: CpuChoice | null, vcpus: number): CpuidModel {
  const { vendor, added, removed } = choice ?? DEFAULT_CPU;
  const { name, signature } = VENDORS[vendor];
  const amd = vendor === 'amd';
  const model = CpuidModel.of([
    { leaf: 0, subleaf: null, registers: maximumAndVendor(0xd, name) },
    { leaf: 1, subleaf: null, registers: [signature, 8 << 8, 0, 0] },
    {
      leaf: HYPERVISOR_LEAF,
      subleaf: null,
      registers: [
        HYPERVISOR_LEAF,
        cpuidText(HYPERVISOR.slice(0, 4)),
        cpuidText(HYPERVISOR.slice(4, 8)),
        cpuidText(HYPERVISOR.slice(8)),
      ],
    },
    {
      leaf: 0x80000000,
      subleaf: null,
      registers: amd ? maximumAndVendor(HIGHEST_EXTENDED, name) : [HIGHEST_EXTENDED, 0, 0, 0],
    },
    { leaf: 0x80000001, subleaf: null, registers: [amd ? signature : 0, 0, 0, 0] },
    ...brandLeaves(BRAND),
    { leaf: 0x80000008, subleaf: null, registers: [(WIDTHS.linear << 8) | WIDTHS.physical, 0, 0, 0] },
  ])
    .with(...FEATURES, ...added)
    .without(...removed);
  return withVcpus(model, vcpus);
}
