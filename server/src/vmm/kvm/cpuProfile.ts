/**
 * The CPU that a VMM on KVM shows: KVM_GET_SUPPORTED_CPUID of its host with KVM's own leaves (Linux arch/x86/kvm/cpuid.c;
 * Documentation/virt/kvm/x86/cpuid.rst). The host is a plain model CPU of either vendor.
 */
import type { CpuidFeatureName } from '../../x86/cpuid/features';
import type { CpuidModel } from '../../x86/cpuid/model';
import { cpuidText, plainCpu, withVcpus } from '../../x86/cpuid/models';
import type { CpuChoice } from '../model';

const PHYSICAL_WIDTH = 46;
/** One tick of guest time is one nanosecond. */
const TSC_HERTZ = 1_000_000_000;

/** Leaf 0x40000000: `KVMKVMKVM` and the highest leaf. */
const SIGNATURE = 'KVMKVMKVM';
const HIGHEST_KVM = 0x40000001;
/**
 * CLOCKSOURCE, NOP_IO_DELAY, CLOCKSOURCE2 and CLOCKSOURCE_STABLE_BIT. KVM offers more (steal time, asynchronous page faults,
 * paravirtual EOI, IPIs and TLB flushes), which the models leave out.
 */
const PARAVIRTUAL = (1 << 0) | (1 << 1) | (1 << 3) | (1 << 24);

const FEATURES: readonly CpuidFeatureName[] = [
  ...(['FPU', 'VME', 'DE', 'PSE', 'TSC', 'MSR', 'PAE', 'MCE', 'CX8', 'APIC', 'SEP', 'MTRR', 'PGE'] as const),
  ...(['MCA', 'CMOV', 'PAT', 'PSE-36', 'CLFSH', 'MMX', 'FXSR', 'SSE', 'SSE2', 'SSE3', 'CMPXCHG16B'] as const),
  ...(['SSSE3', 'SSE4_1', 'MOVBE', 'POPCNT', 'x2APIC', 'TSC-Deadline', 'TSC_ADJUST', 'Hypervisor'] as const),
  ...(['XSAVE', 'XSAVEOPT', 'XSAVEC', 'XGETBV_ECX_1', 'XSS', 'FSGSBASE', 'SMEP', 'SMAP', 'UMIP'] as const),
  ...(['ERMS', 'INVPCID', 'PKU', 'CLFLUSHOPT', 'CLWB', 'LAHF64', 'LZCNT', 'PREFETCHW', 'RDTSCP'] as const),
  ...(['SYSCALL', 'NX', 'Page1GB', 'LM', 'InvariantTSC'] as const),
];

const VENDORS = {
  /** Skylake server. */
  intel: { signature: 0x00050654, basic: 0x16, features: ['PCID'] },
  /** Zen 2; AMD does not tell the TSC's frequency by CPUID. */
  amd: { signature: 0x00830f10, basic: 0x10, features: ['LFenceAlwaysSerializing'] },
} as const;

export const KVM_DEFAULT_CPU: CpuChoice = { vendor: 'intel', added: [], removed: [] };

export function kvmCpuProfile({ vendor, added, removed }: CpuChoice, vcpus: number): CpuidModel {
  const { features, ...processor } = VENDORS[vendor];
  const model = plainCpu({
    vendor,
    ...processor,
    physicalWidth: PHYSICAL_WIDTH,
    features: [...FEATURES, ...features, ...added],
    removed,
    leaves: [
      { leaf: 0xb, subleaf: 0, registers: [0, 1, 0x100, 0] },
      ...(vendor === 'amd'
        ? []
        : [{ leaf: 0x15, subleaf: null, registers: [1, 100, TSC_HERTZ / 100, 0] } as const]),
      { leaf: 0x40000000, subleaf: null, registers: [HIGHEST_KVM, ...signatureWords()] },
      { leaf: 0x40000001, subleaf: null, registers: [PARAVIRTUAL, 0, 0, 0] },
    ],
  });
  return withVcpus(model, vcpus);
}

function signatureWords(): [number, number, number] {
  const [ebx, ecx, edx] = [0, 4, 8].map((at) => cpuidText(SIGNATURE.slice(at)));
  return [ebx!, ecx!, edx!];
}
