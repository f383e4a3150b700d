/**
 * Addresses that are not canonical (SDM vol. 1, 3.3.7.1; vol. 3, 6.15, #SS and #GP). All rows about data were seen to be so on a
 * family 26 CPU in user mode.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, DATA, Lab, STACK, TABLES, bytesOf, outcomeText } from './lab';

const HOLE = 0x8000_0000_0000n;
const OSFXSR = 0x200n;

function machine(): Lab {
  const lab = new Lab({ mode: 'long' });
  const { cr4 } = lab.core.state(0);
  return lab.set(
    { rsi: HOLE, rbp: HOLE, rbx: HOLE, rdi: HOLE, rcx: 1n, rax: 0n, rdx: HOLE },
    { cr4: cr4 | OSFXSR },
  );
}

for (const [title, code, expected, rsp] of [
  ['MOV from [RSI]', '488b06', '#GP(0)'],
  ['MOV from [RBP]: the base chooses the stack', '488b4500', '#SS(0)'],
  ['MOV from [RSP]', '488b0424', '#SS(0)', HOLE],
  ['MOV from [RBP+RCX]', '488b440d00', '#SS(0)'],
  ['MOV from [RCX+RBP]: an index chooses nothing', '488b442900', '#GP(0)'],
  ['a DS prefix before [RBP] changes nothing', '3e488b4500', '#SS(0)'],
  ['an SS prefix before [RSI] changes nothing', '36488b06', '#GP(0)'],
  ['an FS prefix before [RBP] does', '64488b4500', '#GP(0)'],
  ['a GS prefix before [RBP] does', '65488b4500', '#GP(0)'],
  ['the last byte counts: MOV from [RSI-1]', '488b46ff', '#GP(0)'],
  ['the last byte counts: MOV from [RBP-1]', '488b45ff', '#SS(0)'],
  ['PUSH', '50', '#SS(0)', HOLE + 16n],
  ['POP', '58', '#SS(0)', HOLE],
  ['PUSHF', '9c', '#SS(0)', HOLE + 16n],
  ['CALL', 'e800000000', '#SS(0)', HOLE + 16n],
  ['RET', 'c3', '#SS(0)', HOLE],
  ['ENTER', 'c8000000', '#SS(0)', HOLE + 16n],
  ['LEAVE', 'c9', '#SS(0)'],
  ['POP to [RSI]', '8f06', '#GP(0)'],
  ['PUSH of [RSI]', 'ff36', '#GP(0)'],
  ['MOVSB, source', '48c7c700900000 a4', '#GP(0)'],
  ['MOVSB, destination', '48c7c600900000 a4', '#GP(0)'],
  ['REP MOVSB of nothing', '31c9 f3a4', 'ok'],
  ['XLAT', 'd7', '#GP(0)'],
  ['CMPXCHG16B of [RBP]', '480fc74d00', '#SS(0)'],
  ['FXSAVE to [RBP]', '0fae4500', '#SS(0)'],
  ['FLD m80 of [RBP]', 'db6d00', '#SS(0)'],
  ['MOVAPS of [RBP+8]: the alignment is first', '0f284508', '#GP(0)'],
  ['CLFLUSH of [RSI]', '0fae3e', '#GP(0)'],
  ['CLFLUSH of [RBP]', '0fae7d00', '#SS(0)'],
  ['PREFETCHT0', '0f180e', 'ok'],
  ['NOP r/m32', '0f1f06', 'ok'],
  ['LEA', '488d06', 'ok'],
  ['INVLPG', '0f013e', 'ok'],
] as const satisfies readonly (readonly [string, string, string, bigint?])[])
  test(`${title}: ${expected}`, () => {
    const lab = machine();
    if (rsp !== undefined) lab.set({ rsp });
    const outcome = lab.run(code);
    assert.equal(outcomeText(outcome), expected);
    if (expected === 'ok') return;
    const length = bytesOf(code).length;
    const state = outcome.fault?.state;
    assert.ok(state && state.rip >= CODE && state.rip < CODE + BigInt(length));
    assert.equal(state.general.rsp, rsp ?? STACK, 'RSP is that before the instruction');
  });

test('one below the hole and one above are canonical, and only unmapped', () => {
  for (const rsi of [HOLE - 8n, 0xffff_8000_0000_0000n])
    assert.equal(outcomeText(machine().set({ rsi }).run('488b06')), '#PF(0)');
  assert.equal(outcomeText(machine().set({ rsi: 0xffff_7fff_ffff_ffffn }).run('488b06')), '#GP(0)');
});

test('an address that wraps from the end of the upper half to 0 is canonical at both ends', () => {
  const lab = machine().set({ rsi: -4n });
  assert.equal(outcomeText(lab.run('488b06')), '#PF(0)');
});

/** Code at the last page of the lower half. */
function atTheEdge(bytes: string): Lab {
  const lab = machine();
  lab.put(TABLES + 0x7f8n, TABLES + 0x2007n, 8);
  lab.put(TABLES + 0x2ff8n, TABLES + 0x3007n, 8);
  lab.put(TABLES + 0x3ff8n, TABLES + 0x4007n, 8);
  const code = bytesOf(bytes);
  // Entry 511 of the page table: 1ff000.
  lab.core.write(0x200000n - BigInt(code.length), Uint8Array.from(code));
  return lab.set({ rsi: DATA }, { rip: HOLE - BigInt(code.length) });
}
test('running off the end of the lower half: #GP(0) at the first address beyond', () => {
  const { fault } = atTheEdge('9090').go();
  assert.deepEqual([fault?.vector, fault?.errorCode, fault?.state.rip], [13, 0, HOLE]);
});
test('an instruction that reaches over the end: #GP(0) at its own address', () => {
  const { fault } = atTheEdge('90b8000000').go();
  assert.deepEqual([fault?.vector, fault?.errorCode, fault?.state.rip], [13, 0, HOLE - 4n]);
});
