/** The local pins LINT0 and LINT1, and interrupt messages from outside (SDM vol. 3, 10.5.1, 10.4.3, 10.4.7; 82093AA data sheet). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testProfile } from '../oracle/profile';
import { ApicLab, ENABLE, X2APIC, read, wrmsr, write } from './bench';

const STI = 'fb 90 90';
const GLOBALLY_DISABLED = wrmsr(0x1b, 0xfee00100);

/** One vCPU that sleeps with interrupts on behind `setup`; the vector of the 8259 pair is 0x20. */
function asleep(setup: string): ApicLab {
  const lab = new ApicLab();
  lab.runOn(0, `${setup} ${STI}`);
  lab.taken();
  return lab;
}
/** The vCPU sleeps on, having ended its interrupt. */
function again(lab: ApicLab, code = write('eoi', 0)): void {
  lab.runOn(0, `${code} ${STI}`);
}

/** What a pin that goes up and stays up brings, and what its fall brings. */
for (const [title, setup, pin, up, down] of [
  ['LINT0 ExtINT', ENABLE + write('lint0', 0x700), 0, ['pic 20 on 0'], []],
  ['LINT0 ExtINT, level, as firmware writes it', ENABLE + write('lint0', 0x8700), 0, ['pic 20 on 0'], []],
  ['LINT0 ExtINT, masked', ENABLE + write('lint0', 0x10700), 0, [], []],
  ['LINT0 fixed, edge', ENABLE + write('lint0', 0x51), 0, ['fixed 51 on 0'], []],
  ['LINT0 fixed, active low', ENABLE + write('lint0', 0x2051), 0, [], ['fixed 51 on 0']],
  ['LINT0 fixed, level', ENABLE + write('lint0', 0x8051), 0, ['fixed 51 on 0'], []],
  ['LINT0 fixed, masked', ENABLE + write('lint0', 0x10051), 0, [], []],
  ['LINT0 NMI', ENABLE + write('lint0', 0x400), 0, ['nmi on 0'], []],
  ['LINT0 NMI, level is not looked at', ENABLE + write('lint0', 0x8400), 0, ['nmi on 0'], []],
  ['LINT1 NMI', ENABLE + write('lint1', 0x400), 1, ['nmi on 0'], []],
  ['LINT1 NMI, active low', ENABLE + write('lint1', 0x2400), 1, [], ['nmi on 0']],
  ['LINT1 masked', ENABLE + write('lint1', 0x10400), 1, [], []],
  ['LINT1 fixed', ENABLE + write('lint1', 0x52), 1, ['fixed 52 on 0'], []],
  ['LINT0 after RESET', '90', 0, [], []],
  ['LINT1 after RESET', '90', 1, [], []],
  [
    'LINT0 of a software-disabled APIC',
    ENABLE + write('lint0', 0x700) + write('svr', 0xff) + write('lint0', 0x700),
    0,
    [],
    [],
  ],
  ['INTR of a globally disabled APIC', GLOBALLY_DISABLED, 0, ['pic 20 on 0'], []],
  ['NMI of a globally disabled APIC', GLOBALLY_DISABLED, 1, ['nmi on 0'], []],
] as const)
  test(`${title}: up ${up.join() || 'nothing'}, down ${down.join() || 'nothing'}`, () => {
    const lab: ApicLab = asleep(setup);
    const set = (level: boolean): void =>
      pin === 0 ? lab.core.setInterruptLine(level) : lab.core.setNmiLine(level);
    set(true);
    lab.core.run(lab.core.now + 3);
    assert.deepEqual(lab.taken(), [...up]);
    lab.core.run(lab.core.now + 3);
    if (up[0]?.startsWith('pic')) set(false);
    else lab.taken();
    again(lab, '90');
    lab.taken();
    set(false);
    lab.core.run(lab.core.now + 3);
    assert.deepEqual(lab.taken(), [...down]);
  });

test('INIT through LINT1 resets the CPU at an edge', () => {
  const lab = new ApicLab({ vcpus: 2 });
  lab.runOn(1, ENABLE + write('lint1', 0x500));
  lab.core.setNmiLine(true);
  lab.go();
  assert.deepEqual(lab.taken(), ['init on 1']);
  assert.equal(lab.core.activity(1), 'wait-for-sipi');
});

test('fixed LINT0, level: remote IRR from acceptance to EOI; a level that stays up asks again', () => {
  const lab = asleep(ENABLE + write('lint0', 0x8051));
  lab.core.setInterruptLine(true);
  lab.go();
  assert.deepEqual(lab.taken(), ['fixed 51 on 0']);
  assert.equal(lab.runOn(0, read('lint0')).state.general.rax, 0xc051n);
  again(lab);
  assert.deepEqual(lab.taken(), ['fixed 51 on 0'], 'the line is still up');
  lab.core.setInterruptLine(false);
  again(lab);
  assert.deepEqual(lab.taken(), []);
  assert.equal(lab.runOn(0, read('lint0')).state.general.rax, 0x8051n);
});

test('fixed LINT0, level: a level that is up behind the mask asks when the entry is unmasked', () => {
  const lab = asleep(ENABLE + write('lint0', 0x18051));
  lab.core.setInterruptLine(true);
  lab.go();
  assert.deepEqual(lab.taken(), []);
  again(lab, write('lint0', 0x8051));
  assert.deepEqual(lab.taken(), ['fixed 51 on 0']);
});

test('the 8259 pair’s line reaches every CPU that listens; the first one to take it has the INTA cycle', () => {
  const lab: ApicLab = new ApicLab({ vcpus: 3 });
  for (const vcpu of [1, 2]) lab.runOn(vcpu, `${ENABLE}${write('lint0', 0x700)}${STI}`);
  lab.runOn(0, STI);
  lab.taken();
  lab.core.setInterruptLine(true);
  lab.core.run(lab.core.now + 1);
  lab.core.setInterruptLine(false);
  lab.go();
  assert.deepEqual(lab.taken(), ['pic 20 on 1']);
});

test('the state that firmware leaves: enabled, LINT0 ExtINT, LINT1 NMI, on vCPU 0 alone', () => {
  const lab = new ApicLab({ vcpus: 2 });
  lab.core.enterVirtualWireMode();
  const of = (vcpu: number): bigint[] =>
    (['svr', 'lint0', 'lint1'] as const).map((register) => lab.runOn(vcpu, read(register)).state.general.rax);
  assert.deepEqual(of(0), [0x1ffn, 0x700n, 0x400n]);
  lab.runOn(1, `${read('lint0')}`);
  assert.equal(lab.core.state(1).general.rax, 0x10000n);
});

/** Messages of an I/O APIC or a device, by delivery mode, to an APIC that is enabled, and to one that is only globally so. */
for (const [mode, enabled, disabled] of [
  [0, ['fixed 41 on 0'], []],
  [1, ['fixed 41 on 0'], []],
  [2, [], []],
  [4, ['nmi on 0'], ['nmi on 0']],
  [7, ['pic 20 on 0'], []],
] as const)
  for (const [setup, expected] of [
    [ENABLE, enabled],
    [write('svr', 0xff), disabled],
  ] as const)
    test(`a message of delivery mode ${mode}, SVR bit 8 ${setup === ENABLE ? 'set' : 'clear'}: ${expected.join() || 'nothing'}`, () => {
      const lab = asleep(setup);
      const accepted = lab.core.deliver(0x41, 0, false, mode, false);
      lab.go();
      assert.deepEqual(lab.taken(), [...expected]);
      // SMI is taken and not modelled.
      assert.equal(accepted, mode === 2 || expected.length > 0);
    });

test('an ExtINT message waits for IF, and is one interrupt', () => {
  const lab = new ApicLab();
  lab.runOn(0, ENABLE);
  assert.equal(lab.core.deliver(0, 0, false, 7, false), true);
  lab.go();
  assert.deepEqual(lab.taken(), []);
  again(lab);
  assert.deepEqual(lab.taken(), ['pic 20 on 0']);
  again(lab);
  assert.deepEqual(lab.taken(), []);
});

test('INIT takes a waiting ExtINT message with it', () => {
  const lab = new ApicLab({ vcpus: 2 });
  lab.runOn(1, ENABLE);
  lab.core.deliver(0, 1, false, 7, false);
  lab.core.deliver(0, 1, false, 5, false);
  lab.go();
  assert.deepEqual(lab.taken(), ['init on 1']);
  lab.put(0x5000n, 0xf4fb, 2);
  lab.core.deliver(5, 1, false, 6, false);
  lab.go();
  assert.deepEqual(lab.taken(), ['sipi 5 on 1']);
});

for (const [title, destination, logical, mode, expected] of [
  ['physical', 1, false, 0, ['fixed 41 on 1']],
  ['nobody', 9, false, 0, []],
  ['physical broadcast', 0xff, false, 0, ['fixed 41 on 0', 'fixed 41 on 1', 'fixed 41 on 2']],
  ['logical', 6, true, 0, ['fixed 41 on 1', 'fixed 41 on 2']],
  ['logical broadcast', 0xff, true, 0, ['fixed 41 on 0', 'fixed 41 on 1', 'fixed 41 on 2']],
  ['lowest priority of the logical', 6, true, 1, ['fixed 41 on 1']],
  ['NMI to the logical', 6, true, 4, ['nmi on 1', 'nmi on 2']],
] as const)
  for (const wide of [false, true])
    test(`a message to ${title} destination ${destination.toString(16)}, ${wide ? 'x2APIC' : 'xAPIC'} receivers`, () => {
      const lab = new ApicLab({ vcpus: 3, profile: testProfile({ x2apic: true }) });
      for (const vcpu of [2, 1, 0])
        lab.runOn(
          vcpu,
          (wide ? `${X2APIC}${wrmsr(0x80f, 0x1ff)}` : ENABLE + write('ldr', 1 << (24 + vcpu))) + STI,
        );
      lab.taken();
      assert.equal(lab.core.deliver(0x41, destination, logical, mode, false), expected.length > 0);
      lab.go();
      assert.deepEqual(lab.taken().sort(), [...expected]);
    });
