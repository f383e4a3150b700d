/** MSRs: which exist by CPUID, and which values are legal (SDM vol. 4, table 2-2; vol. 3, 11.11, 11.12; APM vol. 2, app. A). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as L from '../../server/emulator/assembly/layout';
import type { CpuidFeatureName } from '../../server/src/x86/cpuid/features';
import { CR4_PERMITS, EFER_PERMITS, MSR_PERMITS } from '../../server/src/x86/cpuid/permits';
import { Lab, outcomeText } from './lab';
import { testProfile } from './oracle/profile';

const RDMSR = '0f32';
const WRMSR = '0f30';
const ALL: readonly CpuidFeatureName[] = [
  ...MSR_PERMITS.flatMap(({ features }) => features),
  ...CR4_PERMITS.flatMap(({ features }) => features ?? []),
  ...EFER_PERMITS.flatMap(({ features }) => features ?? []),
];

const write = (index: number, value: bigint, profile = testProfile({ with: ALL })) =>
  new Lab({ mode: 'long', profile }).set({
    rcx: BigInt(index),
    rax: value & 0xffffffffn,
    rdx: value >> 32n,
  });
const outcome = (index: number, value: bigint, profile?: ReturnType<typeof testProfile>): string =>
  outcomeText(write(index, value, profile).run(WRMSR));
const readBack = (index: number, value: bigint, profile?: ReturnType<typeof testProfile>): bigint => {
  const { general } = write(index, value, profile).run(WRMSR + RDMSR).state;
  return (general.rdx << 32n) | general.rax;
};

// A row's number is the bit that the core tests.
const ROWS = [
  ['MSRS_TSC', 0x10],
  ['MSRS_APIC_BASE', 0x1b],
  ['MSRS_TSC_ADJUST', 0x3b],
  ['MSRS_SYSENTER', 0x174],
  ['MSRS_MTRR', 0xfe],
  ['MSRS_PAT', 0x277],
  ['MSRS_CET', 0x6a0],
  ['MSRS_TSC_DEADLINE', 0x6e0],
  ['MSRS_X2APIC', 0x800],
  ['MSRS_XSS', 0xda0],
  ['MSRS_EFER', 0xc0000080],
  ['MSRS_SYSCALL', 0xc0000081],
  ['MSRS_LONG', 0xc0000082],
  ['MSRS_TSC_AUX', 0xc0000103],
  ['MSRS_PKRS', 0x6e1],
  ['MSRS_MCA', 0x179],
] as const;

for (const [i, [name, index]] of ROWS.entries()) {
  const permit = MSR_PERMITS[i]!;
  test(`${permit.name}: RDMSR is #GP(0) without ${permit.features.join(', ')}`, () => {
    assert.equal(L[name], 1 << i);
    const lab = (without: readonly CpuidFeatureName[]) =>
      new Lab({ profile: testProfile({ with: ALL, without }) }).set({ rcx: BigInt(index) });
    const there = outcomeText(lab([]).run(RDMSR));
    // An x2APIC register exists in x2APIC mode only; control.test.ts and apic.test.ts enter it.
    assert.equal(there, index === 0x800 ? '#GP(0)' : 'ok');
    assert.equal(outcomeText(lab(permit.features).run(RDMSR)), '#GP(0)');
  });
}

// Each bit of CR4 and EFER by itself: it can be set with its feature and is reserved without.
for (const { bit, name, features, vendor } of CR4_PERMITS) {
  // VMX, SMX, Key Locker and user interrupts are bits without instructions behind them here.
  const set = (without: readonly CpuidFeatureName[]): string => {
    const profile = testProfile({ vendor: vendor ?? 'intel', with: ALL, without });
    const long = bit === 17;
    const lab = new Lab({ mode: long ? 'long' : 'protected-32', profile });
    const cr0 = bit === 23 ? lab.core.state(0).cr0 | 0x10000n : lab.core.state(0).cr0;
    const base = long ? 0x20n : 0n;
    return outcomeText(lab.set({ rax: base | (1n << BigInt(bit)) }, { cr0 }).run('0f22e0'));
  };
  test(`CR4.${name} needs ${features === null ? 'no feature' : features.join(' or ')}`, () => {
    assert.equal(set([]), 'ok');
    if (features) assert.equal(set(features), '#GP(0)');
  });
}
test('CR4 bits that no row permits are reserved', () => {
  const named = new Set(CR4_PERMITS.map(({ bit }) => bit));
  for (let bit = 0; bit < 32; bit++) {
    if (named.has(bit)) continue;
    const lab = new Lab({ profile: testProfile({ with: ALL }) }).set({ rax: 1n << BigInt(bit) });
    assert.equal(outcomeText(lab.run('0f22e0')), '#GP(0)', String(bit));
  }
});

for (const { bit, name, features, vendor } of EFER_PERMITS) {
  if (name === 'LMA') continue;
  const set = (without: readonly CpuidFeatureName[], as = vendor ?? 'intel'): string => {
    const profile = testProfile({ vendor: as, with: ALL, without });
    const value = 1n << BigInt(bit);
    return outcomeText(new Lab({ profile }).set({ rcx: 0xc0000080n, rax: value, rdx: 0n }).run(WRMSR));
  };
  test(`EFER.${name} needs ${features!.join(' or ')}${vendor ? ', and is reserved on other vendors' : ''}`, () => {
    assert.equal(set([]), 'ok');
    assert.equal(set(features!), '#GP(0)');
    if (vendor === 'amd') assert.equal(set([], 'intel'), '#GP(0)');
  });
}
test('EFER bits that no row permits are reserved, LMSLE among them', () => {
  const named = new Set(EFER_PERMITS.map(({ bit }) => bit));
  for (let bit = 0; bit < 64; bit++)
    if (!named.has(bit))
      assert.equal(outcome(0xc0000080, 0xd00n | (1n << BigInt(bit))), '#GP(0)', String(bit));
});

const WIDTH = 1n << 40n;
for (const [title, index, value, expected] of [
  ['PAT: six types', 0x277, 0x0007040600010507n, 'ok'],
  ['PAT: type 2', 0x277, 0x0007040600070402n, '#GP(0)'],
  ['PAT: type 3', 0x277, 0x0307040600070406n, '#GP(0)'],
  ['PAT: type 8', 0x277, 0x0007040600070806n, '#GP(0)'],
  ['MTRRphysBase: write back', 0x200, 0x80000006n, 'ok'],
  ['MTRRphysBase: type 7 is for the PAT only', 0x200, 0x80000007n, '#GP(0)'],
  ['MTRRphysBase: type 2', 0x202, 2n, '#GP(0)'],
  ['MTRRphysBase: bits 11:8', 0x200, 0x100n, '#GP(0)'],
  ['MTRRphysBase: beyond MAXPHYADDR', 0x200, WIDTH | 6n, '#GP(0)'],
  ['MTRRphysMask: valid', 0x201, WIDTH - 0x80000000n + 0x800n, 'ok'],
  ['MTRRphysMask: bit 10', 0x201, 0x400n, '#GP(0)'],
  ['MTRRphysMask: beyond MAXPHYADDR', 0x20f, WIDTH, '#GP(0)'],
  ['MTRRfix64K: eight types', 0x250, 0x0606060606060606n, 'ok'],
  ['MTRRfix64K: type 3 in the top byte', 0x250, 0x0300000000000000n, '#GP(0)'],
  ['MTRRfix16K', 0x259, 0x0504010006050401n, 'ok'],
  ['MTRRfix4K: type 7', 0x26f, 7n, '#GP(0)'],
  ['MTRRdefType: E, FE and write back', 0x2ff, 0xc06n, 'ok'],
  ['MTRRdefType: bit 9', 0x2ff, 0x200n, '#GP(0)'],
  ['MTRRdefType: bit 12', 0x2ff, 0x1000n, '#GP(0)'],
  ['MTRRdefType: type 2', 0x2ff, 0xc02n, '#GP(0)'],
  ['MTRRcap is read-only', 0xfe, 0x508n, '#GP(0)'],
  ['a ninth variable range', 0x210, 0n, '#GP(0)'],
  ['MCG_CAP is read-only', 0x179, 0n, '#GP(0)'],
  ['MCG_STATUS: MCIP', 0x17a, 4n, 'ok'],
  ['MCG_STATUS: bit 3', 0x17a, 8n, '#GP(0)'],
  ['XSS: no supervisor component exists', 0xda0, 0x800n, '#GP(0)'],
  ['XSS: zero', 0xda0, 0n, 'ok'],
  ['FS base: canonical', 0xc0000100, 0xffff800000000000n, 'ok'],
  ['FS base: not canonical', 0xc0000100, 0x0000800000000000n, '#GP(0)'],
  ['LSTAR: not canonical', 0xc0000082, 0xff00000000000000n, '#GP(0)'],
  ['KernelGSbase: not canonical', 0xc0000102, 0x8000000000000000n, '#GP(0)'],
  ['SYSENTER_EIP: not canonical (Intel)', 0x176, 0x8000000000000000n, '#GP(0)'],
  ['TSC_AUX: bit 32 (Intel)', 0xc0000103, 1n << 32n, '#GP(0)'],
  ['S_CET: bit 6', 0x6a2, 0x40n, '#GP(0)'],
  ['S_CET: shadow stacks do not exist', 0x6a2, 1n, '#GP(0)'],
  ['S_CET: SUPPRESS with WAIT_FOR_ENDBRANCH', 0x6a2, 0xc00n, '#GP(0)'],
  ['U_CET: ENDBR_EN', 0x6a0, 4n, 'ok'],
  ['an MSR that nobody has', 0x12345, 0n, '#GP(0)'],
] as const)
  test(`WRMSR ${title}: ${expected}`, () => {
    // LA57 would make 57 bits canonical.
    assert.equal(outcome(index, value, testProfile({ with: ALL, without: ['LA57'] })), expected);
    if (expected === 'ok') assert.equal(readBack(index, value), value);
  });

test('a base that is canonical in 57 bits is legal where CPUID gives 57 bits, with CR4.LA57 off too', () => {
  const base = 0x00ff_8000_0000_0000n;
  assert.equal(outcome(0xc0000101, base, testProfile({ with: ['LA57'] })), 'ok');
  assert.equal(outcome(0xc0000101, base, testProfile()), '#GP(0)');
});

test('IA32_TSC_ADJUST holds what was added to the TSC, and adds what is written to it (SDM vol. 3, 17.17.3)', () => {
  const index = (number: number): string => `b9${number.toString(16).padStart(2, '0')}000000`;
  const profile = testProfile({ with: ['TSC_ADJUST'] });
  // TSC := 1 << 32, then both are read.
  const lab = new Lab({ profile }).set({ rax: 0n, rdx: 1n });
  const code = `${index(0x10)}0f30 ${index(0x3b)}0f32 89c689d7 ${index(0x10)}0f32`;
  const { general } = lab.run(code).state;
  const adjust = (general.rdi << 32n) | general.rsi;
  const tsc = (general.rdx << 32n) | general.rax;
  assert.ok(adjust > 0xffffff00n && adjust <= 1n << 32n, adjust.toString(16));
  assert.ok(tsc >= 1n << 32n && tsc < (1n << 32n) + 100n, tsc.toString(16));
  const back = new Lab({ profile })
    .set({ rax: 0n, rdx: 5n })
    .run(`${index(0x3b)}0f30 ${index(0x10)}0f32`).state;
  assert.equal(back.general.rdx, 5n);
});

test('an MSR that the core does not keep is the VMM’s to answer', () => {
  const seen: string[] = [];
  const bus = {
    readMsr: (index: number) => (index === 0x8b ? 0x1234n << 32n : null),
    writeMsr: (index: number, value: bigint) => seen.push(`${index.toString(16)}=${value.toString(16)}`) > 0,
  };
  const { general } = new Lab({ bus }).set({ rcx: 0x8bn, rax: 7n, rdx: 0n }).run(WRMSR + RDMSR).state;
  assert.deepEqual([seen, general.rdx], [['8b=7'], 0x1234n]);
});

// APM vol. 3, RDPMC: ECX is the counter's number, CR4.PCE lets programs at every privilege level read it.
test('RDPMC reads the four counters that every AMD processor has from the VMM’s MSRs; an Intel one need not have any', () => {
  const counters = (vendor: 'intel' | 'amd', number: bigint, known = true): string => {
    const bus = { readMsr: (index: number) => (known ? (0x123n << 32n) | BigInt(index & 0xff) : null) };
    const lab = new Lab({ mode: 'long', profile: testProfile({ vendor }), bus }).set({ rax: -1n, rdx: -1n });
    const { fault, state } = lab.set({ rcx: number }).run('0f33');
    return fault ? fault.reason : `${state.general.rdx.toString(16)}:${state.general.rax.toString(16)}`;
  };
  const missing = (number: bigint) =>
    `RDPMC: performance counter 0x${number.toString(16)} does not exist on this CPU`;
  assert.deepEqual(
    [0n, 3n, 4n, (1n << 32n) + 2n].map((number) => counters('amd', number)),
    ['123:4', '123:7', missing(4n), '123:6'],
  );
  assert.equal(counters('amd', 1n, false), 'MSR 0xc0010005 does not exist on this CPU');
  assert.equal(counters('intel', 0n), missing(0n));
});

// What a VMM sets before the first instruction, of the vCPU that it names and under the rules of WRMSR.
for (const [title, index, value, expected] of [
  ['MTRRdefType', 0x2ff, 0x806n, true],
  ['MTRRdefType with a reserved bit', 0x2ff, 0x1006n, false],
  ['PAT', 0x277, 0x0007040600070401n, true],
  ['PAT with type 2', 0x277, 2n, false],
  ['LSTAR', 0xc0000082, 0xffffffff81000000n, true],
  ['LSTAR that is not canonical', 0xc0000082, 1n << 60n, false],
  ['STAR', 0xc0000081, 0x0023001000000000n, true],
  ['KernelGSbase', 0xc0000102, 0xffff888000000000n, true],
  ['MTRRcap, which is read-only', 0xfe, 0x508n, false],
  ['an MSR that the VMM answers', 0x8b, 1n, false],
] as const) {
  test(`a VMM ${expected ? 'presets' : 'cannot preset'} ${title}`, () => {
    const lab = () => new Lab({ mode: 'long', profile: testProfile({ with: ALL }) });
    const read = (of: Lab): bigint => {
      const { general } = of.set({ rcx: BigInt(index) }).run(RDMSR).state;
      return (general.rdx << 32n) | general.rax;
    };
    const preset = lab();
    assert.equal(preset.core.setMsr(0, index, value), expected);
    if (index !== 0x8b) assert.equal(read(preset), expected ? value : read(lab()));
  });
}
test('a VMM cannot preset an MSR that CPUID does not permit', () => {
  const lab = new Lab({ profile: testProfile({ with: ALL, without: ['MTRR'] }) });
  assert.equal(lab.core.setMsr(0, 0x2ff, 0x806n), false);
});
