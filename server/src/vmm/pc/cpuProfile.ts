/** The CPU of the plain PC: everything that the core offers, under either vendor's name. */
import type { CpuVendor } from '../../x86/cpuid/answers';
import type { CpuidFeatureName } from '../../x86/cpuid/features';
import { CpuidModel } from '../../x86/cpuid/model';
import { maximumAndVendor, withVcpus } from '../../x86/cpuid/models';

const PHYSICAL_WIDTH = 40;
/** One tick of guest time is one nanosecond. */
const TSC_HERTZ = 1_000_000_000;

const FEATURES: readonly CpuidFeatureName[] = [
  ...([
    'FPU',
    'VME',
    'DE',
    'PSE',
    'TSC',
    'MSR',
    'PAE',
    'MCE',
    'CX8',
    'APIC',
    'SEP',
    'MTRR',
    'PGE',
    'MCA',
  ] as const),
  ...([
    'CMOV',
    'PAT',
    'PSE-36',
    'CLFSH',
    'MMX',
    'FXSR',
    'SSE',
    'SSE2',
    'CMPXCHG16B',
    'PCID',
    'x2APIC',
  ] as const),
  ...([
    'TSC-Deadline',
    'Hypervisor',
    'FSGSBASE',
    'SMEP',
    'ERMS',
    'INVPCID',
    'SMAP',
    'UMIP',
    'LAHF64',
  ] as const),
  ...(['RDTSCP', 'PKU', 'SYSCALL', 'NX', 'Page1GB', 'LM', 'InvariantTSC'] as const),
];

const VENDORS = {
  intel: { name: 'GenuineIntel', signature: 0x000506e3 },
  amd: { name: 'AuthenticAMD', signature: 0x00800f12 },
} as const;

export function pcCpuProfile(vendor: CpuVendor, vcpus: number): CpuidModel {
  const { name, signature } = VENDORS[vendor];
  const model = CpuidModel.of([
    { leaf: 0, subleaf: null, registers: maximumAndVendor(0x15, name) },
    { leaf: 1, subleaf: null, registers: [signature, 8 << 8, 0, 0] },
    { leaf: 0x15, subleaf: null, registers: [1, 100, TSC_HERTZ / 100, 0] },
    { leaf: 0x80000000, subleaf: null, registers: [0x80000008, 0, 0, 0] },
    { leaf: 0x80000008, subleaf: null, registers: [(48 << 8) | PHYSICAL_WIDTH, 0, 0, 0] },
  ]).with(...FEATURES);
  return withVcpus(model, vcpus);
}
