/**
 * The CPU as vmm shows it: the host's own CPUID behind the masks of x86_emulate_cpuid (FreeBSD sys/amd64/vmm/x86.c, read at
 * commit 0162500b7 and as of 2025) and of illumos' legacy_emulate_cpuid (vmm_cpuid.c). The host is a plain model CPU of either
 * vendor.
 */
import type { CpuProfile } from '../../../emulator/face';
import { hasFeature } from '../../x86/cpuid/answers';
import type { CpuidFeatureName } from '../../x86/cpuid/features';
import { CpuidModel } from '../../x86/cpuid/model';
import { cpuidText, maximumAndVendor } from '../../x86/cpuid/models';
import type { CpuChoice } from '../model';
import type { BhyveFacts } from './versions';

const SIGNATURE = 'bhyve bhyve ';
const HYPERVISOR = 0x40000000;
const EXTENDED = 0x80000000;
const HIGHEST_EXTENDED = 0x80000008;
const HIGHEST_EXTENDED_AMD = 0x8000001e;
const PHYSICAL_WIDTH = 46;
const LINEAR_WIDTH = 48;
/** One tick of guest time is one nanosecond. */
const MEGAHERTZ = 1000;

export const BHYVE_DEFAULT_CPU: CpuChoice = { vendor: 'intel', added: [], removed: [] };

/** Of the host: all that the emulator has and the masks let through, and what they take away again. */
const FEATURES: readonly CpuidFeatureName[] = [
  ...(['FPU', 'VME', 'DE', 'PSE', 'TSC', 'MSR', 'PAE', 'MCE', 'CX8', 'APIC', 'SEP', 'MTRR', 'PGE'] as const),
  ...(['MCA', 'CMOV', 'PAT', 'PSE-36', 'CLFSH', 'MMX', 'FXSR', 'SSE', 'SSE2', 'SSE3', 'CMPXCHG16B'] as const),
  ...(['SSSE3', 'SSE4_1', 'MOVBE', 'POPCNT', 'x2APIC', 'TSC-Deadline', 'TSC_ADJUST', 'XSAVE'] as const),
  ...(['XSAVEOPT', 'XSAVEC', 'XGETBV_ECX_1', 'XSS', 'FSGSBASE', 'SMEP', 'SMAP', 'UMIP', 'ERMS'] as const),
  ...(['CLFLUSHOPT', 'CLWB', 'LAHF64', 'LZCNT', 'PREFETCHW', 'RDTSCP', 'SYSCALL', 'NX', 'Page1GB'] as const),
  ...(['LM', 'InvariantTSC'] as const),
];

const VENDORS = {
  /** Skylake server. */
  intel: { name: 'GenuineIntel', signature: 0x00050654, basic: 0x16, features: ['PCID', 'INVPCID'] },
  /** Zen 2. */
  amd: { name: 'AuthenticAMD', signature: 0x00830f10, basic: 0x10, features: [] },
} as const;

/** Taken out of leaf 1. */
const HIDDEN: readonly CpuidFeatureName[] = [
  ...(['VMX', 'SMX', 'EIST', 'TM2', 'MONITOR', 'PDCM', 'TSC-Deadline', 'ACPI', 'TM', 'DS'] as const),
  ...(['SVM', 'IBS', 'OSVW', 'MONITORX', 'PerfCtrExtCore'] as const),
];
/** Let through of leaf 7: FSGSBASE, BMI1, HLE, AVX2, SMEP, BMI2, ERMS, INVPCID, RTM, RDSEED, SMAP, SHA and AVX-512. */
const LEAF_7_EBX = 0xfc170fb9;
const LEAF_7_ECX = (1 << 9) | (1 << 10);
const LEAF_7_EDX = 1 << 10;
const XSAVEOPT = 1;
const ARAT = 4;

export interface BhyveCpuOptions {
  readonly facts: BhyveFacts;
  readonly x2apic: boolean;
  readonly cores: number;
  readonly threads: number;
}

export function bhyveCpuProfile(cpu: CpuChoice, options: BhyveCpuOptions): CpuProfile {
  const model = masked(hostCpu(cpu), options);
  return {
    cpuid: (leaf, subleaf, vcpu) => {
      const asked = leaf >>> 0;
      // The hypervisor's range has one leaf, which answers for all of it.
      if (asked > HYPERVISOR && asked < EXTENDED) return model.cpuid(HYPERVISOR, subleaf, vcpu);
      if (asked === 0xb && subleaf >= 2) return [0, 0, subleaf & 0xff, 0];
      return model.cpuid(asked, subleaf, vcpu);
    },
  };
}

function hostCpu({ vendor, added, removed }: CpuChoice): CpuidModel {
  const { name, signature, basic, features } = VENDORS[vendor];
  const amd = vendor === 'amd';
  const highest = amd ? HIGHEST_EXTENDED_AMD : HIGHEST_EXTENDED;
  return CpuidModel.of([
    { leaf: 0, subleaf: null, registers: maximumAndVendor(basic, name) },
    { leaf: 1, subleaf: null, registers: [signature, 8 << 8, 0, 0] },
    ...(amd ? [] : [{ leaf: 0x16, subleaf: null, registers: [MEGAHERTZ, MEGAHERTZ, 100, 0] } as const]),
    { leaf: EXTENDED, subleaf: null, registers: amd ? maximumAndVendor(highest, name) : [highest, 0, 0, 0] },
    { leaf: 0x80000001, subleaf: null, registers: [amd ? signature : 0, 0, 0, 0] },
    { leaf: 0x80000008, subleaf: null, registers: [(LINEAR_WIDTH << 8) | PHYSICAL_WIDTH, 0, 0, 0] },
  ])
    .with(...FEATURES, ...features, ...added)
    .without(...removed);
}

function masked(host: CpuidModel, { facts, x2apic, cores, threads }: BhyveCpuOptions): CpuidModel {
  const amd = host.vendor === 'amd';
  const logical = cores * threads;
  const hidden = [...HIDDEN, ...(x2apic ? [] : (['x2APIC'] as const))];
  // RDTSCP is a capability that FreeBSD's vmm offers by default; illumos hides it.
  if (facts.os === 'illumos') hidden.push('RDTSCP');
  const model = host
    .beyond((leaf, self) => self.maximum(leaf >= EXTENDED ? EXTENDED : 0))
    .without(...hidden)
    .with('Hypervisor', 'MCA', 'MCE', 'MTRR', 'HTT', ...(x2apic ? (['x2APIC'] as const) : []))
    .force(1, 0, { ebx: Math.min(logical, 255) << 16 })
    .replace(6, null, [ARAT, 0, 0, 0])
    .mask(7, 0, { eax: 0, ebx: LEAF_7_EBX, ecx: LEAF_7_ECX, edx: LEAF_7_EDX })
    .replace(HYPERVISOR, null, [HYPERVISOR, ...signatureWords()])
    .mask(0x80000007, 0, { eax: 0, ebx: 0, ecx: 0, edx: 1 << 8 });
  const topology = amd ? model : withTopology(model, cores, threads);
  return withAmdTopology(withXsave(topology), amd, logical, threads);
}

/** Leaf 0xB: threads of a core, and logical processors of a package. */
function withTopology(model: CpuidModel, cores: number, threads: number): CpuidModel {
  return model
    .replace(0xb, 0, [bitsFor(threads), threads, 0x100, 0])
    .replace(0xb, 1, [bitsFor(threads * cores), threads * cores, 0x201, 0]);
}

function withAmdTopology(model: CpuidModel, amd: boolean, logical: number, threads: number): CpuidModel {
  if (!amd) return model;
  const width = bitsFor(logical) < 4 ? 0 : bitsFor(logical);
  return model
    .replace(0x80000008, null, [
      (LINEAR_WIDTH << 8) | PHYSICAL_WIDTH,
      0,
      (width << 12) | Math.min(255, logical - 1),
      0,
    ])
    .replace(0x8000001e, null, [0, Math.min(255, threads - 1) << 8, 0, 0]);
}

/** Leaf 0xD: x87 and SSE in the legacy region; of the instructions only XSAVEOPT. */
function withXsave(model: CpuidModel): CpuidModel {
  if (!hasFeature(model, 'XSAVE')) return model.replace(0xd, null, null);
  return model.replace(0xd, 0, [3, 576, 576, 0]).replace(0xd, 1, [XSAVEOPT, 0, 0, 0]);
}

/** The next power of two's logarithm. */
function bitsFor(count: number): number {
  return count <= 1 ? 0 : 32 - Math.clz32(count - 1);
}

function signatureWords(): [number, number, number] {
  const [ebx, ecx, edx] = [0, 4, 8].map((at) => cpuidText(SIGNATURE.slice(at)));
  return [ebx!, ecx!, edx!];
}
