/** A CPU with another width of physical addresses: CPUID 0x80000008, EAX 7:0 (SDM vol. 3, 4.1.4). */
import type { CpuProfile } from '../../emulator/face';

const ADDRESS_SIZES = 0x80000008;

/** @param bits MAXPHYADDR; null leaves the CPU as it is */
export function withPhysicalWidth(profile: CpuProfile, bits: number | null): CpuProfile {
  if (bits === null) return profile;
  return {
    ...(profile.nestedPaging === undefined ? {} : { nestedPaging: profile.nestedPaging }),
    cpuid: (leaf, subleaf, vcpu) => {
      const [eax, ebx, ecx, edx] = profile.cpuid(leaf, subleaf, vcpu);
      return leaf >>> 0 === ADDRESS_SIZES ? [(eax & ~0xff) | bits, ebx, ecx, edx] : [eax, ebx, ecx, edx];
    },
  };
}
