/** What the core must know of a CPU profile before it runs: feature bits, and the CPUID words behind them. */
import * as L from './assembly/layout';
import type { CpuProfile } from './face';

export function featureBits({ vendor, localApic, x2apic, ibt, features }: CpuProfile): number {
  const bits: readonly (readonly [boolean, number])[] = [
    [vendor === 'amd', L.HAS_AMD],
    [localApic, L.HAS_LOCAL_APIC],
    [localApic && x2apic, L.HAS_X2APIC],
    [ibt, L.HAS_IBT],
    [features.longMode, L.HAS_LONG_MODE],
    [features.nx, L.HAS_NX],
    [features.pages1g, L.HAS_1G],
    [features.smep, L.HAS_SMEP],
    [features.smap, L.HAS_SMAP],
    [features.umip, L.HAS_UMIP],
    [features.fsgsbase, L.HAS_FSGSBASE],
    [features.pcid, L.HAS_PCID],
    [features.xsave, L.HAS_XSAVE],
  ];
  return bits.reduce((sum, [has, bit]) => (has ? sum | bit : sum), 0);
}

/** The CPUID words that decide what decodes and what is reserved. */
export function offerCpuid(view: DataView, profile: CpuProfile): void {
  const cpuid = (leaf: number): readonly [number, number, number, number] => profile.cpuid(leaf, 0, 0);
  const [signature, , ecx1, edx1] = cpuid(1);
  const [, ebx7, ecx7, edx7] = cpuid(0)[0] >= 7 ? cpuid(7) : [0, 0, 0, 0];
  const extended = cpuid(0x80000000)[0] >>> 0;
  const [, , ecx81, edx81] = extended > 0x80000000 ? cpuid(0x80000001) : [0, 0, 0, 0];
  const words: readonly (readonly [number, number])[] = [
    [L.CPUID_SIGNATURE, signature],
    [L.CPUID_1_ECX, ecx1],
    [L.CPUID_1_EDX, edx1],
    [L.CPUID_7_EBX, ebx7],
    [L.CPUID_7_ECX, ecx7],
    [L.CPUID_7_EDX, edx7],
    [L.CPUID_81_ECX, ecx81],
    [L.CPUID_81_EDX, edx81],
  ];
  for (const [address, word] of words) view.setUint32(address, word, true);
}
