/** CPUID and MSRs as vmm and bhyve show them: x86.c (x86_emulate_cpuid), vmx_msr.c, svm_msr.c and xmsr.c. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { hasFeature } from '../../../server/src/x86/cpuid/answers';
import type { CpuidFeatureName } from '../../../server/src/x86/cpuid/features';
import { BHYVE_DEFAULT_CPU, bhyveCpuProfile } from '../../../server/src/vmm/bhyve/cpuProfile';
import { BhyveMsrs } from '../../../server/src/vmm/bhyve/msrs';
import { bhyveVersion } from '../../../server/src/vmm/bhyve/versions';

const AMD = { ...BHYVE_DEFAULT_CPU, vendor: 'amd' } as const;
const factsOf = (id: string) => bhyveVersion(id)!.facts;
const profile = (id = 'freebsd-15', more = {}, cpu: typeof BHYVE_DEFAULT_CPU = BHYVE_DEFAULT_CPU) =>
  bhyveCpuProfile(cpu, { facts: factsOf(id), x2apic: false, cores: 1, threads: 1, ...more });

test('every leaf of the hypervisor’s range says "bhyve bhyve "', () => {
  for (const leaf of [0x40000000, 0x40000001, 0x40000100]) {
    const [eax, ebx, ecx, edx] = profile().cpuid(leaf, 0, 0);
    const text = new TextDecoder().decode(new Uint8Array(Uint32Array.of(ebx, ecx, edx).buffer));
    assert.deepEqual([eax, text], [0x40000000, 'bhyve bhyve ']);
  }
});

test('a leaf beyond the highest is the highest, for both vendors', () => {
  for (const cpu of [BHYVE_DEFAULT_CPU, AMD]) {
    const seen = profile('freebsd-15', {}, cpu);
    const answer = (leaf: number) => seen.cpuid(leaf, 0, 0);
    assert.deepEqual(answer(0x7000), answer(answer(0)[0]));
    assert.deepEqual(answer(0x8fffffff), answer(answer(0x80000000)[0]));
  }
});

/** Features, by whether a guest sees them. */
const FEATURES: readonly (readonly [CpuidFeatureName, boolean])[] = [
  ['Hypervisor', true],
  ['MTRR', true],
  ['MCA', true],
  ['HTT', true],
  ['XSAVE', true],
  ['XSAVEOPT', true],
  ['SMEP', true],
  ['INVPCID', true],
  ['Page1GB', true],
  ['InvariantTSC', true],
  ['x2APIC', false],
  ['TSC-Deadline', false],
  ['MONITOR', false],
  ['TSC_ADJUST', false],
  ['UMIP', false],
  ['CLFLUSHOPT', false],
  ['XSAVEC', false],
  ['XSS', false],
];

test('what the masks let through, whatever the host has', () => {
  for (const [name, shown] of FEATURES) assert.equal(hasFeature(profile(), name), shown, name);
});

test('x86.x2apic offers x2APIC; RDTSCP is FreeBSD’s to offer', () => {
  assert.equal(hasFeature(profile('freebsd-15', { x2apic: true }), 'x2APIC'), true);
  assert.deepEqual(
    ['freebsd-15', 'illumos-2025'].map((id) => hasFeature(profile(id), 'RDTSCP')),
    [true, false],
  );
});

test('leaf 0xB and leaf 1 tell cores and threads; without them every vCPU is a package', () => {
  const wide = profile('freebsd-15', { cores: 4, threads: 2 });
  assert.deepEqual(wide.cpuid(0xb, 0, 5), [1, 2, 0x100, 5]);
  assert.deepEqual(wide.cpuid(0xb, 1, 5), [3, 8, 0x201, 5]);
  assert.deepEqual(wide.cpuid(0xb, 2, 5), [0, 0, 2, 0]);
  assert.equal((wide.cpuid(1, 0, 5)[1] >>> 16) & 0xff, 8);
  assert.equal(wide.cpuid(1, 0, 5)[1] >>> 24, 5);
  assert.equal((profile().cpuid(1, 0, 0)[1] >>> 16) & 0xff, 1);
});

/** Index, what RDMSR gives (null is #GP) and whether WRMSR of 0 is taken. */
type MsrRow = readonly [index: number, read: bigint | null, written: boolean];
const INTEL: readonly MsrRow[] = [
  [0x17, 0n, false],
  [0x3a, 1n, false],
  [0x8b, 0n, true],
  [0x140, 0n, false],
  [0x1a0, 0x1801n, false],
  [0x606, 0xa1003n, false],
  [0x611, 0n, false],
  [0x10a, null, false],
  [0xc0010015, null, false],
];
const AMD_ROWS: readonly MsrRow[] = [
  [0x8b, 0n, false],
  [0xc0010010, 0n, true],
  [0xc0010015, 0x01000210n, true],
  [0xc0010062, 0n, true],
  [0xc0010064, 0n, false],
  [0xc0010114, 0x10n, false],
  [0x17, null, false],
];

for (const [vendor, rows] of [
  ['intel', INTEL],
  ['amd', AMD_ROWS],
] as const) {
  for (const [index, read, written] of rows) {
    test(`${vendor}: MSR 0x${index.toString(16)} ${read === null ? 'is unknown' : `reads 0x${read.toString(16)}`}, writes are ${written ? 'taken' : 'refused'}`, () => {
      const msrs = new BhyveMsrs(vendor, factsOf('freebsd-15'), true);
      assert.deepEqual([msrs.read(index), msrs.write(index, 0n)], [read, written]);
      const lenient = new BhyveMsrs(vendor, factsOf('freebsd-15'), false);
      assert.deepEqual([lenient.read(index), lenient.write(index, 0n)], [read ?? 0n, true]);
    });
  }
}

test('IA32_MISC_ENABLE takes what it has, with or without XD disable', () => {
  const msrs = new BhyveMsrs('intel', factsOf('freebsd-15'), true);
  assert.deepEqual(
    [0x1801n, 0x1801n | (1n << 34n), 0x1800n].map((value) => msrs.write(0x1a0, value)),
    [true, true, false],
  );
});

test('illumos differs: DE_CFG says that LFENCE serialises, and Intel’s first counters take writes', () => {
  const amd = (id: string) => new BhyveMsrs('amd', factsOf(id), true).read(0xc0011029);
  assert.deepEqual(['illumos-2025', 'freebsd-15'].map(amd), [2n, 1n]);
  const intel = (id: string) => new BhyveMsrs('intel', factsOf(id), true).write(0x186, 1n);
  assert.deepEqual(['illumos-2025', 'freebsd-15'].map(intel), [true, false]);
});
