/** Delivery of interrupts and exceptions: gates, frames, error codes, promotion to #DF and shutdown (vol. 3, chapter 6). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FaultRecord } from '../../server/emulator/face';
import { CODE, GDT, IDT, Lab, SELECTOR, STACK, TSS, outcomeText, type LabMode } from './lab';

const HANDLER = 0x8800n;

function gate(
  lab: Lab,
  vector: number,
  change: Partial<{ type: number; selector: number; target: bigint; ist: number }> = {},
): void {
  const long = lab.mode === 'long' || lab.mode === 'compatibility';
  const type = change.type ?? 0x8e;
  const selector = change.selector ?? (long ? SELECTOR.code64 : SELECTOR.code32);
  const target = change.target ?? HANDLER;
  const low =
    (target & 0xffffn) |
    (BigInt(selector) << 16n) |
    (BigInt(change.ist ?? 0) << 32n) |
    (BigInt(type) << 40n) |
    (((target >> 16n) & 0xffffn) << 48n);
  const at = IDT + BigInt(vector * (long ? 16 : 8));
  lab.put(at, low, 8);
  if (long) lab.put(at + 8n, target >> 32n, 8);
}

function machine(mode: LabMode, limit = 0xfff): Lab {
  const lab = new Lab({ mode });
  lab.put(HANDLER, 0xf4, 1);
  return lab.set({}, { idtr: { base: IDT, limit } });
}

/** INT 0x40 through a gate changed so, in 32-bit and 64-bit mode: the error code of what comes of it. */
for (const [title, change, expected] of [
  ['interrupt gate', {}, 'ok'],
  ['trap gate', { type: 0x8f }, 'ok'],
  ['wrong type', { type: 0x8c }, '#GP(202)'],
  ['not present', { type: 0x0e }, '#NP(202)'],
  ['null selector', { selector: 0 }, '#GP(0)'],
  ['selector beyond the GDT', { selector: 0x200 }, '#GP(200)'],
  ['data selector', { selector: SELECTOR.data }, '#GP(20)'],
  ['code of a lower privilege', { selector: SELECTOR.user32 }, '#GP(30)'],
] as const)
  for (const mode of ['protected-32', 'long'] as const)
    test(`INT through a gate, ${title} (${mode}): ${expected}`, () => {
      const lab = machine(mode);
      gate(lab, 0x40, change);
      assert.equal(outcomeText(lab.run('cd40')), expected);
    });

test('a gate in long mode must lead to code with L=1 and D=0', () => {
  const lab = machine('long');
  gate(lab, 0x40, { selector: SELECTOR.code32 });
  assert.equal(outcomeText(lab.run('cd40')), '#GP(18)');
});

test('a vector beyond the IDT: its number and EXT in the error code', () => {
  assert.equal(outcomeText(machine('protected-32', 0xff).run('cd40')), '#GP(202)');
  const lab = machine('protected-32', 0x2f);
  const chain = lab.run('0f0b');
  assert.deepEqual(links(chain.exit.reason === 'shutdown' ? chain.exit.faults : []), [
    [6, null],
    [13, 6 * 8 + 3],
    [13, 13 * 8 + 3],
    [13, 8 * 8 + 3],
  ]);
});

test('a non-canonical target faults before control moves', () => {
  const lab = machine('long');
  gate(lab, 0x40, { target: 0x800000000000n });
  const outcome = lab.run('cd40');
  assert.equal(outcomeText(outcome), '#GP(0)');
  assert.equal(outcome.fault?.state.rip, CODE);
});

test('the frame of 64-bit mode: aligned, SS and RSP always, error code behind', () => {
  const lab = machine('long').set({ rsp: 0x6ff3n }, { rflags: 0x246n });
  gate(lab, 0x40);
  const { state } = lab.run('cd40');
  assert.equal(state.general.rsp, 0x6ff0n - 40n);
  const frame = [0n, 8n, 16n, 24n, 32n].map((i) => lab.get(state.general.rsp + i, 8));
  assert.deepEqual(frame, [CODE + 2n, BigInt(SELECTOR.code64), 0x246n, 0x6ff3n, BigInt(SELECTOR.data)]);
  assert.equal(state.rflags & 0x300n, 0n, 'IF and TF are clear');
  const fault = machine('long').set({ rsi: 0x800000000000n });
  gate(fault, 13);
  const after = fault.run('8b06').state;
  assert.equal(after.general.rsp % 16n, 0n);
  assert.equal(fault.get(after.general.rsp, 8), 0n, 'the error code');
  assert.equal(fault.get(after.general.rsp + 24n, 8) & 0x10000n, 0x10000n, 'RF in the image of a fault');
});

test('IST switches the stack without a change of level and keeps SS', () => {
  const lab = machine('long');
  gate(lab, 0x40, { ist: 2 });
  lab.put(TSS + 44n, 0x6000n, 8);
  const { state } = lab.run('cd40');
  assert.equal(state.general.rsp, 0x6000n - 40n);
  assert.equal(state.segments.ss.selector, SELECTOR.data);
});

test('from ring 3 the TSS gives the stack; INT needs DPL 3', () => {
  const user = (type: number): Lab => {
    const lab = machine('protected-32');
    gate(lab, 0x40, { type });
    lab.put(TSS + 4n, 0x6000, 4);
    lab.put(TSS + 8n, SELECTOR.data, 4);
    lab.segment('cs', { selector: SELECTOR.user32 | 3, attributes: 0xc0fb });
    return lab.segment('ss', { selector: SELECTOR.userData | 3, attributes: 0xc0f3 });
  };
  const lab = user(0xee);
  const { state } = lab.run('cd40');
  assert.equal(state.general.rsp, 0x6000n - 20n);
  assert.equal(lab.get(0x6000n - 8n, 4), STACK);
  assert.equal(lab.get(0x6000n - 4n, 4), BigInt(SELECTOR.userData | 3));
  assert.equal(outcomeText(user(0x8e).run('cd40')), '#GP(202)');
});

test('a stack in the TSS beyond its limit: #TS(TR)', () => {
  const lab = machine('long');
  gate(lab, 0x40, { ist: 7 });
  lab.segment('tr', { limit: 0x40 });
  assert.equal(outcomeText(lab.run('cd40')), '#TS(40)');
});

test('real mode: four-byte vectors, 16-bit frame, no error codes', () => {
  const lab = new Lab({ mode: 'real' }).set({}, { idtr: { base: 0n, limit: 0x3ff } });
  lab.put(0x100n, 0x0880_0000n, 4);
  lab.put(0x8800n, 0xf4, 1);
  const { state } = lab.run('cd40');
  assert.equal(state.segments.cs.base, 0x8800n);
  assert.equal(state.general.rsp, STACK - 6n);
  assert.equal(lab.get(STACK - 6n, 2), CODE + 2n);
});

const links = (faults: readonly FaultRecord[]): (readonly [number, number | null])[] =>
  faults.map(({ vector, errorCode }) => [vector, errorCode]);

/** First an event, then a fault on its delivery: what is delivered in the end, seen by which handler runs. */
for (const [title, first, code, second, delivered] of [
  ['#GP then #NP', 13, '8ed8', 11, 8],
  ['#UD then #NP', 6, '0f0b', 11, 11],
  ['#PF then #NP', 14, 'a000b00000', 11, 8],
] as const)
  test(`${title}: vector ${delivered} is delivered`, () => {
    const lab = machine('paging-32').set({ rax: 0x200n });
    lab.put(lab.entryOf(0xb000n), 0n, 4);
    gate(lab, first, { type: 0x0e });
    gate(lab, second);
    gate(lab, 8, { target: HANDLER + 0x10n });
    lab.put(HANDLER + 0x10n, 0xf4, 1);
    const { state } = lab.run(code);
    assert.equal(state.rip, HANDLER + (delivered === 8 ? 0x11n : 1n));
    assert.equal(
      lab.get(state.general.rsp, 4),
      delivered === 8 ? 0n : BigInt(first * 8 + 3),
      'its error code',
    );
    assert.deepEqual(
      lab.core.faults(0).map(({ vector }) => vector),
      [first, second],
      'the chain can be read after a double fault that was delivered',
    );
  });

test('#GP then #PF is a page fault, whose handler may run', () => {
  const lab = machine('paging-32').set({ rax: 0x200n, rsp: 0xb010n });
  gate(lab, 13);
  gate(lab, 14, { type: 0x85, selector: SELECTOR.tss });
  lab.put(lab.entryOf(0xb000n), 0n, 4);
  const faults = lab.run('8ed8').exit;
  assert.deepEqual(links(lab.core.faults(0)).slice(0, 2), [
    [13, 0x200],
    [14, 2],
  ]);
  assert.ok(faults);
});

test('a triple fault keeps the state at each fault', () => {
  const lab = machine('long', 0).set({ rsi: 0x800000000000n });
  const { exit } = lab.run('8b06');
  assert.equal(exit.reason, 'shutdown');
  const faults = exit.reason === 'shutdown' ? exit.faults : [];
  assert.deepEqual(links(faults), [
    [13, 0],
    [13, 13 * 8 + 3],
    [13, 8 * 8 + 3],
  ]);
  assert.ok(faults.every(({ state }) => state.rip === CODE && state.general.rsp === STACK));
  assert.match(faults[0]?.reason ?? '', /non-canonical address 0x800000000000/);
  assert.match(
    faults[1]?.reason ?? '',
    /vector 13 lies beyond the IDT .* while exception 13 was being delivered/,
  );
  assert.equal(lab.core.activity(0), 'shutdown');
});

test('STI lets one more instruction through, STI; CLI lets nothing in', () => {
  const taken = machine('protected-32').set({ rax: 0n });
  gate(taken, 0x20);
  taken.core.enterVirtualWireMode();
  taken.core.setInterruptLine(true);
  assert.equal(taken.run('fb 40 40').state.general.rax, 1n);
  const none = machine('protected-32').set({ rax: 0n });
  gate(none, 0x20);
  none.core.enterVirtualWireMode();
  none.core.setInterruptLine(true);
  assert.equal(none.run('fb fa 40 40').state.general.rax, 2n);
});

test('a load of SS holds interrupts for one instruction', () => {
  const lab = machine('protected-32').set({ rax: BigInt(SELECTOR.data), rbx: 0n }, { rflags: 0x202n });
  gate(lab, 0x20);
  lab.core.write(CODE, Uint8Array.from([0x8e, 0xd0, 0x43, 0x43, 0xf4]));
  lab.core.run(lab.core.now + 1);
  lab.core.enterVirtualWireMode();
  lab.core.setInterruptLine(true);
  assert.equal(lab.go().state.general.rbx, 1n);
});

test('the acknowledge cycle gives the vector, HLT resumes behind itself', () => {
  let acknowledged = 0;
  const lab = new Lab({
    bus: {
      acknowledge: () => {
        acknowledged++;
        return 0x33;
      },
    },
  }).set({}, { rflags: 0x202n, idtr: { base: IDT, limit: 0xfff } });
  gate(lab, 0x33);
  lab.put(HANDLER, 0xfa, 1);
  lab.put(HANDLER + 1n, 0xf4, 1);
  assert.equal(lab.run('90').exit.reason, 'idle');
  lab.core.enterVirtualWireMode();
  lab.core.setInterruptLine(true);
  const { state } = lab.go();
  assert.equal(acknowledged, 1);
  assert.equal(state.rip, HANDLER + 2n);
  assert.equal(lab.get(state.general.rsp, 4), CODE + 2n);
});

test('an NMI is blocked until IRET, one more is kept', () => {
  const lab = machine('protected-32').set({ rbx: 0n });
  gate(lab, 2);
  lab.core.write(HANDLER, Uint8Array.from([0x43, 0xcf])); // inc ebx; iret
  lab.core.write(CODE, Uint8Array.from([0x90, 0x90, 0x90, 0xf4]));
  lab.core.run(1);
  lab.core.deliver(0, 0, false, 4, false);
  lab.core.run(2);
  lab.core.deliver(0, 0, false, 4, false);
  lab.core.deliver(0, 0, false, 4, false);
  assert.equal(lab.go().state.general.rbx, 2n);
});

test('an IRET that faults unblocks NMIs as well (SDM vol. 3, 6.7.1)', () => {
  const lab = machine('protected-32');
  gate(lab, 2);
  gate(lab, 13, { target: 0x8900n });
  // inc ebx; push eax, ecx, ecx; iretd: EAX as EFLAGS, CS beyond the table. Its #GP halts.
  lab.core.write(HANDLER, Uint8Array.from([0x43, 0x50, 0x51, 0x51, 0xcf]));
  lab.put(0x8900n, 0xf4, 1);
  lab.set({ rax: 2n, rbx: 0n, rcx: 0x1000n });
  for (const seen of [1n, 2n]) {
    lab.core.deliver(0, 0, false, 4, false);
    const { state } = lab.run('90');
    assert.deepEqual([state.general.rbx, state.rip], [seen, 0x8901n]);
  }
});
test('an NMI waits for the instruction behind STI, as behind MOV SS (SDM vol. 2, STI; APM vol. 2, 8.1.4)', () => {
  for (const [first, length] of [
    ['fb', 1n], // sti
    ['8ed0', 2n], // mov ss, ax
  ] as const) {
    const lab = machine('protected-32').set({ rax: BigInt(SELECTOR.data) });
    gate(lab, 2);
    lab.put(HANDLER, 0xf4, 1);
    const code = Uint8Array.from(Buffer.from(`${first}9090f4`, 'hex'));
    lab.core.write(CODE, code);
    lab.core.run(1);
    lab.core.deliver(0, 0, false, 4, false);
    const { state } = lab.go();
    assert.equal(lab.get(state.general.rsp, 4), CODE + length + 1n, first);
  }
});

test('single step: a trap behind each instruction, with BS in DR6', () => {
  const lab = machine('protected-32').set({ rax: 0n }, { rflags: 0x102n });
  gate(lab, 1);
  const { state } = lab.run('40 40');
  assert.equal(state.general.rax, 1n);
  assert.equal((state.dr[6] ?? 0n) & 0x4000n, 0x4000n);
  assert.equal(lab.get(state.general.rsp, 4), CODE + 1n);
});

test('the GDT of the lab is read for each delivery', () => {
  const lab = machine('protected-32');
  gate(lab, 0x40);
  lab.put(GDT + BigInt(SELECTOR.code32), 0x00cf1b000000ffffn, 8);
  assert.equal(outcomeText(lab.run('cd40')), '#NP(18)');
});

/** SDM vol. 3, 6.14.2 and 6.14.5: a stack pointer of the TSS that is not canonical. */
for (const [title, ist, at] of [
  ['RSP0', 0, 4n],
  ['IST1', 1, 36n],
] as const)
  test(`${title} that is not canonical: #SS, and the state is that before the delivery`, () => {
    const lab = machine('long');
    gate(lab, 0x40, { type: 0xee, ist });
    lab.put(TSS + at, 0x8000_0000_1000n, 8);
    lab.segment('cs', { selector: SELECTOR.user32 | 3, attributes: 0xa0fb });
    lab.segment('ss', { selector: SELECTOR.userData | 3, attributes: 0xc0f3 });
    for (const table of [0x10000n, 0x12000n, 0x13000n]) lab.put(table, lab.get(table, 8) | 4n, 8);
    const outcome = lab.run('cd40');
    assert.equal(outcomeText(outcome), '#SS(0)');
    assert.equal(outcome.fault?.state.rip, CODE);
  });

test('the last doubleword of a 64-bit gate is reserved: no fault is named for it', () => {
  const lab = machine('long');
  gate(lab, 0x40);
  lab.put(IDT + 0x40n * 16n + 12n, 0x1f00, 4);
  assert.equal(outcomeText(lab.run('cd40')), 'ok');
});

/** SDM vol. 2, REP: an interrupt is taken between iterations, the image has RF, and IRET goes on. */
test('an external interrupt in the middle of REP STOSB', () => {
  const lab: Lab = new Lab({
    mode: 'long',
    quantum: 1,
    bus: { acknowledge: () => (lab.core.setInterruptLine(false), 0x20) },
  });
  gate(lab, 0x20);
  lab.put(HANDLER, 0xf4, 1);
  lab.set({ rcx: 100n, rdi: 0x9000n }, { rflags: 0x202n, idtr: { base: IDT, limit: 0xfff } });
  lab.core.write(CODE, Uint8Array.from([0xf3, 0xaa, 0xf4]));
  lab.core.run(lab.core.now + 10);
  lab.core.enterVirtualWireMode();
  lab.core.setInterruptLine(true);
  const { state } = lab.go();
  assert.equal(state.rip, HANDLER + 1n);
  const left = state.general.rcx;
  assert.ok(left > 0n && left < 100n, `${left} iterations are left`);
  assert.equal(state.general.rdi, 0x9000n + 100n - left);
  assert.equal(lab.get(state.general.rsp, 8), CODE, 'back to the instruction itself');
  assert.equal(lab.get(state.general.rsp + 16n, 8), 0x10202n, 'RF is set in the image');
});
