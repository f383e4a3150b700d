/** The CPU of the plain PC: what the core offers, under either vendor's name, with what the user adds or takes away. */
import type { CpuVendor } from '../../x86/cpuid/answers';
import type { CpuidFeatureName } from '../../x86/cpuid/features';
import type { CpuidModel } from '../../x86/cpuid/model';
import { plainCpu, withVcpus } from '../../x86/cpuid/models';
import type { CpuChoice } from '../model';

const PHYSICAL_WIDTH = 40;
/** One tick of guest time is one nanosecond. */
const TSC_HERTZ = 1_000_000_000;

const FEATURES: readonly CpuidFeatureName[] = [
  ...(['FPU', 'VME', 'DE', 'PSE', 'TSC', 'MSR', 'PAE', 'MCE', 'CX8', 'APIC', 'SEP', 'MTRR', 'PGE'] as const),
  ...(['MCA', 'CMOV', 'PAT', 'PSE-36', 'CLFSH', 'MMX', 'FXSR', 'SSE', 'SSE2', 'SSE3', 'CMPXCHG16B'] as const),
  ...([
    'PCID',
    'x2APIC',
    'MOVBE',
    'POPCNT',
    'TSC-Deadline',
    'Hypervisor',
    'FSGSBASE',
    'SMEP',
    'ERMS',
  ] as const),
  ...(['INVPCID', 'SMAP', 'UMIP', 'PKU', 'LAHF64', 'LZCNT', 'RDTSCP', 'SYSCALL', 'NX', 'Page1GB'] as const),
  ...(['LM', 'InvariantTSC', 'SSSE3', 'SSE4_1', 'TSC_ADJUST', 'XSAVE', 'XSAVEOPT', 'XSAVEC'] as const),
  ...(['XGETBV_ECX_1', 'XSS'] as const),
];

const VENDORS = {
  intel: { signature: 0x000506e3, basic: 0x15, features: ['PKS'] },
  amd: { signature: 0x00800f12, basic: 0xd, features: [] },
} as const satisfies Record<
  CpuVendor,
  {
    signature: number;
    /** The highest basic leaf. AMD's processors do not tell the TSC's frequency in leaf 0x15, but in their P-states. */
    basic: number;
    features: readonly CpuidFeatureName[];
  }
>;

export function pcCpuProfile({ vendor, added, removed }: CpuChoice, vcpus: number): CpuidModel {
  const { features, ...processor } = VENDORS[vendor];
  const model = plainCpu({
    vendor,
    ...processor,
    physicalWidth: PHYSICAL_WIDTH,
    features: [...FEATURES, ...features, ...added],
    removed,
    leaves: vendor === 'amd' ? [] : [{ leaf: 0x15, subleaf: null, registers: [1, 100, TSC_HERTZ / 100, 0] }],
  });
  return withVcpus(model, vcpus);
}
