/**
 * The CPU as vmm(4) shows it to a guest: the host's own CPUID minus what it masks (sys/arch/amd64/amd64/vmm_machdep.c
 * rev 1.34, vmm_handle_cpuid, and the VMM_CPUID*_MASK lists of vmmvar.h). The host is a plain model CPU.
 */
import type { CpuFeatures, CpuProfile } from '../../../emulator/face';

type Registers = readonly [number, number, number, number];
const NOTHING: Registers = [0, 0, 0, 0];

const PHYSICAL_WIDTH = 39;
/** The highest basic leaf: raised to 0x15 where the host's TSC is invariant. */
const HIGHEST_BASIC = 0x15;
const HIGHEST_EXTENDED = 0x8000001f;
/** One tick of guest time is one nanosecond. */
const TSC_HERTZ = 1_000_000_000;

/** Leaf 1 EDX: FPU VME DE PSE TSC MSR PAE CX8 SEP PGE CMOV PAT PSE36 CLFLUSH MMX FXSR SSE SSE2. */
const LEAF1_EDX = 0x078ba97f;
const EDX_APIC = 1 << 9;
/** Leaf 1 ECX: CMPXCHG16B and the hypervisor bit. */
const LEAF1_ECX = (1 << 13) | (1 << 31);
const ECX_X2APIC = 1 << 21;

const FEATURES: CpuFeatures = {
  longMode: true,
  nx: true,
  pages1g: true,
  smep: true,
  smap: true,
  umip: true,
  fsgsbase: true,
  pcid: false,
  xsave: false,
};

const BRAND = 'Bootpath model CPU';
const SIGNATURE = 'OpenBSDVMM58';

export interface VmdCpuOptions {
  readonly localApic: boolean;
  readonly x2apic: boolean;
  readonly ibt: boolean;
}

export function vmdCpuProfile(options: VmdCpuOptions): CpuProfile {
  return {
    vendor: 'intel',
    physicalWidth: PHYSICAL_WIDTH,
    localApic: options.localApic,
    x2apic: options.x2apic,
    ibt: options.ibt,
    features: FEATURES,
    cpuid: (leaf, subleaf, vcpu) => {
      const [eax, ebx, ecx, edx] = cpuid(clampLeaf(leaf >>> 0), subleaf, vcpu, options);
      return [eax >>> 0, ebx >>> 0, ecx >>> 0, edx >>> 0];
    },
  };
}

/** A leaf beyond the highest basic or extended one gives the highest basic one. */
function clampLeaf(leaf: number): number {
  if (leaf > HIGHEST_BASIC && leaf < 0x40000000) return HIGHEST_BASIC;
  return leaf > HIGHEST_EXTENDED ? HIGHEST_BASIC : leaf;
}

function cpuid(leaf: number, subleaf: number, vcpu: number, options: VmdCpuOptions): Registers {
  switch (leaf) {
    case 0x00:
      return [HIGHEST_BASIC, word('Genu'), word('ntel'), word('ineI')];
    case 0x01:
      return [
        0x000506e3,
        (vcpu << 24) | (8 << 8),
        LEAF1_ECX | (options.x2apic ? ECX_X2APIC : 0),
        LEAF1_EDX | (options.localApic ? EDX_APIC : 0),
      ];
    case 0x07:
      // EBX: FSGSBASE, SMEP, ERMS, SMAP. ECX: UMIP. EDX: CET_IBT, where the host itself runs with CR4.CET.
      return subleaf === 0 ? [0, 0x00100281, 1 << 2, options.ibt ? 1 << 20 : 0] : NOTHING;
    case 0x15:
      return [1, 100, TSC_HERTZ / 100, 0];
    case 0x40000000:
      return [0, word(SIGNATURE.slice(0, 4)), word(SIGNATURE.slice(4, 8)), word(SIGNATURE.slice(8))];
    case 0x80000000:
      return [HIGHEST_EXTENDED, 0, 0, 0];
    case 0x80000001:
      // ECX: LAHF. EDX: SYSCALL, NX, 1 GiB pages, long mode.
      return [0, 0, 1, (1 << 11) | (1 << 20) | (1 << 26) | (1 << 29)];
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: {
      const part = BRAND.padEnd(48, '\0').slice((leaf - 0x80000002) * 16);
      return [word(part), word(part.slice(4)), word(part.slice(8)), word(part.slice(12))];
    }
    case 0x80000007:
      return [0, 0, 0, 1 << 8];
    case 0x80000008:
      return [(48 << 8) | PHYSICAL_WIDTH, 0, 0, 0];
    default:
      return NOTHING;
  }
}

/** Four characters as CPUID gives them in a register. */
function word(text: string): number {
  return (
    text.charCodeAt(0) | (text.charCodeAt(1) << 8) | (text.charCodeAt(2) << 16) | (text.charCodeAt(3) << 24)
  );
}
