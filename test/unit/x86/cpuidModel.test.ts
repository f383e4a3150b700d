/** CPUID models: what a VMM masks, forces and replaces; maxima, clamps, topology (SDM vol. 2A, CPUID; APM vol. 3, app. E). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressWidths, hasFeature, vendorOf, xsaveState } from '../../../server/src/x86/cpuid/answers';
import { CPUID_FEATURES, cpuidFeature, cpuidPlace } from '../../../server/src/x86/cpuid/features';
import type { CpuidModel } from '../../../server/src/x86/cpuid/model';
import { CPUID_MODELS, QEMU64, SKYLAKE_SERVER, ZEN, withVcpus } from '../../../server/src/x86/cpuid/models';
import { permittedCr4, permittedEfer, permittedMsrs } from '../../../server/src/x86/cpuid/permits';

const read = (model: CpuidModel, leaf: number, subleaf = 0, vcpu = 0): readonly number[] =>
  model.cpuid(leaf, subleaf, vcpu);

// As `-cpu qemu64` of QEMU 7.2 with TCG answers one vCPU, read by a boot sector.
for (const [leaf, subleaf, expected] of [
  [0, 0, [0xd, 0x68747541, 0x444d4163, 0x69746e65]],
  [1, 0, [0x60fb1, 0x800, 0x80002001, 0x078bfbfd]],
  [7, 0, [0, 0, 0, 0]],
  [0xb, 0, [0, 1, 0x100, 0]],
  [0xb, 1, [0, 1, 0x201, 0]],
  [0xd, 0, [0, 0, 0, 0]],
  [0x80000000, 0, [0x8000000a, 0x68747541, 0x444d4163, 0x69746e65]],
  [0x80000001, 0, [0x60fb1, 0, 5, 0x2193fbfd]],
  [0x80000008, 0, [0x3028, 0, 0, 0]],
  [0x8000000a, 0, [1, 0x10, 0, 0]],
] as const)
  test(`qemu64 answers leaf ${leaf.toString(16)}.${subleaf} as QEMU does`, () => {
    assert.deepEqual(read(QEMU64, leaf, subleaf), expected);
  });

for (const [title, model, leaf, expected] of [
  [
    'Intel: a basic leaf beyond the maximum gives the highest basic leaf',
    SKYLAKE_SERVER,
    0x17,
    read(SKYLAKE_SERVER, 0x16),
  ],
  ['Intel: so does an extended one', SKYLAKE_SERVER, 0x80000009, read(SKYLAKE_SERVER, 0x16)],
  [
    'Intel: so does a hypervisor leaf where nobody answers them',
    SKYLAKE_SERVER,
    0x40000000,
    read(SKYLAKE_SERVER, 0x16),
  ],
  ['AMD: zeros beyond the basic maximum', ZEN, 0x11, [0, 0, 0, 0]],
  ['AMD: zeros beyond the extended maximum', ZEN, 0x80000022, [0, 0, 0, 0]],
  ['AMD: no hypervisor leaves', ZEN, 0x40000000, [0, 0, 0, 0]],
] as const)
  test(title, () => assert.deepEqual(read(model, leaf), expected));

test('a leaf inside the maximum that has no row is zeros with either vendor', () => {
  for (const model of [SKYLAKE_SERVER, ZEN]) assert.deepEqual(read(model, 3), [0, 0, 0, 0]);
});

test('mask, force and replace change one leaf and leave the model they start from alone', () => {
  const before = JSON.stringify(SKYLAKE_SERVER.leaves);
  const masked = SKYLAKE_SERVER.mask(1, 0, { ecx: 0 });
  assert.equal(read(masked, 1)[2], 0);
  assert.equal(read(masked, 1)[3], read(SKYLAKE_SERVER, 1)[3]);
  assert.equal(read(masked.force(1, 0, { ecx: 1 << 31 }), 1)[2], 0x80000000);
  assert.deepEqual(read(masked.replace(6, null, [1, 2, 3, 4]), 6, 77), [1, 2, 3, 4]);
  assert.equal(JSON.stringify(SKYLAKE_SERVER.leaves), before);
});

test('a replaced subleaf leaves its neighbours, and a removed leaf answers zeros', () => {
  const model = SKYLAKE_SERVER.replace(4, 1, [9, 9, 9, 9]);
  assert.deepEqual(read(model, 4, 1), [9, 9, 9, 9]);
  assert.deepEqual(read(model, 4, 2), read(SKYLAKE_SERVER, 4, 2));
  assert.deepEqual(read(model.replace(4, null, null), 4, 1), [0, 0, 0, 0]);
});

test('ECX does not matter to a leaf without subleaves', () => {
  assert.deepEqual(read(ZEN, 0x80000001, 0x1234), read(ZEN, 0x80000001));
  assert.notEqual(read(ZEN, 0x80000001)[3], 0);
});

test('every feature of a model can be taken away and given back', () => {
  for (const model of Object.values(CPUID_MODELS))
    for (const name of CPUID_FEATURES.keys()) {
      const had = hasFeature(model, name);
      assert.equal(hasFeature(model.with(name), name), true, name);
      assert.equal(hasFeature(model.without(name), name), false, name);
      const { leaf, subleaf } = cpuidFeature(name);
      if (had)
        assert.deepEqual(read(model.without(name).with(name), leaf, subleaf), read(model, leaf, subleaf));
    }
});

test('a feature in a leaf beyond the maximum is not there, whatever the clamped answer holds', () => {
  const low = SKYLAKE_SERVER.limit(0, 1);
  assert.equal(hasFeature(low, 'SMEP'), false);
  assert.notEqual(read(low, 7)[1], 0);
  assert.equal(hasFeature(low.with('SMEP'), 'SMEP'), true);
});

test('vCPUs have their APIC IDs in leaf 1, 0xB and 0x8000001E, and a package holds them all', () => {
  const intel = withVcpus(SKYLAKE_SERVER, 6);
  assert.equal(read(intel, 1, 0, 5)[1], 0x05060800);
  assert.deepEqual(read(intel, 0xb, 0, 5), [0, 1, 0x100, 5]);
  assert.deepEqual(read(intel, 0xb, 1, 5), [3, 6, 0x201, 5]);
  assert.deepEqual(read(intel, 0xb, 2, 5), [0, 0, 2, 5], 'an invalid subleaf still gives the x2APIC ID');
  assert.equal(read(intel, 4, 0)[0]! >>> 26, 5);
  assert.equal(hasFeature(intel, 'HTT'), true);
  const amd = withVcpus(ZEN, 6);
  assert.equal(read(amd, 0x80000008)[2], 0x3005);
  assert.equal(read(amd, 0x8000001e, 0, 4)[0], 4);
  assert.equal(hasFeature(withVcpus(ZEN, 1), 'HTT'), false);
});

test('vendor, widths and XSAVE components are what the leaves say', () => {
  assert.deepEqual([QEMU64, SKYLAKE_SERVER, ZEN].map(vendorOf), ['amd', 'intel', 'amd']);
  assert.deepEqual(addressWidths(SKYLAKE_SERVER), { physical: 46, linear: 48 });
  assert.deepEqual(addressWidths(SKYLAKE_SERVER.limit(0x80000000, 0x80000001)), { physical: 36, linear: 48 });
  assert.deepEqual(addressWidths(ZEN.limit(0x80000000, 0).without('PAE', 'LM')), {
    physical: 32,
    linear: 32,
  });
  assert.deepEqual(addressWidths(SKYLAKE_SERVER.with('LA57')), { physical: 46, linear: 57 });
  assert.deepEqual(xsaveState(SKYLAKE_SERVER), {
    xcr0: 0x203n,
    xss: 0n,
    components: [{ number: 9, size: 8, offset: 0xa80, supervisor: false, aligned: false }],
  });
  assert.deepEqual(xsaveState(ZEN.without('XSAVE')).xcr0, 0n);
});

test('what CPUID lacks, CR4, EFER and the MSRs lack', () => {
  for (const [name, bit] of [
    ['SMEP', 20],
    ['PCID', 17],
    ['PAE', 5],
    ['XSAVE', 18],
  ] as const) {
    assert.equal((permittedCr4(SKYLAKE_SERVER) >> BigInt(bit)) & 1n, 1n, name);
    assert.equal((permittedCr4(SKYLAKE_SERVER.without(name)) >> BigInt(bit)) & 1n, 0n, name);
  }
  assert.equal(permittedEfer(SKYLAKE_SERVER), 0xd01n);
  assert.equal(permittedEfer(ZEN.with('SVM')), 0x5d01n, 'SVME and FFXSR are AMD');
  assert.equal(permittedEfer(SKYLAKE_SERVER.with('FFXSR', 'SVM')), 0xd01n);
  assert.equal(permittedEfer(ZEN.without('NX')), 0x4501n);
  assert.equal(permittedMsrs(ZEN.without('PAT')) ^ permittedMsrs(ZEN), 0x20);
});

test('a feature is named as the manuals write it', () => {
  assert.equal(cpuidPlace(cpuidFeature('SMAP')), 'CPUID.(EAX=07H,ECX=0):EBX[20]');
  assert.equal(cpuidPlace(cpuidFeature('NX')), 'CPUID.80000001H:EDX[20]');
  assert.equal(new Set([...CPUID_FEATURES.values()].map(cpuidPlace)).size, CPUID_FEATURES.size);
});
