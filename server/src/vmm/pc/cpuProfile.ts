/** The CPU of the plain PC: everything that the core offers, under either vendor's name. */
import type { CpuFeatures, CpuProfile } from '../../../emulator/face';

type Registers = readonly [number, number, number, number];
const NOTHING: Registers = [0, 0, 0, 0];

const PHYSICAL_WIDTH = 40;
/** One tick of guest time is one nanosecond. */
const TSC_HERTZ = 1_000_000_000;

const FEATURES: CpuFeatures = {
  longMode: true,
  nx: true,
  pages1g: true,
  smep: true,
  smap: true,
  umip: true,
  fsgsbase: true,
  pcid: true,
  xsave: false,
};

const VENDORS = {
  intel: { name: 'GenuineIntel', signature: 0x000506e3 },
  amd: { name: 'AuthenticAMD', signature: 0x00800f12 },
} as const;

export function pcCpuProfile(vendor: 'intel' | 'amd'): CpuProfile {
  return {
    vendor,
    physicalWidth: PHYSICAL_WIDTH,
    localApic: true,
    x2apic: true,
    ibt: false,
    features: FEATURES,
    cpuid: (leaf, subleaf, vcpu) => {
      const [eax, ebx, ecx, edx] = cpuid(leaf >>> 0, subleaf, vcpu, vendor);
      return [eax >>> 0, ebx >>> 0, ecx >>> 0, edx >>> 0];
    },
  };
}

function cpuid(leaf: number, subleaf: number, vcpu: number, vendor: 'intel' | 'amd'): Registers {
  const { name, signature } = VENDORS[vendor];
  switch (leaf) {
    case 0:
      return [0x15, word(name.slice(0, 4)), word(name.slice(8)), word(name.slice(4, 8))];
    case 1:
      // ECX: PCID, CMPXCHG16B, x2APIC, TSC deadline, hypervisor. EDX: as 0x078bfbff of qemu64.
      return [
        signature,
        (vcpu << 24) | (8 << 8),
        (1 << 13) | (1 << 17) | (1 << 21) | (1 << 24) | (1 << 31),
        0x078bfbff,
      ];
    case 7:
      // EBX: FSGSBASE, SMEP, ERMS, INVPCID, SMAP. ECX: UMIP.
      return subleaf === 0 ? [0, 0x00100681, 1 << 2, 0] : NOTHING;
    case 0x15:
      return [1, 100, TSC_HERTZ / 100, 0];
    case 0x80000000:
      return [0x80000008, 0, 0, 0];
    case 0x80000001:
      // ECX: LAHF. EDX: SYSCALL, NX, 1 GiB pages, long mode.
      return [0, 0, 1, (1 << 11) | (1 << 20) | (1 << 26) | (1 << 29)];
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
