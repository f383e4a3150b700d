/**
 * What the core must know of the CPU before it runs, all of it read from the CPUID answers: so a feature that is masked is
 * missing everywhere.
 */
import { addressWidths, hasFeature, leafOrNothing, vendorOf, xsaveState } from '../src/x86/cpuid/answers';
import type { CpuidFeatureName } from '../src/x86/cpuid/features';
import { permittedCr4, permittedEfer, permittedMsrs } from '../src/x86/cpuid/permits';
import * as L from './assembly/layout';
import type { CpuProfile } from './face';

const FEATURE_BITS: readonly (readonly [CpuidFeatureName, number])[] = [
  ['APIC', L.HAS_LOCAL_APIC],
  ['LM', L.HAS_LONG_MODE],
  ['Page1GB', L.HAS_1G],
  ['SMAP', L.HAS_SMAP],
  ['FSGSBASE', L.HAS_FSGSBASE],
  ['XSAVE', L.HAS_XSAVE],
];

export function featureBits(profile: CpuProfile): number {
  const has = (name: CpuidFeatureName): boolean => hasFeature(profile, name);
  const amd = vendorOf(profile) === 'amd';
  let bits = amd ? L.HAS_AMD : 0;
  if (amd && profile.nestedPaging === true) bits |= L.PDPTES_IN_WALK;
  for (const [name, bit] of FEATURE_BITS) if (has(name)) bits |= bit;
  return has('APIC') && has('x2APIC') ? bits | L.HAS_X2APIC : bits;
}

/** MAXPHYADDR; the core's guest memory is a tree over 52 bits. */
export function physicalWidth(profile: CpuProfile): number {
  return Math.min(addressWidths(profile).physical, 52);
}

/** Leaf, register and the place of a CPUID word that decides what decodes. */
const WORDS: readonly (readonly [number, number, number, number])[] = [
  [1, 0, 0, L.CPUID_SIGNATURE],
  [1, 0, 2, L.CPUID_1_ECX],
  [1, 0, 3, L.CPUID_1_EDX],
  [5, 0, 2, L.CPUID_5_ECX],
  [7, 0, 1, L.CPUID_7_EBX],
  [7, 0, 2, L.CPUID_7_ECX],
  [0xd, 1, 0, L.CPUID_D1_EAX],
  [0x80000001, 0, 2, L.CPUID_81_ECX],
  [0x80000001, 0, 3, L.CPUID_81_EDX],
  [0x80000008, 0, 1, L.CPUID_88_EBX],
  [0x80000021, 0, 0, L.CPUID_8021_EAX],
];

/** State components that the core has: x87, SSE, PKRU. No other can be enabled, whatever CPUID says. */
const STATE_COMPONENTS = 0x203n;

/** CPUID words, and what they permit. */
export function offerCpuid(view: DataView, profile: CpuProfile): void {
  const answers = new Map<number, readonly [number, number, number, number]>();
  for (const [leaf, subleaf, register, address] of WORDS) {
    const key = leaf * 16 + subleaf;
    const words = answers.get(key) ?? leafOrNothing(profile, leaf, subleaf);
    answers.set(key, words);
    view.setUint32(address, words[register]!, true);
  }
  const { xcr0, xss, components } = xsaveState(profile);
  view.setBigUint64(L.CR4_PERMITTED, permittedCr4(profile), true);
  view.setBigUint64(L.EFER_PERMITTED, permittedEfer(profile), true);
  view.setUint32(L.MSRS_PERMITTED, permittedMsrs(profile), true);
  view.setUint32(L.LINEAR_WIDTH, addressWidths(profile).linear, true);
  view.setBigUint64(L.XCR0_PERMITTED, xcr0 & STATE_COMPONENTS, true);
  view.setBigUint64(L.XSS_PERMITTED, xss & STATE_COMPONENTS, true);
  for (const { number, size, offset, aligned } of components) {
    const at = L.XSAVE_COMPONENTS + 8 * number;
    view.setUint16(at, size, true);
    view.setUint16(at + 2, aligned ? 1 : 0, true);
    view.setUint32(at + 4, offset, true);
  }
}
