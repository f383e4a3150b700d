/** Interprocessor interrupts: the ICR's fields by row, destinations, shorthands (SDM vol. 3, 10.6, 10.12.9, 10.12.10). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcomeText } from '../lab';
import { testProfile } from '../oracle/profile';
import { ApicLab, ENABLE, X2APIC, rdmsr, read, wrmsr, write } from './bench';

const STI = 'fb 90 90';
const profile = testProfile({ x2apic: true });

/** Three vCPUs, enabled; the logical id of vCPU n is bit n. The others sleep with interrupts on. */
function three(mode: 'xapic' | 'cluster' | 'x2apic'): ApicLab {
  const lab = new ApicLab({ vcpus: 3, profile });
  for (const vcpu of [2, 1, 0]) {
    // Clusters: vCPUs 0 and 1 in cluster 0, vCPU 2 in cluster 1.
    const ldr = mode === 'cluster' ? [0x01, 0x02, 0x11][vcpu]! : 1 << vcpu;
    const setup =
      mode === 'x2apic'
        ? `${X2APIC} ${wrmsr(0x80f, 0x1ff)}`
        : `${ENABLE} ${write('ldr', ldr << 24)} ${write('dfr', mode === 'cluster' ? 0x0fffffff : -1)}`;
    lab.runOn(vcpu, `${setup}${vcpu ? STI : ''}`);
  }
  lab.taken();
  return lab;
}

for (const [title, icr, destination, expected] of [
  // Destination field, physical
  ['fixed to 1', 0x4041, 1, ['fixed 41 on 1']],
  ['fixed to itself', 0x4041, 0, ['fixed 41 on 0']],
  ['fixed to nobody', 0x4041, 9, []],
  ['fixed to all by FF', 0x4041, 0xff, ['fixed 41 on 0', 'fixed 41 on 1', 'fixed 41 on 2']],
  ['fixed with level clear is still sent', 0x41, 1, ['fixed 41 on 1']],
  ['fixed with level trigger is sent as edge', 0xc041, 1, ['fixed 41 on 1']],
  ['lowest priority to all goes to one', 0x4141, 0xff, ['fixed 41 on 0']],
  ['lowest priority to 2', 0x4141, 2, ['fixed 41 on 2']],
  ['reserved mode 3', 0x4341, 1, []],
  ['NMI to 1, whatever its vector', 0x4455, 1, ['nmi on 1']],
  ['INIT to 2', 0x4500, 2, ['init on 2']],
  ['INIT level assert to 2', 0xc500, 2, ['init on 2']],
  ['INIT level de-assert does nothing', 0x8500, 2, []],
  ['start-up without INIT is dropped', 0x4605, 1, []],
  ['reserved mode 7', 0x4741, 1, []],
  // Destination field, logical, flat
  ['logical 2', 0x4841, 2, ['fixed 41 on 1']],
  ['logical 6', 0x4841, 6, ['fixed 41 on 1', 'fixed 41 on 2']],
  ['logical of nobody', 0x4841, 0x80, []],
  ['NMI to logical 6', 0x4c00, 6, ['nmi on 1', 'nmi on 2']],
  // Shorthands
  ['self', 0x44041, 2, ['fixed 41 on 0']],
  ['self, NMI is invalid', 0x44400, 0, []],
  ['self, INIT is invalid', 0x44500, 0, []],
  ['self, lowest priority is invalid', 0x44141, 0, []],
  ['all including self', 0x84041, 2, ['fixed 41 on 0', 'fixed 41 on 1', 'fixed 41 on 2']],
  ['all including self, NMI is invalid', 0x84400, 0, []],
  ['all including self, INIT is invalid', 0x84500, 0, []],
  ['all including self, start-up is invalid', 0x84605, 0, []],
  ['all excluding self', 0xc4041, 2, ['fixed 41 on 1', 'fixed 41 on 2']],
  ['all excluding self, lowest priority', 0xc4141, 0, ['fixed 41 on 1']],
  ['all excluding self, NMI', 0xc4400, 0, ['nmi on 1', 'nmi on 2']],
  ['all excluding self, INIT', 0xc4500, 0, ['init on 1', 'init on 2']],
] as const)
  for (const mode of ['xapic', 'x2apic'] as const)
    test(`ICR ${icr.toString(16)} in ${mode} mode: ${title}`, () => {
      const lab = three(mode);
      // x2APIC broadcasts are all ones in 32 bits; its logical ids are those of 10.12.10.2: bits of cluster 0 here.
      const wide = destination === 0xff ? 0xffffffff : destination;
      const send =
        mode === 'xapic' ? write('icrHigh', destination << 24) + write('icr', icr) : wrmsr(0x830, icr, wide);
      lab.runOn(0, `${send}${STI}`);
      assert.deepEqual(lab.taken().sort(), [...expected].sort());
    });

for (const [title, destination, expected] of [
  ['cluster 0, both members', 0x03, ['fixed 41 on 0', 'fixed 41 on 1']],
  ['cluster 0, the second', 0x02, ['fixed 41 on 1']],
  ['cluster 1', 0x11, ['fixed 41 on 2']],
  ['cluster 1, a member that is not there', 0x12, []],
  ['cluster 2', 0x2f, []],
  ['all by FF', 0xff, ['fixed 41 on 0', 'fixed 41 on 1', 'fixed 41 on 2']],
] as const)
  test(`logical destination ${destination.toString(16)} in the cluster model: ${title} (10.6.2.2)`, () => {
    const lab = three('cluster');
    lab.runOn(0, `${write('icrHigh', destination << 24)}${write('icr', 0x4841)}${STI}`);
    assert.deepEqual(lab.taken().sort(), [...expected]);
  });

test('the x2APIC logical id follows from the x2APIC id: cluster in the upper half, a bit in the lower', () => {
  const lab = new ApicLab({ vcpus: 18, profile });
  lab.runOn(17, `${X2APIC} ${rdmsr(0x80d)}`);
  assert.equal(lab.core.state(17).general.rax, 0x10002n);
  lab.runOn(17, `${wrmsr(0x80f, 0x1ff)}${STI}`);
  lab.runOn(0, `${X2APIC} ${wrmsr(0x830, 0x4841, 0x10002)} ${wrmsr(0x830, 0x4842, 0x2)}`);
  assert.deepEqual(lab.taken(), ['fixed 41 on 17']);
});

test('lowest priority goes to the enabled APIC with the lowest processor priority (10.6.2.4)', () => {
  for (const [tprs, disabled, expected] of [
    [[0x50, 0x30, 0x20], null, 'fixed 81 on 2'],
    [[0x50, 0x10, 0x20], null, 'fixed 81 on 1'],
    [[0x50, 0x20, 0x20], null, 'fixed 81 on 1'],
    [[0x50, 0x30, 0x20], 2, 'fixed 81 on 1'],
  ] as const) {
    const lab = three('xapic');
    for (const vcpu of [2, 1, 0])
      lab.runOn(
        vcpu,
        write('tpr', tprs[vcpu]!) + (vcpu === disabled ? write('svr', 0xff) : '') + (vcpu ? STI : ''),
      );
    lab.runOn(0, `${write('icrHigh', -1)}${write('icr', 0x4181)}${STI}`);
    assert.deepEqual(lab.taken(), [expected]);
  }
});

test('a software-disabled APIC refuses fixed interrupts and takes NMI, INIT and start-up (10.4.7.2)', () => {
  for (const [icr, expected] of [
    [0xc4041, ['fixed 41 on 2']],
    [0xc4400, ['nmi on 1', 'nmi on 2']],
    [0xc4500, ['init on 1', 'init on 2']],
  ] as const) {
    const lab = three('xapic');
    lab.runOn(1, `${write('svr', 0xff)}${STI}`);
    lab.runOn(0, write('icr', icr));
    assert.deepEqual(lab.taken().sort(), [...expected]);
  }
  const lab = three('xapic');
  lab.runOn(0, `${write('svr', 0xff)} ${write('icr', 0xc4041)}`);
  assert.deepEqual(lab.taken(), ['fixed 41 on 1', 'fixed 41 on 2'], 'and still sends');
});

/** INIT, SIPI and NMI in the state that waits for SIPI (8.4, 10.4.7.3). */
for (const [title, icrs, expected] of [
  ['INIT, SIPI, SIPI: the second is dropped', [0x4500, 0x4605, 0x4606], ['init on 1', 'sipi 5 on 1']],
  [
    'an INIT while it waits changes nothing',
    [0x4500, 0x4500, 0x4605],
    ['init on 1', 'init on 1', 'sipi 5 on 1'],
  ],
  ['a fixed interrupt does not start it', [0x4500, 0x4041], ['init on 1']],
  ['an NMI waits for the start', [0x4500, 0x4400], ['init on 1']],
  ['vectors A0 to BF are accepted', [0x4500, 0x46a5], ['init on 1', 'sipi a5 on 1']],
] as const)
  test(title, () => {
    const lab = three('xapic');
    // What starts halts at once.
    lab.put(0x5000n, 0xf4, 1);
    lab.put(0xa5000n, 0xf4, 1);
    for (const icr of icrs) lab.runOn(0, `${write('icrHigh', 1 << 24)}${write('icr', icr)}`);
    assert.deepEqual(lab.taken(), [...expected]);
  });

test('an NMI that waited for SIPI is delivered behind it; one that waited for INIT is not', () => {
  const lab = three('xapic');
  lab.put(0x5000n, 0xf4, 1);
  // Real mode's vector 2 leads to 0x5800.
  lab.put(8n, 0x05800000n, 4);
  lab.put(0x5800n, 0xf4, 1);
  const to1 = (icr: number): string => `${write('icrHigh', 1 << 24)}${write('icr', icr)}`;
  // NMI and INIT in one turn: INIT comes first and takes the NMI with it.
  lab.runOn(0, to1(0x4400) + to1(0x4500));
  lab.runOn(0, to1(0x4605));
  assert.deepEqual(lab.taken(), ['init on 1', 'sipi 5 on 1']);
  lab.runOn(0, to1(0x4500));
  lab.runOn(0, to1(0x4400) + to1(0x4605));
  assert.deepEqual(lab.taken(), ['init on 1', 'sipi 5 on 1', 'nmi on 1']);
});

for (const [title, mode, bits, intel, amd] of [
  ['xAPIC ignores reserved bits', 'xapic', 0xfff33000 | 0x4041, 'ok', 'ok'],
  ['x2APIC, bit 13', 'x2apic', 0x6041, '#GP(0)', '#GP(0)'],
  ['x2APIC, bit 16', 'x2apic', 0x14041, '#GP(0)', '#GP(0)'],
  ['x2APIC, bit 17', 'x2apic', 0x24041, '#GP(0)', '#GP(0)'],
  ['x2APIC, bit 20', 'x2apic', 0x104041, '#GP(0)', '#GP(0)'],
  ['x2APIC, bit 31', 'x2apic', 0x80004041, '#GP(0)', '#GP(0)'],
  ['x2APIC, bit 12, once the delivery status', 'x2apic', 0x5041, 'ok', '#GP(0)'],
] as const)
  test(`reserved bits of the ICR: ${title}: Intel ${intel}, AMD ${amd}`, () => {
    for (const [vendor, expected] of [
      ['intel', intel],
      ['amd', amd],
    ] as const) {
      const lab = new ApicLab({ profile: testProfile({ vendor, x2apic: true }) });
      lab.set({}, { idtr: { base: 0n, limit: 0 } });
      const code = mode === 'xapic' ? write('icr', bits) : `${X2APIC} ${wrmsr(0x830, bits)}`;
      assert.equal(outcomeText(lab.run(code)), expected);
    }
  });

test('what the ICR reads back: xAPIC without reserved bits and delivery status, x2APIC all 64 bits', () => {
  const narrow = new ApicLab();
  const { general } = narrow.run(
    `${write('icrHigh', -1)}${write('icr', -1)}${read('icrHigh')}89c3${read('icr')}`,
  ).state;
  assert.deepEqual([general.rbx, general.rax], [0xff000000n, 0xccfffn]);
  const wide = new ApicLab({ profile });
  const state = wide.run(`${X2APIC} ${wrmsr(0x830, 0x4841, 0x12345678)} ${rdmsr(0x830)}`).state;
  assert.deepEqual([state.general.rdx, state.general.rax], [0x12345678n, 0x4841n]);
});
