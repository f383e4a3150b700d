/** The CPU of the plain PC: what the core offers, under either vendor's name, with what the user adds or takes away. */
import { hasFeature, type CpuVendor } from '../../x86/cpuid/answers';
import type { CpuidFeatureName } from '../../x86/cpuid/features';
import { CpuidModel } from '../../x86/cpuid/model';
import { maximumAndVendor, withVcpus } from '../../x86/cpuid/models';
import type { CpuChoice } from '../model';

const PHYSICAL_WIDTH = 40;
const HIGHEST_EXTENDED = 0x80000008;
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
  intel: { name: 'GenuineIntel', signature: 0x000506e3, basic: 0x15, features: ['PKS'] },
  amd: { name: 'AuthenticAMD', signature: 0x00800f12, basic: 0xd, features: [] },
} as const satisfies Record<
  CpuVendor,
  {
    name: string;
    signature: number;
    /** The highest basic leaf. AMD's processors do not tell the TSC's frequency in leaf 0x15, but in their P-states. */
    basic: number;
    features: readonly CpuidFeatureName[];
  }
>;

export function pcCpuProfile({ vendor, added, removed }: CpuChoice, vcpus: number): CpuidModel {
  const { name, signature, basic, features } = VENDORS[vendor];
  const amd = vendor === 'amd';
  const model = CpuidModel.of([
    { leaf: 0, subleaf: null, registers: maximumAndVendor(basic, name) },
    { leaf: 1, subleaf: null, registers: [signature, 8 << 8, 0, 0] },
    ...(amd ? [] : [{ leaf: 0x15, subleaf: null, registers: [1, 100, TSC_HERTZ / 100, 0] } as const]),
    // AMD repeats vendor and signature in the extended leaves (APM vol. 3, E.4.1).
    {
      leaf: 0x80000000,
      subleaf: null,
      registers: amd ? maximumAndVendor(HIGHEST_EXTENDED, name) : [HIGHEST_EXTENDED, 0, 0, 0],
    },
    { leaf: 0x80000001, subleaf: null, registers: [amd ? signature : 0, 0, 0, 0] },
    { leaf: 0x80000008, subleaf: null, registers: [PHYSICAL_WIDTH, 0, 0, 0] },
  ])
    .with(...FEATURES, ...features, ...added)
    .without(...removed);
  const linear = hasFeature(model, 'LA57') ? 57 : 48;
  return withVcpus(withXsave(model).force(0x80000008, 0, { eax: linear << 8 }), vcpus);
}

/** Leaf 0xD: x87 and SSE in the legacy region, PKRU where Intel and AMD put it (SDM vol. 1, 13.2). */
function withXsave(model: CpuidModel): CpuidModel {
  if (!hasFeature(model, 'XSAVE')) return model.replace(0xd, null, null);
  if (!hasFeature(model, 'PKU')) return model.replace(0xd, 0, [3, 576, 576, 0]);
  return model.replace(0xd, 0, [0x203, 576, 0xa88, 0]).replace(0xd, 9, [8, 0xa80, 0, 0]);
}
