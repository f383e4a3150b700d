/** What software learns from CPUID answers, read as the manuals tell it to: maxima first, then feature bits and widths. */
import { CPUID_REGISTERS, cpuidFeature, type CpuidFeatureName } from './features';

/** EAX, EBX, ECX, EDX. */
export type CpuidRegisters = readonly [number, number, number, number];

/** Whoever answers CPUID. */
export interface CpuidAnswers {
  cpuid(leaf: number, subleaf: number, vcpu: number): CpuidRegisters;
}

export type CpuVendor = 'intel' | 'amd';

const NOTHING: CpuidRegisters = [0, 0, 0, 0];
/** EBX of leaf 0 for AuthenticAMD and HygonGenuine; everybody else follows the SDM. */
const AMD_VENDORS: readonly number[] = [0x68747541, 0x6f677948];

/** A leaf, or zeros where it lies beyond the maximum of its range (a CPU may answer with another leaf there). */
export function leafOrNothing(answers: CpuidAnswers, leaf: number, subleaf = 0): CpuidRegisters {
  const range = leaf >= 0x80000000 ? 0x80000000 : 0;
  const maximum = answers.cpuid(range, 0, 0)[0] >>> 0;
  if (maximum < leaf || (range !== 0 && maximum > 0x8000ffff)) return NOTHING;
  return answers.cpuid(leaf, subleaf, 0);
}

export function hasFeature(answers: CpuidAnswers, name: CpuidFeatureName): boolean {
  const { leaf, subleaf, register, bit } = cpuidFeature(name);
  const word = leafOrNothing(answers, leaf, subleaf)[CPUID_REGISTERS.indexOf(register)]!;
  return ((word >>> bit) & 1) !== 0;
}

export function vendorOf(answers: CpuidAnswers): CpuVendor {
  return AMD_VENDORS.includes(answers.cpuid(0, 0, 0)[1] >>> 0) ? 'amd' : 'intel';
}

/**
 * MAXPHYADDR and the linear-address width in bits (SDM vol. 3, 4.1.4). A CPU with five-level paging has 57 linear bits also
 * where a VMM forgot to say so in leaf 0x80000008: a kernel's tables lie up there, and LGDT takes their addresses.
 */
export function addressWidths(answers: CpuidAnswers): { readonly physical: number; readonly linear: number } {
  const eax = leafOrNothing(answers, 0x80000008)[0];
  const physical = eax & 0xff || (hasFeature(answers, 'PAE') ? 36 : 32);
  const stated = (eax >>> 8) & 0xff || (hasFeature(answers, 'LM') ? 48 : 32);
  return { physical, linear: hasFeature(answers, 'LA57') ? 57 : stated };
}

/** One state component of the XSAVE feature set (CPUID.(EAX=0DH,ECX=i), SDM vol. 1, 13.2). */
export interface XsaveComponent {
  readonly number: number;
  readonly size: number;
  /** In the standard format; components of IA32_XSS have none. */
  readonly offset: number;
  readonly supervisor: boolean;
  /** Aligned to 64 bytes in the compacted format. */
  readonly aligned: boolean;
}

/** XCR0 and IA32_XSS bits that may be set, and the components from 2 on. */
export function xsaveState(answers: CpuidAnswers): {
  readonly xcr0: bigint;
  readonly xss: bigint;
  readonly components: readonly XsaveComponent[];
} {
  if (!hasFeature(answers, 'XSAVE')) return { xcr0: 0n, xss: 0n, components: [] };
  const wide = (low: number, high: number): bigint => BigInt(low >>> 0) | (BigInt(high >>> 0) << 32n);
  const main = leafOrNothing(answers, 0xd, 0);
  const extended = leafOrNothing(answers, 0xd, 1);
  const xcr0 = wide(main[0], main[3]);
  const xss = hasFeature(answers, 'XSS') ? wide(extended[2], extended[3]) : 0n;
  const components: XsaveComponent[] = [];
  for (let number = 2; number < 63; number++) {
    if ((((xcr0 | xss) >> BigInt(number)) & 1n) === 0n) continue;
    const [size, offset, ecx] = leafOrNothing(answers, 0xd, number);
    components.push({
      number,
      size: size >>> 0,
      offset: offset >>> 0,
      supervisor: (ecx & 1) !== 0,
      aligned: (ecx & 2) !== 0,
    });
  }
  return { xcr0, xss, components };
}
