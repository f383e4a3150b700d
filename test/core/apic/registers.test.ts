/** Registers of the local APIC: identifiers, priorities, errors, local vectors (SDM vol. 3, 10.4 to 10.8, 10.12). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lab, outcomeText } from '../lab';
import { testProfile } from '../oracle/profile';
import { ApicLab, ENABLE, REGISTER, X2APIC, poke, rdmsr, read, wrmsr, write, type Register } from './bench';

const eax = (hex: string, lab = new ApicLab()): number => Number(lab.runOn(0, hex).state.general.rax);

for (const [register, value, disabled, enabled] of [
  ['id', 0x05ffffff, 0x05000000, 0x05000000],
  ['version', -1, 0x50014, 0x50014],
  ['tpr', 0xfff, 0xff, 0xff],
  ['apr', -1, 0, 0],
  ['ppr', -1, 0, 0],
  ['eoi', -1, 0, 0],
  ['rrd', -1, 0, 0],
  ['ldr', 0x12345678, 0x12000000, 0x12000000],
  ['dfr', 0x01234567, 0x0fffffff, 0x0fffffff],
  ['isr', -1, 0, 0],
  ['tmr', -1, 0, 0],
  ['irr', -1, 0, 0],
  ['timer', 0xfaffff, 0x300ff, 0x200ff],
  ['thermal', 0xfeffff, 0x107ff, 0x7ff],
  ['performance', 0xfeffff, 0x107ff, 0x7ff],
  ['lint0', 0xfebfff, 0x1a7ff, 0xa7ff],
  ['lint1', 0xfebfff, 0x1a7ff, 0xa7ff],
  ['error', 0xfeffff, 0x100ff, 0xff],
  ['currentCount', -1, 0, 0],
  ['divide', -1, 0xb, 0xb],
] as const)
  test(`${register}: which bits a write keeps, with the APIC software-disabled and enabled`, () => {
    assert.equal(eax(write(register, value) + read(register)), disabled);
    assert.equal(eax(ENABLE + write(register, value) + read(register)), enabled);
  });

test('clearing bit 8 of the SVR masks every local vector; setting it again leaves them masked (10.4.7.2)', () => {
  const vectors = ['timer', 'thermal', 'performance', 'lint0', 'lint1', 'error'] as const;
  for (const register of vectors)
    assert.equal(
      eax(ENABLE + write(register, 0x45) + write('svr', 0xff) + ENABLE + read(register)),
      0x10045,
      register,
    );
});

/** The processor priority: the higher class of TPR and of the highest vector in service (10.8.3.1). */
for (const [tpr, service, ppr] of [
  [0x00, null, 0x00],
  [0x35, null, 0x35],
  [0x35, 0x41, 0x40],
  [0x45, 0x31, 0x45],
  [0x45, 0x41, 0x45],
  [0xff, 0x41, 0xff],
] as const)
  test(`TPR ${tpr.toString(16)} with ${service?.toString(16) ?? 'nothing'} in service: PPR ${ppr.toString(16)}`, () => {
    const lab = new ApicLab();
    if (service !== null) lab.runOn(0, `${ENABLE}${write('icr', 0x44000 | service)} fb 90 90`);
    assert.equal(eax(ENABLE + write('tpr', tpr) + read('ppr'), lab), ppr);
  });

/** An interrupt is delivered when its class is above that of the PPR. */
for (const [title, tpr, vector, taken] of [
  ['a class below', 0x3f, 0x41, true],
  ['the same class', 0x40, 0x4f, false],
  ['a class above', 0x50, 0x41, false],
  ['class 15 is never above', 0xf0, 0xff, false],
  ['vectors 10 to 1F need TPR class 0', 0x0f, 0x1f, true],
] as const)
  test(`TPR ${tpr.toString(16)} and vector ${vector.toString(16)}, ${title}: ${taken ? 'taken' : 'held'}`, () => {
    const lab = new ApicLab();
    lab.runOn(0, `${ENABLE}${write('tpr', tpr)}${write('icr', 0x44000 | vector)} fb 90 90`);
    assert.deepEqual(lab.taken(), taken ? [`fixed ${vector.toString(16)} on 0`] : []);
    lab.runOn(0, `${write('tpr', 0)} fb 90 90`);
    assert.deepEqual(lab.taken(), taken ? [] : [`fixed ${vector.toString(16)} on 0`]);
  });

test('CR8 is bits 7:4 of the TPR; writing it clears 3:0 (10.8.6)', () => {
  const lab = new Lab({ mode: 'long', profile: testProfile({ x2apic: true }) });
  // mov rbx, cr8; mov cr8, rbx
  const code = `${X2APIC} ${wrmsr(0x808, 0x5a)} 440f20c3 440f22c3 ${rdmsr(0x808)}`;
  const { general } = lab.run(code).state;
  assert.deepEqual([general.rbx, general.rax], [5n, 0x50n]);
});

test('EOI ends the highest vector in service; the one below it comes back into force', () => {
  const lab = new ApicLab();
  const send = (vector: number): string => `${write('icr', 0x44000 | vector)} fb 90 90`;
  lab.runOn(0, ENABLE + send(0x41));
  lab.runOn(0, send(0x51));
  lab.runOn(0, send(0x52));
  assert.deepEqual(lab.taken(), ['fixed 41 on 0', 'fixed 51 on 0']);
  assert.equal(eax(read('ppr'), lab), 0x50);
  assert.equal(eax('a12001e0fe', lab), 0x20002, 'both are in bits 95:64 of the ISR');
  lab.runOn(0, `${write('eoi', 0)} fb 90 90`);
  assert.deepEqual(lab.taken(), ['fixed 52 on 0']);
  lab.runOn(0, write('eoi', 0));
  assert.equal(eax(read('ppr'), lab), 0x40);
  lab.runOn(0, write('eoi', 0) + write('eoi', 0));
  assert.equal(eax(read('ppr'), lab), 0, 'one too many does nothing');
});

test('a second request of a vector that waits is one; of a vector in service it waits (10.8.4)', () => {
  const lab = new ApicLab();
  const twice = write('icr', 0x44041).repeat(2);
  lab.runOn(0, `${ENABLE}${twice} fb 90 90`);
  lab.runOn(0, write('icr', 0x44041));
  lab.runOn(0, `${write('eoi', 0)} fb 90 90`);
  lab.runOn(0, `${write('eoi', 0)} fb 90 90`);
  assert.deepEqual(lab.taken(), ['fixed 41 on 0', 'fixed 41 on 0']);
});

test('what waits when the APIC is software-disabled waits on until it is enabled', () => {
  const lab = new ApicLab();
  lab.runOn(0, `${ENABLE}${write('icr', 0x44041)}${write('svr', 0xff)} fb 90 90`);
  assert.deepEqual(lab.taken(), []);
  lab.runOn(0, `${ENABLE} fb 90 90`);
  assert.deepEqual(lab.taken(), ['fixed 41 on 0']);
});

/** The ESR shows what was collected up to its last write (10.5.3). */
const ESR = write('esr', 0) + read('esr');
const UNKNOWN = 0xfee00040;
for (const [title, code, expected] of [
  ['nothing', '', 0],
  ['a vector below 16 to another', write('icrHigh', 0x09000000) + write('icr', 0x400f), 0x20],
  ['the same by lowest priority', write('icrHigh', 0x09000000) + write('icr', 0x410f), 0x20],
  ['a vector below 16 to itself is sent and received', write('icr', 0x4400f), 0x60],
  ['INIT, NMI and start-up have no illegal vector', write('icrHigh', 0x09000000) + write('icr', 0x4400), 0],
  ['vector 16', write('icr', 0x44010), 0],
  ['a read of a reserved register', 'a14000e0fe', 0x80],
  ['a write of one', poke(UNKNOWN, 0), 0x80],
  ['a read behind the last register', 'a10004e0fe', 0x80],
  ['a read of EOI', read('eoi'), 0],
  ['a write of the version, which is read-only', write('version', 0), 0],
  ['a write of an ISR word', write('isr', 0), 0],
  ['a write of the current count', write('currentCount', 0), 0],
] as const)
  test(`ESR after ${title}: ${expected.toString(16)}`, () => {
    assert.equal(eax(ENABLE + code + ESR), expected);
    assert.equal(eax(ENABLE + code + write('esr', 0) + ESR), 0, 'a second write clears it');
  });
test('without a write the ESR shows nothing new', () => {
  assert.equal(eax(ENABLE + write('icr', 0x44005) + read('esr')), 0);
});
test('a timer with a vector below 16: received illegal vector, and nothing is delivered', () => {
  const lab = new ApicLab();
  const code = write('timer', 5) + write('initialCount', 1) + '90'.repeat(8);
  assert.equal(eax(ENABLE + code + ESR, lab), 0x40);
});

test('an error raises the interrupt of the LVT error register, once until the ESR is written', () => {
  const lab = new ApicLab();
  const bad = write('icrHigh', 0x09000000) + write('icr', 0x4005);
  lab.runOn(0, `${ENABLE}${write('error', 0xe1)}${bad} fb 90 90`);
  assert.deepEqual(lab.taken(), ['fixed e1 on 0']);
  lab.runOn(0, `${write('eoi', 0)}${bad} fb 90 90`);
  assert.deepEqual(lab.taken(), []);
  lab.runOn(0, `${write('esr', 0)}${bad} fb 90 90`);
  assert.deepEqual(lab.taken(), ['fixed e1 on 0']);
  const masked = new ApicLab();
  assert.equal(eax(`${ENABLE}${write('error', 0x100e1)}${bad} fb 90 90 ${ESR}`, masked), 0x20);
  assert.deepEqual(masked.taken(), []);
});

// ---- Modes ----
const X2 = testProfile({ x2apic: true });

test('the id that software gave in xAPIC mode is not the x2APIC id, and is lost (10.12.5.1)', () => {
  const lab = new ApicLab({ vcpus: 2, profile: X2 });
  const code = `${write('id', 0x77000000)} ${X2APIC} ${rdmsr(0x802)} 89c3 ${rdmsr(0x80d)} 89c6`;
  const back = `${wrmsr(0x1b, 0xfee00100)} ${wrmsr(0x1b, 0xfee00900)} ${read('id')}`;
  const { general } = lab.runOn(0, `${code} ${back}`).state;
  assert.deepEqual([general.rbx, general.rsi, general.rax], [0n, 1n, 0n]);
});

test('disabling and enabling again resets the registers; INIT keeps IA32_APIC_BASE and the id', () => {
  const lab = new ApicLab();
  lab.runOn(0, ENABLE + write('tpr', 0x35) + write('ldr', 0x01000000) + write('lint0', 0x700));
  lab.runOn(0, `${wrmsr(0x1b, 0xfee00100)} ${wrmsr(0x1b, 0xfee00900)}`);
  for (const [register, value] of [
    ['tpr', 0],
    ['ldr', 0],
    ['dfr', 0xffffffff],
    ['svr', 0xff],
    ['lint0', 0x10000],
  ] as const)
    assert.equal(eax(read(register), lab) >>> 0, value, register);
});

/** Each x2APIC register: what RDMSR gives, and the outcome of WRMSR with one reserved bit (10.12.1.2, table 10-6). */
const outcome = (code: string, profile = X2): string => {
  const lab = new ApicLab({ profile });
  lab.set({}, { idtr: { base: 0n, limit: 0 } });
  return outcomeText(lab.run(`${X2APIC} ${code}`));
};
const NONE = null;
const X2_REGISTERS: readonly (readonly [Register, boolean, number | null, readonly number[]])[] = [
  ['id', true, NONE, []],
  ['version', true, NONE, []],
  ['tpr', true, 0xff, [8, 31]],
  ['apr', false, NONE, []],
  ['ppr', true, NONE, []],
  ['eoi', false, 0, [0, 31]],
  ['rrd', false, NONE, []],
  ['ldr', true, NONE, []],
  ['dfr', false, NONE, []],
  ['svr', true, 0x1ff, [10, 12, 31]],
  ['isr', true, NONE, []],
  ['tmr', true, NONE, []],
  ['irr', true, NONE, []],
  ['esr', true, 0, [0, 7]],
  ['icrHigh', false, NONE, []],
  ['timer', true, 0x300ff, [8, 11, 13, 18, 19]],
  ['thermal', true, 0x107ff, [11, 13, 17]],
  ['performance', true, 0x107ff, [11, 13, 17]],
  ['lint0', true, 0x1a7ff, [11, 17]],
  ['lint1', true, 0x1a7ff, [11, 17]],
  ['error', true, 0x100ff, [8, 13, 17]],
  ['initialCount', true, 0xffffffff, []],
  ['currentCount', true, NONE, []],
  ['divide', true, 0xb, [2, 4]],
  ['selfIpi', false, 0xff, [8]],
];
for (const [register, readable, legal, reserved] of X2_REGISTERS)
  test(`x2APIC ${register}: ${readable ? 'readable' : 'not readable'}, ${legal === null ? 'not writable' : 'writable'}`, () => {
    const index = 0x800 + REGISTER[register] / 16;
    assert.equal(outcome(rdmsr(index)), readable ? 'ok' : '#GP(0)');
    assert.equal(outcome(wrmsr(index, legal ?? 0)), legal === null ? '#GP(0)' : 'ok');
    if (legal === null) return;
    assert.equal(outcome(wrmsr(index, legal, 1)), '#GP(0)', 'bit 32');
    for (const bit of reserved)
      assert.equal(outcome(wrmsr(index, (legal | (1 << bit)) >>> 0)), '#GP(0)', `bit ${bit}`);
  });
test('TSC-deadline mode is a reserved bit without the feature', () => {
  const has = testProfile({ x2apic: true, with: ['TSC-Deadline'] });
  assert.equal(outcome(wrmsr(0x832, 0x40041), has), 'ok');
  assert.equal(outcome(wrmsr(0x832, 0x40041)), '#GP(0)');
  const lab = new ApicLab({ profile: testProfile({ without: ['TSC-Deadline'] }) });
  assert.equal(eax(ENABLE + write('timer', 0x40041) + read('timer'), lab), 0x41);
});
test('SELF IPI: its vector to itself, and an illegal one is an error', () => {
  const lab = new ApicLab({ profile: X2 });
  lab.runOn(0, `${X2APIC} ${wrmsr(0x80f, 0x1ff)} ${wrmsr(0x83f, 0x41)} fb 90 90`);
  assert.deepEqual(lab.taken(), ['fixed 41 on 0']);
  assert.equal(eax(`${wrmsr(0x83f, 5)} ${wrmsr(0x828, 0)} ${rdmsr(0x828)}`, lab), 0x60);
});
