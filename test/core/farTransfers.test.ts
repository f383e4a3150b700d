/** Call gates, conforming code, IRET and IST where the manual is particular (SDM vol. 3, 5.8, 6.14; vol. 2, CALL, IRET). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testProfile } from './oracle/profile';
import { GDT, IDT, Lab, SELECTOR, STACK, TSS, outcomeText, type LabMode } from './lab';

const SPARE = BigInt(SELECTOR.spare);
const TARGET = 0x8800n;

/** Ring 3, with what its stack holds. */
function user(lab: Lab, stack: readonly number[] = []): Lab {
  const long = lab.mode === 'long';
  lab.segment('cs', { selector: SELECTOR.user32 | 3, attributes: long ? 0xa0fb : 0xc0fb });
  lab.segment('ss', { selector: SELECTOR.userData | 3, attributes: 0xc0f3 });
  stack.forEach((value, i) => lab.put(STACK + BigInt(4 * i), value, 4));
  return lab;
}

/** A call gate at the spare selector. */
function callGate(
  lab: Lab,
  change: { type?: number; selector?: number; count?: number; upper?: bigint; target?: bigint } = {},
): Lab {
  const long = lab.mode === 'long';
  const {
    type = 0xec,
    selector = long ? SELECTOR.code64 : SELECTOR.code32,
    count = 0,
    upper = 0n,
    target = TARGET,
  } = change;
  const low = (target & 0xffffn) | (BigInt(selector) << 16n) | (BigInt(count) << 32n) | (BigInt(type) << 40n);
  lab.put(GDT + SPARE, low | (((target >> 16n) & 0xffffn) << 48n), 8);
  if (long) lab.put(GDT + SPARE + 8n, (target >> 32n) | upper, 8);
  lab.put(TSS + 4n, 0x6000, 4);
  if (long) lab.put(TSS + 8n, 0, 4);
  else lab.put(TSS + 8n, SELECTOR.data, 4);
  lab.put(TARGET, 0xf4, 1);
  return lab;
}

test('a 32-bit call gate copies its parameters in order', () => {
  const lab = callGate(user(new Lab({ mode: 'protected-32' }), [0x11, 0x22, 0x33]), { count: 2 });
  const { state } = lab.run('9a 00000000 5300');
  assert.equal(state.general.rsp, 0x6000n - 24n);
  const frame = [0n, 4n, 8n, 12n, 16n, 20n].map((i) => lab.get(state.general.rsp + i, 4));
  assert.deepEqual(frame, [
    0x8007n,
    BigInt(SELECTOR.user32 | 3),
    0x11n,
    0x22n,
    STACK,
    BigInt(SELECTOR.userData | 3),
  ]);
  assert.equal(state.segments.cs.selector, SELECTOR.code32);
  assert.equal(state.segments.ss.selector, SELECTOR.data);
});

test('a 64-bit call gate pushes four quadwords, copies nothing, and makes SS null', () => {
  const lab = callGate(user(new Lab({ mode: 'long' })), { count: 3 });
  lab.put(0x9000n, SPARE << 32n, 8);
  const { state } = lab.set({ rsi: 0x9000n }).run('ff1e');
  assert.equal(state.general.rsp, 0x6000n - 32n);
  const frame = [0n, 8n, 16n, 24n].map((i) => lab.get(state.general.rsp + i, 8));
  assert.deepEqual(frame, [0x8002n, BigInt(SELECTOR.user32 | 3), STACK, BigInt(SELECTOR.userData | 3)]);
  assert.equal(state.segments.ss.selector, 0);
});

for (const [title, mode, change, code, expected] of [
  ['DPL below CPL', 'protected-32', { type: 0x8c }, '9a 00000000 5300', '#GP(50)'],
  ['not present', 'protected-32', { type: 0x6c }, '9a 00000000 5300', '#NP(50)'],
  ['JMP may not change the level', 'protected-32', {}, 'ea 00000000 5300', '#GP(18)'],
  ['null code selector', 'protected-32', { selector: 0 }, '9a 00000000 5300', '#GP(0)'],
  ['data selector', 'protected-32', { selector: SELECTOR.data }, '9a 00000000 5300', '#GP(20)'],
  ['64-bit gate to 32-bit code', 'long', { selector: SELECTOR.code32 }, 'ff1e', '#GP(18)'],
  ['64-bit gate, upper type not 0', 'long', { upper: 1n << 40n }, 'ff1e', '#GP(50)'],
  ['64-bit gate, non-canonical target', 'long', { target: 0x800000000000n }, 'ff1e', '#GP(0)'],
  ['16-bit gate in long mode', 'long', { type: 0xe4 }, 'ff1e', '#GP(50)'],
  ['task gate in long mode', 'long', { type: 0xe5 }, 'ff1e', '#GP(50)'],
] as const)
  test(`call gate, ${title}: ${expected}`, () => {
    const lab = callGate(user(new Lab({ mode: mode as LabMode })), change);
    lab.put(0x9000n, SPARE << 32n, 8);
    assert.equal(outcomeText(lab.set({ rsi: 0x9000n }).run(code)), expected);
  });

/** IRETQ with RIP, CS, RFLAGS, RSP, SS. */
for (const [title, cs, ss, rflags, rip, expected] of [
  ['to 64-bit code with a null SS', SELECTOR.code64, 0, 2n, 0x8100n, 'ok'],
  ['null SS with RPL 3', SELECTOR.code64, 3, 2n, 0x8100n, '#GP(0)'],
  ['to 32-bit code with a null SS', SELECTOR.code32, 0, 2n, 0x8100n, '#GP(0)'],
  ['to ring 3 with a null SS', SELECTOR.user32 | 3, 3, 2n, 0x8100n, '#GP(0)'],
  ['SS of another level', SELECTOR.code64, SELECTOR.userData | 3, 2n, 0x8100n, '#GP(38)'],
  ['non-canonical RIP', SELECTOR.code64, SELECTOR.data, 2n, 0x800000000000n, '#GP(0)'],
  ['RIP beyond a 32-bit limit', SELECTOR.code32, SELECTOR.data, 2n, 0x100000000n, '#GP(0)'],
  ['data selector as CS', SELECTOR.data, SELECTOR.data, 2n, 0x8100n, '#GP(20)'],
  ['VM in the image is ignored', SELECTOR.code64, SELECTOR.data, 0x20002n, 0x8100n, 'ok'],
] as const)
  test(`IRETQ, ${title}: ${expected}`, () => {
    const lab = new Lab({ mode: 'long' });
    [rip, BigInt(cs), rflags, 0x6000n, BigInt(ss)].forEach((v, i) => lab.put(STACK + BigInt(8 * i), v, 8));
    lab.put(0x8100n, 0xf4, 1);
    const outcome = lab.run('48cf');
    assert.equal(outcomeText(outcome), expected);
    if (expected === 'ok') assert.deepEqual([outcome.state.general.rsp, outcome.state.rflags], [0x6000n, 2n]);
    else assert.deepEqual([outcome.fault?.state.general.rsp, outcome.fault?.state.rip], [STACK, 0x8000n]);
  });

test('IRETQ outward makes privileged data segments null, and 64-bit code keeps the bases of FS and GS', () => {
  const lab = new Lab({ mode: 'long' });
  const code = SELECTOR.user32 | 3;
  const data = SELECTOR.userData | 3;
  // 64-bit user code in the place of the 32-bit one; movzx eax, gs; mov rbx, gs:[0]; HLT is #GP(0) there.
  lab.put(GDT + BigInt(SELECTOR.user32), 0x00affb000000ffffn, 8);
  lab.core.write(0x8100n, Uint8Array.from(Buffer.from('8ce865488b1c2500000000f4', 'hex')));
  lab.put(0x9100n, 0x1122334455667788n, 8);
  for (const name of ['ds', 'es', 'fs', 'gs'] as const) {
    lab.segment(name, { selector: SELECTOR.data, attributes: 0xc093, base: name === 'gs' ? 0x9100n : 0n });
  }
  [0x8100n, BigInt(code), 2n, 0x6000n, BigInt(data)].forEach((v, i) => lab.put(STACK + BigInt(8 * i), v, 8));
  const { fault } = lab.run('48cf');
  assert.equal(fault?.state.rip, 0x810bn);
  const { general, segments } = fault.state;
  assert.deepEqual([general.rax & 0xffffn, general.rbx], [0n, 0x1122334455667788n]);
  for (const name of ['ds', 'es', 'fs', 'gs'] as const) assert.equal(segments[name].selector, 0, name);
});

test('IRETQ with NT in long mode: #GP(0)', () => {
  assert.equal(outcomeText(new Lab({ mode: 'long' }).set({}, { rflags: 0x4002n }).run('48cf')), '#GP(0)');
});

test('IRET at CPL 3 keeps IOPL, and IF above IOPL', () => {
  const lab = user(new Lab({ mode: 'protected-32' }), [0x8100, SELECTOR.user32 | 3, 0x3002]);
  lab.put(0x8100n, 0x0b0f, 2);
  const { fault } = lab.set({}, { rflags: 0x202n }).run('cf');
  assert.equal(fault?.state.rip, 0x8100n);
  assert.equal(fault.state.rflags & 0x3200n, 0x200n);
});

test('a conforming handler keeps CPL 3 and its stack', () => {
  const lab = user(new Lab({ mode: 'protected-32' }));
  lab.put(GDT + SPARE, 0x00cf9f000000ffffn, 8);
  lab.put(IDT + 0x200n, TARGET | (SPARE << 16n) | (0xeen << 40n), 8);
  lab.put(TARGET, 0x0b0f, 2);
  const { fault } = lab.set({}, { idtr: { base: IDT, limit: 0x207 } }).run('cd40');
  assert.equal(fault?.state.rip, TARGET);
  assert.equal(fault.state.segments.cs.selector, Number(SPARE) | 3);
  assert.equal(fault.state.general.rsp, STACK - 12n);
});

test('implicit supervisor accesses at CPL 3 under SMAP: #PF without U, whatever AC says', () => {
  const lab = user(new Lab({ mode: 'long', profile: testProfile({ features: { smap: true } }) }));
  const { cr4 } = lab.core.state(0);
  // The GDT lies in a user page: loading DS reads it as a supervisor.
  const outcome = lab
    .set({ rax: BigInt(SELECTOR.userData | 3) }, { cr4: cr4 | (1n << 21n), rflags: 0x40002n })
    .run('8ed8');
  assert.equal(outcomeText(outcome), '#PF(1)');
  assert.equal(outcome.fault?.cr2, GDT + BigInt(SELECTOR.userData));
});
