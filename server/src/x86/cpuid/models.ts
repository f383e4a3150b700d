/**
 * Processors as CPUID models: what a VMM masks, or shows as it is. Left out of the server parts is what the emulator core does
 * not execute (../../../emulator/coreFeatures.ts): AVX and its followers with everything that builds on them (FMA, F16C, BMI
 * and ADX in part, VAES), SSE4.2, AES, PCLMULQDQ, SSE4A and SVM; so are RDRAND and RDSEED, which no processor answers the
 * same way twice. Leaves 2, 4, 0x80000005, 0x80000006 and 0x8000001D describe caches that nobody models.
 */
import { CpuidModel, type CpuidLeaf } from './model';
import type { CpuidFeatureName } from './features';
import { hasFeature, type CpuidRegisters, type CpuVendor } from './answers';

/** Four characters as CPUID gives them in a register. */
export function cpuidText(text: string): number {
  return [0, 1, 2, 3].reduce((word, i) => word | ((text.charCodeAt(i) || 0) << (8 * i)), 0);
}

/** Leaf 0 or 0x80000000: the maximum, and the vendor in EBX, EDX, ECX. */
export function maximumAndVendor(maximum: number, vendor: 'GenuineIntel' | 'AuthenticAMD'): CpuidRegisters {
  const [ebx, edx, ecx] = [0, 4, 8].map((at) => cpuidText(vendor.slice(at)));
  return [maximum, ebx!, ecx!, edx!];
}

/** Leaves 0x80000002 to 0x80000004: 48 characters of brand. */
export function brandLeaves(brand: string): CpuidLeaf[] {
  const text = brand.padEnd(48, '\0');
  return [0, 1, 2].map((part) => ({
    leaf: 0x80000002 + part,
    subleaf: null,
    registers: [0, 4, 8, 12].map((at) => cpuidText(text.slice(16 * part + at))) as unknown as CpuidRegisters,
  }));
}

interface Processor {
  readonly vendor: 'GenuineIntel' | 'AuthenticAMD';
  readonly basic: number;
  readonly extended: number;
  /** Leaf 1 EAX: family, model, stepping. */
  readonly signature: number;
  readonly brand: string;
  readonly features: readonly CpuidFeatureName[];
  /** Registers that hold no features, or more than features. */
  readonly leaves: readonly CpuidLeaf[];
}

const row = (leaf: number, subleaf: number | null, ...registers: CpuidRegisters): CpuidLeaf => ({
  leaf,
  subleaf,
  registers,
});

function modelOf({ vendor, basic, extended, signature, brand, features, leaves }: Processor): CpuidModel {
  const amd = vendor === 'AuthenticAMD';
  const plain = CpuidModel.of([
    row(0, null, ...maximumAndVendor(basic, vendor)),
    // CLFLUSH lines of 8 quadwords.
    row(1, null, signature, 0x800, 0, 0),
    // Intel answers no vendor and no signature in the extended leaves.
    row(0x80000000, null, ...(amd ? maximumAndVendor(extended, vendor) : ([extended, 0, 0, 0] as const))),
    row(0x80000001, null, amd ? signature : 0, 0, 0, 0),
    ...(brand === '' ? [] : brandLeaves(brand)),
    ...leaves,
  ]);
  const offered = plain.with(...features);
  // AMD repeats the flags of leaf 1 EDX that it had before Intel's extended leaves (APM vol. 3, E.4.2).
  return amd ? offered.force(0x80000001, 0, { edx: offered.cpuid(1, 0, 0)[3] & AMD_REPEATED }) : offered;
}

/** FPU to APIC, MTRR to PSE-36, MMX, FXSR. */
const AMD_REPEATED = 0x0183f3ff;

const LONG_MODE_BASICS = [
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
  ...(['CMOV', 'PAT', 'PSE-36', 'CLFSH', 'MMX', 'FXSR', 'SSE', 'SSE2', 'SSE3'] as const),
  ...(['CMPXCHG16B', 'SYSCALL', 'NX', 'LM', 'LAHF64'] as const),
] satisfies readonly CpuidFeatureName[];

const MODERN = [
  ...(['MONITOR', 'SSSE3', 'SSE4_1', 'MOVBE', 'POPCNT', 'XSAVE'] as const),
  ...(['FSGSBASE', 'SMEP', 'SMAP', 'CLFLUSHOPT', 'CLWB', 'RDTSCP', 'Page1GB', 'LZCNT', 'PREFETCHW'] as const),
  ...(['XSAVEOPT', 'XSAVEC', 'XGETBV_ECX_1', 'XSS', 'InvariantTSC'] as const),
] satisfies readonly CpuidFeatureName[];

/** x87 and SSE: 512 bytes of legacy region and 64 of header. */
const LEGACY_XSAVE = 576;

/** As QEMU 7.2's `qemu64`: an AMD of family 15 with little more than long mode. */
export const QEMU64 = modelOf({
  vendor: 'AuthenticAMD',
  basic: 0xd,
  extended: 0x8000000a,
  signature: 0x00060fb1,
  brand: 'QEMU Virtual CPU version 2.5+',
  features: [...LONG_MODE_BASICS.filter((name) => name !== 'VME'), 'Hypervisor', 'SVM'],
  leaves: [
    row(0xb, 0, 0, 1, 0x100, 0),
    row(0xb, 1, 0, 1, 0x201, 0),
    row(0x80000008, null, 0x3028, 0, 0, 0),
    row(0x8000000a, null, 1, 0x10, 0, 0),
  ],
});

/** A Skylake server part (family 6, model 0x55), without AVX. */
export const SKYLAKE_SERVER = modelOf({
  vendor: 'GenuineIntel',
  basic: 0x16,
  extended: 0x80000008,
  signature: 0x00050654,
  brand: 'Intel Xeon Processor (Skylake)',
  features: [
    ...LONG_MODE_BASICS,
    ...MODERN,
    ...(['PCID', 'x2APIC', 'TSC-Deadline', 'TSC_ADJUST', 'ERMS', 'INVPCID', 'PKU'] as const),
    ...(['FDP_EXCPTN_ONLY', 'ZERO_FCS_FDS', 'SS', 'HTT'] as const),
  ],
  leaves: [
    row(4, 0, 0x121, 0x01c0003f, 63, 0),
    row(4, 1, 0x122, 0x01c0003f, 63, 0),
    row(4, 2, 0x143, 0x03c0003f, 1023, 0),
    // Line sizes of MONITOR.
    row(5, null, 64, 64, 3, 0),
    row(6, null, 4, 0, 0, 0),
    row(0xb, 0, 0, 1, 0x100, 0),
    row(0xb, 1, 0, 1, 0x201, 0),
    row(0xd, 0, 0x203, LEGACY_XSAVE, 0xa88, 0),
    row(0xd, 9, 8, 0xa80, 0, 0),
    // TSC 25 MHz times 80: 2 GHz, and the same as base and maximum frequency in leaf 0x16.
    row(0x15, null, 2, 160, 25_000_000, 0),
    row(0x16, null, 2000, 2000, 100, 0),
    row(0x80000006, null, 0, 0, 0x01006040, 0),
    row(0x80000008, null, 0x302e, 0, 0, 0),
  ],
});

/** A Zen 2 server part (family 0x17, model 0x31), without AVX. */
export const ZEN = modelOf({
  vendor: 'AuthenticAMD',
  basic: 0x10,
  extended: 0x80000021,
  signature: 0x00830f10,
  brand: 'AMD EPYC Processor (Zen 2)',
  features: [
    ...LONG_MODE_BASICS,
    ...MODERN,
    ...(['UMIP', 'RDPID', 'FFXSR', 'CLZERO', 'WBNOINVD', 'RstrFpErrPtrs', 'AltMovCr8'] as const),
    ...(['CmpLegacy', 'MmxExt', 'MisAlignSse', 'TopologyExtensions'] as const),
    'EferLmsleUnsupported',
    'LFenceAlwaysSerializing',
  ],
  leaves: [
    row(5, null, 64, 64, 3, 0),
    row(6, null, 4, 0, 0, 0),
    row(0xb, 0, 0, 1, 0x100, 0),
    row(0xb, 1, 0, 1, 0x201, 0),
    row(0xd, 0, 3, LEGACY_XSAVE, LEGACY_XSAVE, 0),
    row(0x80000005, null, 0xff40ff40, 0xff40ff40, 0x20080140, 0x20080140),
    row(0x80000006, null, 0x48006400, 0x68006400, 0x02006140, 0x00209140),
    row(0x80000008, null, 0x3030, 0, 0, 0),
    row(0x8000001d, 0, 0x121, 0x01c0003f, 63, 0),
    row(0x8000001d, 1, 0x122, 0x01c0003f, 63, 0),
    row(0x8000001d, 2, 0x143, 0x01c0003f, 1023, 2),
    row(0x8000001e, null, 0, 0, 0, 0),
  ],
});

export const CPUID_MODELS = { qemu64: QEMU64, 'skylake-server': SKYLAKE_SERVER, zen: ZEN } as const;

/** One package of `count` cores with one thread each; APIC IDs are the vCPU numbers. */
export function withVcpus(model: CpuidModel, count: number): CpuidModel {
  const bits = 32 - Math.clz32(count - 1);
  let next = model.mask(1, 0, { ebx: ~0x00ff0000 }).force(1, 0, { ebx: Math.min(count, 255) << 16 });
  next = count > 1 ? next.with('HTT') : next.without('HTT');
  if (next.maximum(0) >= 0xb)
    next = next
      .replace(0xb, null, null)
      .replace(0xb, 0, [0, 1, 0x100, 0])
      .replace(0xb, 1, [bits, count, 0x201, 0]);
  for (const { leaf, subleaf, registers } of next.leaves.filter((row) => row.leaf === 4))
    if (registers[0] & 0x1f)
      next = next
        .mask(leaf, subleaf ?? 0, { eax: 0x03ffffff })
        .force(leaf, subleaf ?? 0, { eax: (count - 1) << 26 });
  if (next.vendor === 'amd' && next.maximum(0x80000000) >= 0x80000008)
    next = next
      .mask(0x80000008, 0, { ecx: ~0xf0ff })
      .force(0x80000008, 0, { ecx: (bits << 12) | (count - 1) });
  return next;
}

/** A CPU without caches and brand, as models of VMMs show it. */
export interface PlainCpu {
  readonly vendor: CpuVendor;
  /** The highest basic leaf. */
  readonly basic: number;
  /** Leaf 1 EAX: family, model, stepping. */
  readonly signature: number;
  /** Bits of a physical address. */
  readonly physicalWidth: number;
  readonly features: readonly CpuidFeatureName[];
  /** Taken away again. */
  readonly removed: readonly CpuidFeatureName[];
  /** Further leaves. */
  readonly leaves: readonly CpuidLeaf[];
}

const VENDOR_NAMES = { intel: 'GenuineIntel', amd: 'AuthenticAMD' } as const;
const HIGHEST_EXTENDED = 0x80000008;

/** Linear addresses have 48 bits, or 57 with LA57. AMD repeats vendor and signature in the extended leaves (APM vol. 3, E.4.1). */
export function plainCpu(cpu: PlainCpu): CpuidModel {
  const { vendor, basic, signature, physicalWidth, features, removed, leaves } = cpu;
  const amd = vendor === 'amd';
  const name = VENDOR_NAMES[vendor];
  const model = CpuidModel.of([
    row(0, null, ...maximumAndVendor(basic, name)),
    row(1, null, signature, 0x800, 0, 0),
    row(
      0x80000000,
      null,
      ...(amd ? maximumAndVendor(HIGHEST_EXTENDED, name) : ([HIGHEST_EXTENDED, 0, 0, 0] as const)),
    ),
    row(0x80000001, null, amd ? signature : 0, 0, 0, 0),
    row(0x80000008, null, physicalWidth, 0, 0, 0),
    ...leaves,
  ])
    .with(...features)
    .without(...removed);
  const linear = hasFeature(model, 'LA57') ? 57 : 48;
  return withXsave(model).force(0x80000008, 0, { eax: linear << 8 });
}

/** Leaf 0xD: x87 and SSE in the legacy region, PKRU where Intel and AMD put it (SDM vol. 1, 13.2). */
function withXsave(model: CpuidModel): CpuidModel {
  if (!hasFeature(model, 'XSAVE')) return model.replace(0xd, null, null);
  if (!hasFeature(model, 'PKU')) return model.replace(0xd, 0, [3, LEGACY_XSAVE, LEGACY_XSAVE, 0]);
  return model.replace(0xd, 0, [0x203, LEGACY_XSAVE, 0xa88, 0]).replace(0xd, 9, [8, 0xa80, 0, 0]);
}
