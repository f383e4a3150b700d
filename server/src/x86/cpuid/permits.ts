/**
 * Which CPUID bit permits which control-register bit and which MSR: without the feature the bit is reserved and the MSR does
 * not exist, #GP(0) both (SDM vol. 3, 2.5 and vol. 4, table 2-2; APM vol. 2, 3.1 and appendix A). The core takes its masks
 * from here.
 */
import { hasFeature, vendorOf, type CpuidAnswers, type CpuVendor } from './answers';
import type { CpuidFeatureName } from './features';

/** Any of the features is enough; null: every CPU has it. */
export interface Permit {
  readonly bit: number;
  readonly name: string;
  readonly features: readonly CpuidFeatureName[] | null;
  readonly vendor?: CpuVendor;
}

const permit = (
  bit: number,
  name: string,
  features: CpuidFeatureName | readonly CpuidFeatureName[] | null,
  vendor?: CpuVendor,
): Permit => ({
  bit,
  name,
  features: typeof features === 'string' ? [features] : features,
  ...(vendor ? { vendor } : {}),
});

export const CR4_PERMITS: readonly Permit[] = [
  permit(0, 'VME', 'VME'),
  permit(1, 'PVI', 'VME'),
  permit(2, 'TSD', 'TSC'),
  permit(3, 'DE', 'DE'),
  permit(4, 'PSE', 'PSE'),
  permit(5, 'PAE', 'PAE'),
  permit(6, 'MCE', 'MCE'),
  permit(7, 'PGE', 'PGE'),
  // Performance counters have no flag that all CPUs with RDPMC set.
  permit(8, 'PCE', null),
  permit(9, 'OSFXSR', 'FXSR'),
  permit(10, 'OSXMMEXCPT', 'SSE'),
  permit(11, 'UMIP', 'UMIP'),
  permit(12, 'LA57', 'LA57'),
  permit(13, 'VMXE', 'VMX', 'intel'),
  permit(14, 'SMXE', 'SMX', 'intel'),
  permit(16, 'FSGSBASE', 'FSGSBASE'),
  permit(17, 'PCIDE', 'PCID'),
  permit(18, 'OSXSAVE', 'XSAVE'),
  permit(19, 'KL', 'KL', 'intel'),
  permit(20, 'SMEP', 'SMEP'),
  permit(21, 'SMAP', 'SMAP'),
  permit(22, 'PKE', 'PKU'),
  permit(23, 'CET', ['CET_SS', 'CET_IBT']),
  permit(24, 'PKS', 'PKS', 'intel'),
  permit(25, 'UINTR', 'UINTR', 'intel'),
];

export const EFER_PERMITS: readonly Permit[] = [
  permit(0, 'SCE', 'SYSCALL'),
  permit(8, 'LME', 'LM'),
  permit(10, 'LMA', 'LM'),
  permit(11, 'NXE', 'NX'),
  permit(12, 'SVME', 'SVM', 'amd'),
  permit(14, 'FFXSR', 'FFXSR', 'amd'),
  permit(15, 'TCE', 'TCE', 'amd'),
  permit(17, 'MCOMMIT', 'MCOMMIT', 'amd'),
  permit(18, 'INTWB', 'INT_WBINVD', 'amd'),
  permit(20, 'UAIE', 'UpperAddressIgnore', 'amd'),
  permit(21, 'AIBRSE', 'AutomaticIBRS', 'amd'),
];

export interface MsrPermit {
  readonly name: string;
  /** First and last index. */
  readonly first: number;
  readonly last: number;
  readonly features: readonly CpuidFeatureName[];
  readonly vendor?: CpuVendor;
}

const msr = (
  name: string,
  first: number,
  last: number,
  ...features: readonly CpuidFeatureName[]
): MsrPermit => ({ name, first, last, features });

/** MSRs that the core keeps itself, in the order of the core's numbers for them. */
export const MSR_PERMITS: readonly MsrPermit[] = [
  msr('IA32_TIME_STAMP_COUNTER', 0x10, 0x10, 'TSC'),
  msr('IA32_APIC_BASE', 0x1b, 0x1b, 'APIC'),
  msr('IA32_TSC_ADJUST', 0x3b, 0x3b, 'TSC_ADJUST'),
  msr('IA32_SYSENTER_CS, ESP, EIP', 0x174, 0x176, 'SEP'),
  msr('IA32_MTRR…', 0x200, 0x2ff, 'MTRR'),
  msr('IA32_PAT', 0x277, 0x277, 'PAT'),
  msr('IA32_U_CET, IA32_S_CET', 0x6a0, 0x6a2, 'CET_IBT', 'CET_SS'),
  msr('IA32_TSC_DEADLINE', 0x6e0, 0x6e0, 'TSC-Deadline'),
  msr('x2APIC', 0x800, 0x8ff, 'x2APIC'),
  msr('IA32_XSS', 0xda0, 0xda0, 'XSS'),
  msr('IA32_EFER', 0xc0000080, 0xc0000080, 'LM', 'NX', 'SYSCALL'),
  msr('STAR, FMASK', 0xc0000081, 0xc0000084, 'SYSCALL'),
  msr('LSTAR, CSTAR, FS, GS and KernelGS base', 0xc0000082, 0xc0000102, 'LM'),
  msr('IA32_TSC_AUX', 0xc0000103, 0xc0000103, 'RDTSCP', 'RDPID'),
  msr('IA32_PKRS', 0x6e1, 0x6e1, 'PKS'),
  msr('IA32_MCG_CAP, IA32_MCG_STATUS', 0x179, 0x17a, 'MCA'),
];

function permitted(answers: CpuidAnswers, permits: readonly Permit[]): bigint {
  const vendor = vendorOf(answers);
  return permits.reduce((mask, { bit, features, vendor: only }) => {
    const has = features === null || features.some((name) => hasFeature(answers, name));
    return has && (only === undefined || only === vendor) ? mask | (1n << BigInt(bit)) : mask;
  }, 0n);
}

/** Bits of CR4 that may be set. */
export function permittedCr4(answers: CpuidAnswers): bigint {
  return permitted(answers, CR4_PERMITS);
}

/** Bits of EFER that may be set. */
export function permittedEfer(answers: CpuidAnswers): bigint {
  return permitted(answers, EFER_PERMITS);
}

/** Bit n: the MSRs in row n of MSR_PERMITS exist. */
export function permittedMsrs(answers: CpuidAnswers): number {
  return MSR_PERMITS.reduce(
    (mask, { features }, i) => (features.some((name) => hasFeature(answers, name)) ? mask | (1 << i) : mask),
    0,
  );
}
