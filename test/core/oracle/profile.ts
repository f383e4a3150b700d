/** The CPU that tests and the oracle's images see on our core: QEMU's `qemu64`, with the vendor and features asked for. */
import { hasFeature, type CpuVendor } from '../../../server/src/x86/cpuid/answers';
import type { CpuidFeatureName } from '../../../server/src/x86/cpuid/features';
import type { CpuidModel } from '../../../server/src/x86/cpuid/model';
import { QEMU64, maximumAndVendor } from '../../../server/src/x86/cpuid/models';

/** Short names of features that many tests switch. */
const FEATURES = {
  longMode: ['LM', 'SYSCALL'],
  nx: ['NX'],
  pages1g: ['Page1GB'],
  smep: ['SMEP'],
  smap: ['SMAP'],
  umip: ['UMIP'],
  fsgsbase: ['FSGSBASE'],
  pcid: ['PCID'],
  xsave: ['XSAVE'],
} as const satisfies Record<string, readonly CpuidFeatureName[]>;

export interface TestProfile {
  readonly vendor?: CpuVendor;
  readonly physicalWidth?: number;
  readonly localApic?: boolean;
  readonly x2apic?: boolean;
  readonly ibt?: boolean;
  readonly features?: Partial<Record<keyof typeof FEATURES, boolean>>;
  /** Features by the manuals' names. */
  readonly with?: readonly CpuidFeatureName[];
  readonly without?: readonly CpuidFeatureName[];
}

/** Intel unless `vendor` says otherwise; XSAVE brings x87, SSE and, with PKU, the PKRU component. */
export function testProfile(options: TestProfile = {}): CpuidModel {
  const { vendor = 'intel', physicalWidth = 40, features = {} } = options;
  const on: CpuidFeatureName[] = ['VME', ...(options.with ?? [])];
  const off: CpuidFeatureName[] = ['SVM', 'Hypervisor'];
  const choose = (names: readonly CpuidFeatureName[], has: boolean | undefined): void => {
    if (has !== undefined) (has ? on : off).push(...names);
  };
  choose(['APIC'], options.localApic);
  choose(['x2APIC'], options.x2apic);
  choose(['CET_IBT'], options.ibt);
  for (const [name, names] of Object.entries(FEATURES))
    choose(names, features[name as keyof typeof FEATURES]);
  const name = vendor === 'amd' ? 'AuthenticAMD' : 'GenuineIntel';
  const model = QEMU64.without(...off)
    .with(...on)
    .without(...(options.without ?? []))
    .replace(0, null, maximumAndVendor(0xd, name));
  const linear = hasFeature(model, 'LA57') ? 57 : 48;
  const sized = model.replace(0x80000008, null, [(linear << 8) | physicalWidth, 0, 0, 0]);
  const amd = model.cpuid(0x80000008, 0, 0)[1];
  const wide = sized.force(0x80000008, 0, { ebx: amd });
  if (!on.includes('XSAVE')) return wide;
  const pku = on.includes('PKU');
  return wide
    .replace(0xd, 0, [pku ? 0x203 : 3, 576, pku ? 0xa88 : 576, 0])
    .replace(0xd, 9, pku ? [8, 0xa80, 0, 0] : null);
}
