/** No CPU that a machine shows promises what the core lacks, and what it promises is there only by its CPUID bit (SDM vol. 2; APM vol. 3). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coreKeeps, DESCRIPTIVE_FEATURES, EXECUTED_FEATURES } from '../../server/emulator/coreFeatures';
import { pcCpuProfile } from '../../server/src/vmm/pc/cpuProfile';
import { vmdCpuProfile } from '../../server/src/vmm/vmd/cpuProfile';
import { hasFeature, type CpuidAnswers } from '../../server/src/x86/cpuid/answers';
import { CPUID_FEATURES, type CpuidFeatureName } from '../../server/src/x86/cpuid/features';
import { SKYLAKE_SERVER, ZEN } from '../../server/src/x86/cpuid/models';
import { DATA, Lab, outcomeText } from './lab';
import { testProfile } from './oracle/profile';

const plain = (vendor: 'intel' | 'amd'): CpuidAnswers => pcCpuProfile({ vendor, added: [], removed: [] }, 1);

for (const [name, cpu] of [
  ['skylake-server', SKYLAKE_SERVER],
  ['zen', ZEN],
  ['the plain PC (Intel)', plain('intel')],
  ['the plain PC (AMD)', plain('amd')],
  ['vmd', vmdCpuProfile({ localApic: true, x2apic: true, ibt: true, cpu: null })],
] as const)
  test(`${name} offers nothing that the core lacks`, () => {
    const offered = [...CPUID_FEATURES.keys()].filter((feature) => hasFeature(cpu, feature));
    assert.ok(offered.length > 20);
    assert.deepEqual(
      offered.filter((feature) => !coreKeeps(feature)),
      [],
    );
  });

test('a feature is executed or described, not both', () => {
  assert.deepEqual(
    [...EXECUTED_FEATURES].filter((name) => DESCRIPTIVE_FEATURES.has(name)),
    [],
  );
});

type Probe = readonly [
  feature: CpuidFeatureName,
  instruction: string,
  code: string,
  needs?: { readonly cr4?: bigint; readonly with?: readonly CpuidFeatureName[] },
];

/** CR4: PAE, OSFXSR, OSXMMEXCPT, and what an instruction needs beyond. */
const CR4 = 0x620n;
const OSXSAVE = 0x40000n;
const FSGSBASE = 0x10000n;

const PROBES: readonly Probe[] = [
  ['SSE3', 'haddpd xmm0, xmm1', '660f7cc1'],
  ['SSSE3', 'pabsb xmm0, xmm1', '660f381cc1'],
  ['SSE4_1', 'pmovsxbw xmm0, xmm1', '660f3820c1'],
  ['MONITOR', 'monitor', '31c9 31d2 0f01c8'],
  ['CMPXCHG16B', 'cmpxchg16b [rsi]', '480fc70e'],
  ['MOVBE', 'movbe eax, [rsi]', '0f38f006'],
  ['POPCNT', 'popcnt eax, ecx', 'f30fb8c1'],
  ['XSAVE', 'xgetbv', '31c9 0f01d0', { cr4: OSXSAVE }],
  ['XSAVEOPT', 'xsaveopt [rsi]', '31c0 31d2 0fae36', { cr4: OSXSAVE, with: ['XSAVE'] }],
  ['XSAVEC', 'xsavec [rsi]', '31c0 31d2 0fc726', { cr4: OSXSAVE, with: ['XSAVE'] }],
  ['XSS', 'xsaves [rsi]', '31c0 31d2 0fc72e', { cr4: OSXSAVE, with: ['XSAVE', 'XSAVEC'] }],
  ['RDRAND', 'rdrand eax', '0fc7f0'],
  ['RDSEED', 'rdseed eax', '0fc7f8'],
  ['FSGSBASE', 'rdfsbase eax', 'f30faec0', { cr4: FSGSBASE }],
  ['INVPCID', 'invpcid rax, [rsi]', '31c0 660f388206', { with: ['PCID'] }],
  ['SMAP', 'stac', '0f01cb'],
  ['CLFLUSHOPT', 'clflushopt [rsi]', '660fae3e'],
  ['CLWB', 'clwb [rsi]', '660fae36'],
  ['RDPID', 'rdpid rax', 'f30fc7f8'],
  ['RDTSCP', 'rdtscp', '0f01f9'],
  ['CLZERO', 'clzero', '4889f0 0f01fc'],
  ['MMX', 'movq mm0, mm1', '0f6fc1'],
  ['SSE', 'movaps xmm0, xmm1', '0f28c1'],
  ['SSE2', 'movapd xmm0, xmm1', '660f28c1'],
  ['FXSR', 'fxsave [rsi]', '0fae06'],
  ['CLFSH', 'clflush [rsi]', '0fae3e'],
];

for (const [feature, instruction, code, { cr4 = 0n, with: others = [] } = {}] of PROBES) {
  const run = (offered: boolean): string => {
    const profile = testProfile({
      vendor: feature === 'CLZERO' ? 'amd' : 'intel',
      with: [...others, ...(offered ? [feature] : [])],
      without: offered ? [] : [feature],
    });
    const lab = new Lab({ mode: 'long', profile });
    return outcomeText(lab.set({ rsi: DATA }, { cr4: CR4 | cr4 }).run(code));
  };
  test(`${instruction} with ${feature}, and #UD without`, () => {
    assert.equal(run(true), 'ok');
    assert.equal(run(false), '#UD');
  });
}
