/** The 64-bit TSS: where the stack pointers lie, limits on use, and what LTR checks (SDM vol. 3, 7.7; vol. 2, LTR). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, GDT, IDT, Lab, SELECTOR, TSS, outcomeText, type LabMode } from './lab';

const HANDLER = 0x8800n;
const TOP = 0x6000n;

/** 64-bit code at CPL 3 with a gate for vector 40 to a segment of CPL `level`. */
function ring3(level: number, ist: number): Lab {
  const lab = new Lab({ mode: 'long' });
  lab.put(GDT + BigInt(SELECTOR.spare), 0x00af9b000000ffffn | (BigInt(level) << 45n), 8);
  lab.put(
    IDT + 0x400n,
    HANDLER | (BigInt(SELECTOR.spare | level) << 16n) | (BigInt(ist) << 32n) | (0xeen << 40n),
    8,
  );
  lab.put(IDT + 0x408n, 0n, 8);
  // UD2: the state there is what the test looks at.
  lab.put(HANDLER, 0x0b0f, 2);
  lab.set({}, { idtr: { base: IDT, limit: 0xfff } });
  lab.segment('cs', { selector: SELECTOR.user32 | 3, attributes: 0xa0fb });
  return lab.segment('ss', { selector: SELECTOR.userData | 3, attributes: 0xc0f3 });
}

for (const [name, level, ist, offset] of [
  ['RSP0', 0, 0, 0x04],
  ['RSP1', 1, 0, 0x0c],
  ['RSP2', 2, 0, 0x14],
  ['IST1', 0, 1, 0x24],
  ['IST2', 0, 2, 0x2c],
  ['IST3', 0, 3, 0x34],
  ['IST4', 0, 4, 0x3c],
  ['IST5', 0, 5, 0x44],
  ['IST6', 0, 6, 0x4c],
  ['IST7', 0, 7, 0x54],
  ['IST3, to CPL 1', 1, 3, 0x34],
] as const) {
  test(`${name} lies at ${offset.toString(16)}`, () => {
    const lab = ring3(level, ist);
    for (const address of [0x10000n, 0x12000n, 0x13000n]) lab.put(address, lab.get(address, 8) | 4n, 8);
    lab.put(TSS + BigInt(offset), TOP, 8);
    const { fault } = lab.run('cd40');
    assert.equal(fault?.vector, 6);
    assert.equal(fault.state.general.rsp, TOP - 40n);
    assert.equal(fault.state.segments.ss.selector, level, 'null, with RPL = CPL');
  });
  test(`${name} needs a TSS limit of ${(offset + 7).toString(16)}: else #TS(TR)`, () => {
    const lab = ring3(level, ist).segment('tr', { limit: offset + 7 });
    lab.put(TSS + BigInt(offset), TOP, 8);
    assert.equal(outcomeText(lab.run('cd40')), '#UD');
    const short = ring3(level, ist).segment('tr', { limit: offset + 6 });
    const outcome = short.run('cd40');
    assert.equal(outcomeText(outcome), '#TS(40)');
    assert.equal(outcome.fault?.state.rip, CODE);
  });
}

test('of two wrongs the stack is reported, not the target (vol. 2, INT)', () => {
  for (const [pointer, expected] of [
    [0x8000_0000_1000n, '#SS(0)'],
    [TOP, '#GP(0)'],
  ] as const) {
    const lab = ring3(0, 1);
    lab.put(IDT + 0x408n, 0x8000n, 8);
    lab.put(TSS + 0x24n, pointer, 8);
    assert.equal(outcomeText(lab.run('cd40')), expected);
  }
  const lab = ring3(0, 1).segment('tr', { limit: 0x20 });
  lab.put(IDT + 0x408n, 0x8000n, 8);
  assert.equal(outcomeText(lab.run('cd40')), '#TS(40)');
});

/** LTR of SELECTOR.spare (50), whose descriptor is `low` and `high`. */
const AVAILABLE = 0x0000890030000067n;
for (const [title, mode, low, high, selector, expected] of [
  ['available 64-bit TSS', 'long', AVAILABLE, 0n, 0x50, 'ok'],
  ['base above 4 GiB', 'long', AVAILABLE, 0x12n, 0x50, 'ok'],
  ['base in the upper half', 'long', AVAILABLE, 0xffff8000n, 0x50, 'ok'],
  ['base not canonical', 'long', AVAILABLE, 0x8000n, 0x50, '#GP(50)'],
  ['busy', 'long', AVAILABLE | (2n << 40n), 0n, 0x50, '#GP(50)'],
  ['16-bit type', 'long', AVAILABLE ^ (8n << 40n), 0n, 0x50, '#GP(50)'],
  ['16-bit type in compatibility mode', 'compatibility', AVAILABLE ^ (8n << 40n), 0n, 0x50, '#GP(50)'],
  ['16-bit type outside long mode', 'protected-32', AVAILABLE ^ (8n << 40n), 0n, 0x50, 'ok'],
  ['type of the upper half not 0', 'long', AVAILABLE, 1n << 40n, 0x50, '#GP(50)'],
  ['other bits of the upper half', 'long', AVAILABLE, 0xffffe0ff_00000000n, 0x50, 'ok'],
  ['not present', 'long', AVAILABLE ^ (0x80n << 40n), 0n, 0x50, '#NP(50)'],
  ['busy and not present: the type is first', 'long', 0x00000b0030000067n, 0n, 0x50, '#GP(50)'],
  ['code segment', 'long', 0x00af9b000000ffffn, 0n, 0x50, '#GP(50)'],
  ['LDT', 'long', 0x0000820030000067n, 0n, 0x50, '#GP(50)'],
  ['a limit that is too short is not looked at', 'long', 0x0000890030000001n, 0n, 0x50, 'ok'],
  ['null', 'long', AVAILABLE, 0n, 3, '#GP(0)'],
  ['LDT selector', 'long', AVAILABLE, 0n, 0x54, '#GP(54)'],
  ['upper half beyond the GDT', 'long', AVAILABLE, 0n, 0x58, '#GP(58)'],
  ['beyond the GDT', 'long', AVAILABLE, 0n, 0x60, '#GP(60)'],
] as const satisfies readonly (readonly [string, LabMode, bigint, bigint, number, string])[])
  test(`LTR, ${title} (${mode}): ${expected}`, () => {
    const lab = new Lab({ mode }).set({ rax: BigInt(selector) });
    const at = GDT + BigInt(selector & 0xf8);
    lab.put(at, low, 8);
    if (selector === 0x50) lab.put(at + 8n, high, 8);
    assert.equal(outcomeText(lab.run('0f00d8')), expected);
    const busy = expected === 'ok' ? low | (2n << 40n) : low;
    assert.equal(lab.get(at, 8), busy, 'busy in memory if it was loaded');
    if (expected === 'ok' && mode === 'long')
      assert.equal(lab.core.state(0).segments.tr.base, 0x3000n | ((high & 0xffffffffn) << 32n));
  });
