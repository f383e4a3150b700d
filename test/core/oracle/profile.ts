/** The CPU that the oracle's images see on our core: QEMU's `qemu64` as far as the images look. */
import type { CpuFeatures, CpuProfile } from '../../../server/emulator/face';

const FEATURES: CpuFeatures = {
  longMode: true,
  nx: true,
  pages1g: false,
  smep: false,
  smap: false,
  umip: false,
  fsgsbase: false,
  pcid: false,
  xsave: false,
};

type Leaf = readonly [number, number, number, number];

/** A profile for tests: features as given, and CPUID leaves that say the same. */
export function testProfile(
  change: Partial<Omit<CpuProfile, 'features' | 'cpuid'>> & { features?: Partial<CpuFeatures> } = {},
): CpuProfile {
  const { features: more = {}, ...rest } = change;
  const features = { ...FEATURES, ...more };
  const profile = {
    vendor: 'intel',
    physicalWidth: 40,
    localApic: true,
    x2apic: false,
    ibt: false,
    ...rest,
  } as const;
  const bit = (on: boolean, number: number): number => (on ? 1 << number : 0);
  const vendor: Leaf =
    profile.vendor === 'intel'
      ? [7, 0x756e6547, 0x6c65746e, 0x49656e69] // GenuineIntel: EBX, ECX, EDX
      : [7, 0x68747541, 0x444d4163, 0x69746e65];
  return {
    ...profile,
    features,
    cpuid(leaf, subleaf, vcpu) {
      const none: Leaf = [0, 0, 0, 0];
      if (leaf === 0) return vendor;
      if (leaf === 1) {
        // As qemu64: FPU to MCE, CX8, SEP, MTRR, PGE, MCA, CMOV, PAT, PSE36, CLFSH, MMX, FXSR, SSE, SSE2.
        const edx = 0x078bf9ff | bit(profile.localApic, 9);
        const ecx = (1 << 13) | bit(profile.x2apic, 21) | bit(features.xsave, 26) | bit(features.pcid, 17);
        return [0x663, (vcpu << 24) | 0x800, ecx, edx];
      }
      if (leaf === 7 && subleaf === 0) {
        const ebx = bit(features.fsgsbase, 0) | bit(features.smep, 7) | bit(features.smap, 20);
        return [0, ebx, bit(features.umip, 2), bit(profile.ibt, 20)];
      }
      if (leaf === 0x80000000) return [0x80000008, 0, 0, 0];
      if (leaf === 0x80000001) {
        const edx = bit(features.longMode, 29) | bit(features.nx, 20) | bit(features.pages1g, 26) | (1 << 11);
        return [0, 0, 1, edx];
      }
      if (leaf === 0x80000008) return [0x3000 | profile.physicalWidth, 0, 0, 0];
      return none;
    },
  };
}
