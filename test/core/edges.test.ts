/** Rules at the edges: #NM before #UD, the 16-bit MOVSXD, timers in the past, IPIs to disabled APICs, the IBT bitmap. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DATA, IDT, Lab, SELECTOR, outcomeText } from './lab';
import { testProfile } from './oracle/profile';

const ABSENT = 0xb000n;

for (const [name, code, cr0, expected] of [
  ['fld1 with TS', 'd9e8', 0x39n, '#NM'],
  ['fld1 with EM', 'd9e8', 0x35n, '#NM'],
  ['fld m32 with TS', 'd906', 0x39n, '#NM'],
  ['fninit with EM', 'dbe3', 0x35n, '#NM'],
  ['fld1 with LOCK and TS', 'f0d9e8', 0x39n, '#UD'],
] as const)
  test(`${name}: ${expected}`, () => {
    assert.equal(
      outcomeText(new Lab({ mode: 'protected-32' }).set({ rsi: DATA }, { cr0 }).run(code)),
      expected,
    );
  });

for (const [name, code, vendor, ring3, expected] of [
  ['lfence', '0faee8', 'intel', false, 'ok'],
  ['lfence with 66', '660faee8', 'intel', false, '#UD'],
  ['sysexit at CPL 3 in long mode', '0f35', 'amd', true, '#GP(0)'],
  ['sysexit at CPL 0 in long mode', '0f35', 'amd', false, '#UD'],
  ['sysenter in long mode', '0f34', 'amd', true, '#UD'],
] as const)
  test(`${name} (${vendor}): ${expected}`, () => {
    const lab = new Lab({ mode: 'long', profile: testProfile({ vendor }) });
    if (ring3) {
      lab.segment('cs', { selector: SELECTOR.user32 | 3, attributes: 0xa0fb });
      lab.segment('ss', { selector: SELECTOR.userData | 3, attributes: 0xc0f3 });
    }
    assert.equal(outcomeText(lab.run(code)), expected);
  });

/** Operands that reach an absent or read-only page, as a CPU of family 26 answers in user mode (CR2 of FXSAVE apart). */
for (const [name, code, at, entry, expected, cr2] of [
  ['cmpxchg16b, absent', '480fc70e', ABSENT + 32n, 0n, '#PF(2)', ABSENT + 32n],
  ['cmpxchg16b, read-only', '480fc70e', ABSENT + 32n, ABSENT | 1n, '#PF(3)', ABSENT + 32n],
  ['cmpxchg8b over the page end', '0fc70e', ABSENT - 4n, 0n, '#PF(2)', ABSENT],
  ['fxsave, reserved bytes only in the absent page', '0fae06', ABSENT - 464n, 0n, '#PF(2)', ABSENT],
  ['fxrstor, reserved bytes only in the absent page', '0fae0e', ABSENT - 464n, 0n, '#PF(0)', ABSENT],
  ['rol by 0, read-only', 'c00600', ABSENT, ABSENT | 1n, '#PF(3)', ABSENT],
  ['shl by cl = 0, read-only', 'd326', ABSENT, ABSENT | 1n, '#PF(3)', ABSENT],
  ['shld by 0, read-only', '0fa40600', ABSENT, ABSENT | 1n, '#PF(3)', ABSENT],
  ['or 0, read-only', '830e00', ABSENT, ABSENT | 1n, '#PF(3)', ABSENT],
  ['cmpxchg that fails, read-only', '0fb10e', ABSENT + 4n, ABSENT | 1n, '#PF(3)', ABSENT + 4n],
  ['cmovne not taken, absent', '39c0 0f4506', ABSENT + 9n, 0n, '#PF(0)', ABSENT + 9n],
  ['bt beyond its operand', '0fa30e', ABSENT - 4n, 0n, '#PF(0)', ABSENT],
  ['verr, absent', '0f0026', ABSENT, 0n, '#PF(0)', ABSENT],
] as const)
  test(`${name}: ${expected}`, () => {
    const lab = new Lab({ mode: 'long' }).set({ rsi: at, rcx: name.startsWith('shl') ? 0n : 0x30n });
    lab.put(lab.entryOf(ABSENT), entry, 8);
    const outcome = lab.run(code);
    assert.equal(outcomeText(outcome), expected);
    assert.equal(outcome.fault?.cr2, cr2);
  });

test('MOVSXD of a word reads a word', () => {
  const lab = new Lab({ mode: 'long' }).set({ rsi: ABSENT - 2n, rax: -1n & 0xffffffffffffffffn });
  lab.put(lab.entryOf(ABSENT), 0n, 8);
  lab.put(ABSENT - 2n, 0x1234, 2);
  const outcome = lab.run('666306');
  assert.equal(outcomeText(outcome), 'ok');
  assert.equal(outcome.state.general.rax, 0xffffffffffff1234n);
});

const dword = (value: number): string =>
  [0, 8, 16, 24].map((shift) => ((value >>> shift) & 0xff).toString(16).padStart(2, '0')).join('');
const msr = (index: number, high: number, low: number): string =>
  `b9${dword(index)} ba${dword(high)} b8${dword(low)} 0f30`;
const poke = (address: number, value: number): string => `c705${dword(address)}${dword(value)}`;

test('a TSC deadline that has passed fires at once, wherever the TSC was set', () => {
  const profile = testProfile({ with: ['TSC-Deadline'] });
  for (const deadline of [5, 0x10000005]) {
    const lab = new Lab({ profile }).set({ rbx: 0n }, { idtr: { base: IDT, limit: 0xfff } });
    lab.put(IDT + 8n * 0x41n, 0x8800n | (BigInt(SELECTOR.code32) << 16n) | (0x8en << 40n), 8);
    lab.core.write(0x8800n, Uint8Array.from([0x43, 0xf4]));
    const code = `${poke(0xfee000f0, 0x1ff)} ${poke(0xfee00320, 0x40041)} ${msr(0x10, 0, 0x10000000)} ${msr(0x6e0, 0, deadline)} fb 90 f4`;
    assert.equal(lab.run(code, 2000).state.general.rbx, 1n, deadline.toString(16));
  }
});

test('SELF IPI leaves the ICR as it was', () => {
  const lab = new Lab({ profile: testProfile({ x2apic: true }) });
  const code = `${msr(0x1b, 0, 0xfee00d00)} ${msr(0x830, 7, 0x4041)} ${msr(0x83f, 0, 0x51)} b930080000 0f32`;
  const { state } = lab.run(code);
  assert.deepEqual([state.general.rax, state.general.rdx], [0x4041n, 7n]);
});

test('a shorthand reaches no APIC that is globally disabled', () => {
  const lab = new Lab({ vcpus: 2 });
  const { core } = lab;
  // vCPU 1 disables its APIC and halts with interrupts off.
  const state = core.state(0);
  core.setState(1, {
    ...state,
    rip: 0x8400n,
    general: { ...state.general, rcx: 0x1bn, rax: 0xfee00000n, rdx: 0n },
  });
  core.write(0x8400n, Uint8Array.from([0x0f, 0x30, 0xf4]));
  core.setActivity(1, 'running');
  core.setActivity(0, 'halted');
  core.run(core.now + 100);
  assert.equal(core.activity(1), 'halted');
  core.setActivity(0, 'running');
  lab.run(poke(0xfee00300, 0xc4500), 20000);
  assert.equal(core.activity(1), 'halted');
});

/** The legacy bitmap is found by linear address bits 47:12, upper-half code included. */
test('the IBT legacy bitmap serves code in the upper half', () => {
  const lab = new Lab({ mode: 'long', profile: testProfile({ ibt: true }) });
  // The last PML4 entry maps as the first: code runs at ffffff80_00008000.
  lab.put(0x10ff8n, 0x12007n, 8);
  const high = 0xffffff8000000000n;
  // The bitmap's page for the top 512 GiB lies at base + (7f8000000000 + 8) >> 15.
  const bitmap = 0x200000n;
  const at = bitmap + ((0xff8000000000n + 0x8000n) >> 15n);
  const tables = 0x200000n;
  // Linear `at` needs a mapping: PDPT entry 7 of the lower half, a 2 MiB page onto the tables' own span.
  lab.put(0x12000n + 8n * (at >> 30n), 0x300007n, 8);
  lab.put(0x300000n + 8n * ((at >> 21n) & 0x1ffn), tables | 0x87n, 8);
  const physical = tables + (at & 0x1fffffn);
  lab.put(physical, 1 << Number((0xff8000008000n >> 12n) & 7n), 1);
  const segment = lab.core.state(0);
  lab.set({ rsi: high + 0x8010n }, { rip: high + 0x8000n, cr4: segment.cr4 | 0x800000n });
  // jmp rsi under ENDBR_EN | LEG_IW_EN
  lab.put(0x8010n, 0xf4, 1);
  const code = `${msr(0x6a2, 0, Number(bitmap) | 0xc)} ffe6`;
  lab.core.write(0x8010n + 0x10n, Uint8Array.from([0xf4]));
  lab.set({ rsi: high + 0x8020n });
  assert.equal(outcomeText(lab.run(code)), 'ok');
});
