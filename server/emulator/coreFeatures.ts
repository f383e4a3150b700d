/**
 * The CPUID features behind which the core has something: instructions, control bits, MSRs. A profile that offers another one
 * promises what raises #UD or #GP here.
 */
import type { CpuidFeatureName } from '../src/x86/cpuid/features';

/** What the core does, by the manuals' names. */
export const EXECUTED_FEATURES: ReadonlySet<CpuidFeatureName> = new Set<CpuidFeatureName>([
  ...(['FPU', 'VME', 'DE', 'PSE', 'TSC', 'MSR', 'PAE', 'CX8', 'APIC', 'SEP', 'MTRR', 'PGE', 'CMOV'] as const),
  ...(['PAT', 'PSE-36', 'CLFSH', 'MMX', 'FXSR', 'SSE', 'SSE2', 'SSE3', 'SSSE3', 'SSE4_1'] as const),
  ...(['MONITOR', 'CMPXCHG16B', 'PCID', 'x2APIC', 'MOVBE', 'POPCNT', 'TSC-Deadline', 'XSAVE'] as const),
  ...([
    'RDRAND',
    'RDSEED',
    'FSGSBASE',
    'TSC_ADJUST',
    'SMEP',
    'INVPCID',
    'SMAP',
    'CLFLUSHOPT',
    'CLWB',
  ] as const),
  ...([
    'UMIP',
    'PKU',
    'PKS',
    'LA57',
    'RDPID',
    'CET_IBT',
    'XSAVEOPT',
    'XSAVEC',
    'XGETBV_ECX_1',
    'XSS',
  ] as const),
  ...(['LAHF64', 'LZCNT', 'PREFETCHW', 'SYSCALL', 'NX', 'FFXSR', 'Page1GB', 'RDTSCP', 'LM'] as const),
  ...(['CLZERO', 'WBNOINVD', 'AltMovCr8', 'MisAlignSse', 'MmxExt', 'RstrFpErrPtrs'] as const),
  ...(['FDP_EXCPTN_ONLY', 'ZERO_FCS_FDS', 'NullSelectorClearsBase'] as const),
]);

/** Flags that describe: no instruction, control bit or MSR follows from them, or storage that reads as written. */
export const DESCRIPTIVE_FEATURES: ReadonlySet<CpuidFeatureName> = new Set<CpuidFeatureName>([
  // Machine checks never happen here; CR4.MCE and the MSRs are storage.
  ...(['MCE', 'MCA'] as const),
  ...([
    'Hypervisor',
    'SS',
    'HTT',
    'ERMS',
    'FSRM',
    'InvariantTSC',
    'CmpLegacy',
    'TopologyExtensions',
  ] as const),
  ...(['EferLmsleUnsupported', 'LFenceAlwaysSerializing'] as const),
  // The core sets these itself.
  ...(['OSXSAVE', 'OSPKE'] as const),
]);

/** Whether the core keeps what the feature promises. */
export function coreKeeps(name: CpuidFeatureName): boolean {
  return EXECUTED_FEATURES.has(name) || DESCRIPTIVE_FEATURES.has(name);
}
