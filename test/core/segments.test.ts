/** Segment loads in the SDM's order, limits and types at use, far transfers, real and unreal mode (vol. 3, 3.4, 5.2-5.8). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, DATA, GDT, Lab, SELECTOR, outcomeText, type LabMode } from './lab';
import { testProfile } from './oracle/profile';

const SPARE = BigInt(SELECTOR.spare);

/** MOV to a segment register of the spare descriptor. */
function load(mode: LabMode, opcode: string, descriptor: bigint, selector: bigint = SPARE): string {
  const lab = new Lab({ mode }).set({ rax: selector });
  lab.put(GDT + SPARE, descriptor, 8);
  return outcomeText(lab.run(opcode));
}
const DS = '8ed8';
const SS = '8ed0';

for (const [title, opcode, descriptor, expected, selector] of [
  ['DS: writable data', DS, 0x00cf93000000ffffn, 'ok'],
  ['DS: read-only data', DS, 0x00cf91000000ffffn, 'ok'],
  ['DS: readable code', DS, 0x00cf9b000000ffffn, 'ok'],
  ['DS: execute-only code', DS, 0x00cf99000000ffffn, '#GP(50)'],
  ['DS: a system descriptor', DS, 0x0000890000000067n, '#GP(50)'],
  ['DS: not present', DS, 0x00cf13000000ffffn, '#NP(50)'],
  ['DS: wrong type beats not present', DS, 0x00cf19000000ffffn, '#GP(50)'],
  ['DS: RPL above DPL', DS, 0x00cf93000000ffffn, '#GP(50)', SPARE | 3n],
  ['DS: conforming code with any RPL', DS, 0x00cf9f000000ffffn, 'ok', SPARE | 3n],
  ['DS: null', DS, 0n, 'ok', 0n],
  ['DS: null with RPL 3', DS, 0n, 'ok', 3n],
  ['DS: beyond the table', DS, 0n, '#GP(100)', 0x100n],
  ['DS: LDT without an LDT', DS, 0n, '#GP(54)', SPARE | 4n],
  ['SS: writable data', SS, 0x00cf93000000ffffn, 'ok'],
  ['SS: read-only data', SS, 0x00cf91000000ffffn, '#GP(50)'],
  ['SS: code', SS, 0x00cf9b000000ffffn, '#GP(50)'],
  ['SS: not present', SS, 0x00cf13000000ffffn, '#SS(50)'],
  ['SS: RPL not CPL', SS, 0x00cf93000000ffffn, '#GP(50)', SPARE | 1n],
  ['SS: DPL not CPL', SS, 0x00cfb3000000ffffn, '#GP(50)'],
  ['SS: null', SS, 0n, '#GP(0)', 0n],
  ['CS', '8ec8', 0n, '#UD'],
] as const)
  test(`${title}: ${expected}`, () => {
    assert.equal(load('protected-32', opcode, descriptor, selector), expected);
  });

test('64-bit mode: a null SS at CPL 0 is legal, with RPL 3 it is not', () => {
  assert.equal(load('long', SS, 0n, 0n), 'ok');
  assert.equal(load('long', SS, 0n, 3n), '#GP(0)');
  assert.equal(load('compatibility', SS, 0n, 0n), '#GP(0)');
});

test('the accessed bit is written once, as a supervisor write that CR0.WP rules', () => {
  const lab = new Lab({ mode: 'paging-32' }).set({ rax: SPARE });
  lab.put(GDT + SPARE, 0x00cf92000000ffffn, 8);
  lab.run(DS);
  assert.equal(lab.get(GDT + SPARE, 8), 0x00cf93000000ffffn);
  const guarded = new Lab({ mode: 'paging-32' }).set({ rax: SPARE });
  guarded.put(GDT + SPARE, 0x00cf92000000ffffn, 8);
  guarded.put(guarded.entryOf(GDT), GDT | 1n, 4);
  assert.equal(outcomeText(guarded.run(DS)), '#PF(3)');
});

for (const [title, attributes, limit, offset, code, expected] of [
  ['last byte', 0x4093, 0xfff, 0xfffn, '8a06', 'ok'],
  ['one beyond', 0x4093, 0xfff, 0x1000n, '8a06', '#GP(0)'],
  ['a doubleword over the limit', 0x4093, 0xfff, 0xffdn, '8b06', '#GP(0)'],
  ['expand-down: at the limit', 0x4097, 0xfff, 0xfffn, '8a06', '#GP(0)'],
  ['expand-down: above the limit', 0x4097, 0xfff, 0x1000n, '8a06', 'ok'],
  ['expand-down without B: 64 KiB', 0x0097, 0xfff, 0x10000n, '8a06', '#GP(0)'],
  ['write to read-only data', 0x4091, 0xffff, 0x9000n, '8806', '#GP(0)'],
  ['read of execute-only code', 0x4099, 0xffff, 0x9000n, '8a06', '#GP(0)'],
  ['write to code', 0x409b, 0xffff, 0x9000n, '8806', '#GP(0)'],
  ['null segment', 0x10000, 0, 0n, '8a06', '#GP(0)'],
] as const)
  test(`use of a segment, ${title}: ${expected}`, () => {
    const lab = new Lab({ mode: 'protected-32' }).set({ rsi: offset });
    lab.segment('ds', { attributes, limit });
    assert.equal(outcomeText(lab.run(code)), expected);
  });

test('a limit violation of the stack is #SS(0)', () => {
  const lab = new Lab({ mode: 'protected-32' }).set({ rsp: 0x7000n, rbp: 0x7000n });
  lab.segment('ss', { limit: 0x5fff, attributes: 0x4093 });
  assert.equal(outcomeText(lab.run('50')), '#SS(0)');
  const based = new Lab({ mode: 'protected-32' }).set({ rbp: 0x7000n });
  based.segment('ss', { limit: 0x5fff, attributes: 0x4093 });
  assert.equal(outcomeText(based.run('8b4500')), '#SS(0)');
});

test('64-bit mode checks no limit and no type, and keeps the base of FS and GS', () => {
  const lab = new Lab({ mode: 'long' }).set({ rsi: DATA });
  lab.segment('ds', { attributes: 0x10000, limit: 0 });
  lab.segment('fs', { attributes: 0x10000, limit: 0, base: 0x10n });
  lab.put(DATA + 0x10n, 0x77, 4);
  assert.equal(lab.run('648b06').state.general.rax, 0x77n);
});

test('real mode: selectors are paragraphs, limits are kept: unreal mode', () => {
  const lab = new Lab({ mode: 'real' }).set({ rax: 0x900n, rsi: 0x10n });
  lab.put(0x9010n, 0x5566, 2);
  assert.equal(lab.run('8ed8 8b04').state.general.rax & 0xffffn, 0x5566n);
  assert.equal(outcomeText(new Lab({ mode: 'real' }).set({ rsi: 0x10000n }).run('67668b06')), '#GP');
  const unreal = new Lab({ mode: 'real' }).set({ rsi: 0x100000n, rax: 0n });
  unreal.segment('ds', { limit: 0xffffffff });
  unreal.put(0x100000n, 0x99, 1);
  assert.equal(unreal.run('8ed8 678a06').state.general.rax & 0xffn, 0x99n);
});

test('a word at FFFF in real mode: #GP, on the stack #SS', () => {
  assert.equal(outcomeText(new Lab({ mode: 'real' }).set({ rsi: 0xffffn }).run('8b04')), '#GP');
  assert.equal(outcomeText(new Lab({ mode: 'real' }).set({ rsp: 1n }).run('50')), '#SS');
});

// Far jumps from 32-bit protected mode to the spare descriptor.
for (const [title, mode, descriptor, expected] of [
  ['code', 'protected-32', 0x00cf9b000000ffffn, 'ok'],
  ['not present', 'protected-32', 0x00cf1b000000ffffn, '#NP(50)'],
  ['data', 'protected-32', 0x00cf93000000ffffn, '#GP(50)'],
  ['another level', 'protected-32', 0x00cffb000000ffffn, '#GP(50)'],
  ['conforming at a lower level number', 'protected-32', 0x00cf9f000000ffffn, 'ok'],
  ['beyond the limit', 'protected-32', 0x00409b0000000fffn, '#GP(0)'],
  ['L and D in long mode', 'compatibility', 0x00ef9b000000ffffn, '#GP(50)'],
  ['L and D outside long mode', 'protected-32', 0x00ef9b000000ffffn, 'ok'],
] as const)
  test(`far jump, ${title} (${mode}): ${expected}`, () => {
    const lab = new Lab({ mode });
    lab.put(GDT + SPARE, descriptor, 8);
    lab.put(0x8100n, 0xf4, 1);
    assert.equal(outcomeText(lab.run('ea 00810000 5000')), expected);
  });

test('far jump and return between 32-bit and 64-bit code', () => {
  const lab = new Lab({ mode: 'compatibility' });
  // To 64-bit code: mov rax, imm64; push the way back; retfq.
  lab.core.write(
    0x8100n,
    Uint8Array.from([0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 0x6a, 0x18, 0x68, 7, 0x80, 0, 0, 0x48, 0xcb]),
  );
  const outcome = lab.run('ea 00810000 2800');
  assert.equal(outcomeText(outcome), 'ok');
  assert.equal(outcome.state.segments.cs.selector, SELECTOR.code32);
  assert.equal(outcome.state.general.rax, 0x0807060504030201n);
});

test('REX.W far pointers: m16:64 on Intel, ignored on AMD', () => {
  for (const [vendor, expected] of [
    ['intel', '#GP(0)'],
    ['amd', 'ok'],
  ] as const) {
    const lab = new Lab({ mode: 'long', profile: testProfile({ vendor }) }).set({ rsi: DATA });
    // On Intel the offset is 0x0028_00008100: its selector lies further on and is null.
    lab.put(DATA, 0x0028_00008100n, 8);
    lab.put(0x8100n, 0xf4, 1);
    assert.equal(outcomeText(lab.run('48ff2e')), expected, vendor);
  }
});

test('RETF outward loads SS and drops segments that are too privileged', () => {
  const lab = new Lab({ mode: 'protected-32' }).set({ rsp: 0x6ff0n });
  lab.put(0x6ff0n, 0x8100, 4);
  lab.put(0x6ff4n, SELECTOR.user32 | 3, 4);
  lab.put(0x6ff8n, 0x6000, 4);
  lab.put(0x6ffcn, SELECTOR.userData | 3, 4);
  lab.put(0x8100n, 0x0b0f, 2);
  const { fault } = lab.run('cb');
  assert.equal(fault?.state.rip, 0x8100n);
  assert.equal(fault.state.general.rsp, 0x6000n);
  assert.equal(fault.state.segments.ss.selector, SELECTOR.userData | 3);
  assert.equal(fault.state.segments.ds.selector, 0);
});

for (const [name, code] of [
  ['lldt', '0f00d0'],
  ['ltr', '0f00d8'],
  ['sldt', '0f00c0'],
  ['str', '0f00c8'],
  ['verr', '0f00e0'],
  ['lar', '0f02c0'],
  ['arpl', '63c0'],
] as const)
  test(`${name} in real mode: #UD`, () => {
    assert.equal(outcomeText(new Lab({ mode: 'real' }).run(code)), '#UD');
  });

test('LTR marks its descriptor busy, and refuses a busy one', () => {
  const lab = new Lab({ mode: 'protected-32' }).set({ rax: BigInt(SELECTOR.tss) });
  assert.equal(outcomeText(lab.run('0f00d8')), 'ok');
  assert.equal(lab.get(GDT + BigInt(SELECTOR.tss) + 5n, 1), 0x8bn);
  lab.core.setActivity(0, 'running');
  assert.equal(outcomeText(lab.set({}, { rip: CODE }).go()), '#GP(40)');
});

test('a 16-bit operand loads 24 bits of a table base', () => {
  const lab = new Lab({ mode: 'protected-32' });
  lab.put(DATA, 0x12345678_0017n, 6);
  assert.equal(lab.run('660f0115 00900000').state.gdtr.base, 0x345678n);
});
