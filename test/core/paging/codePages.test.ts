/** Decoded code under changing bytes and changing tables (SDM vol. 3, 8.1.3 and 4.10.4; vol. 1, 17.1 on fetching). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, DATA, Lab, TABLES, bytesOf, outcomeText } from '../lab';

const INC = 0x40;

test('an instruction that overwrites its own bytes runs as it was fetched, and as written the next time', () => {
  const lab = new Lab({ mode: 'protected-32' }).set({ rcx: 2n, rsi: CODE });
  // mov dword [esi], 90909090; inc eax; dec ecx; jnz CODE. The second time its own immediate is what is left: NOPs.
  const { state } = lab.run('c70690909090 40 49 75f6');
  assert.equal(state.general.rax, 2n);
  assert.equal(lab.get(CODE, 4), 0x90909090n);
});

test('REP STOS over itself finishes with what was fetched', () => {
  const lab = new Lab({ mode: 'protected-32' }).set({ rax: 0x40n, rcx: 6n, rdi: CODE });
  // rep stosb; then four bytes that became INC EAX
  const { state } = lab.run('f3aa 48484848');
  assert.deepEqual([state.general.rcx, state.general.rax], [0n, 0x44n]);
});

test('REP MOVS over itself and what follows', () => {
  const lab = new Lab({ mode: 'protected-32' }).set({ rcx: 6n, rsi: DATA, rdi: CODE });
  lab.core.write(DATA, Uint8Array.from(bytesOf('9090 40404040')));
  assert.equal(lab.run('f3a4 48484848').state.general.rax, 4n);
});

test('the half of an instruction that lies in the next page is written', () => {
  // mov eax, imm32 with its immediate beyond the page end; executed, changed, executed again.
  const lab = new Lab({ mode: 'protected-32' }).set({ rsi: DATA }, { rip: DATA - 1n });
  lab.core.write(DATA - 1n, Uint8Array.from(bytesOf('b801000000 83f802 7405 ff06 ebf2 90 f4')));
  // cmp eax,2; je +5; inc dword [esi]; jmp back to the MOV
  assert.equal(lab.go().state.general.rax, 2n);
});

test('another vCPU writes code that this one has run', () => {
  const lab = new Lab({ mode: 'protected-32', vcpus: 2, quantum: 50 });
  // vCPU 0: inc eax; jmp back. vCPU 1 turns the INC into HLT.
  lab.core.write(CODE, Uint8Array.from(bytesOf('40 ebfd')));
  lab.core.write(DATA, Uint8Array.from(bytesOf('c605 00800000 f4 f4')));
  const state = lab.core.state(0);
  lab.core.setState(1, { ...state, rip: DATA, general: { ...state.general, rsp: 0x6000n } });
  lab.core.setActivity(1, 'running');
  assert.equal(lab.core.run(lab.core.now + 1000).reason, 'idle');
  assert.ok(lab.core.state(0).general.rax > 10n);
});

test('a device writes code by DMA in the middle of an OUT: the next instruction is the new one', () => {
  const lab: Lab = new Lab({
    mode: 'protected-32',
    bus: { writePort: () => void lab.core.write(CODE + 2n, Uint8Array.of(INC)) },
  });
  // out 0x80, al; dec eax
  assert.equal(lab.run('e680 48').state.general.rax, 1n);
});

/** mov eax with one value in the page at DATA and another in the page behind it; RBX: the entry that swaps them. */
function twoPages(): Lab {
  const lab = new Lab({ mode: 'long' });
  lab.core.write(DATA, Uint8Array.from(bytesOf('b801000000 c3')));
  lab.core.write(DATA + 0x1000n, Uint8Array.from(bytesOf('b802000000 c3')));
  return lab.set({ rsi: DATA, rdi: lab.entryOf(DATA), rbx: (DATA + 0x1000n) | 7n, rdx: TABLES });
}
for (const [title, event, expected] of [
  ['without INVLPG the old code runs', '', 1n],
  ['INVLPG', '0f013e', 2n],
  ['MOV CR3', '0f22da', 2n],
] as const)
  test(`the table leads a code page elsewhere: ${title}`, () => {
    // call rsi; mov [rdi],rbx; …; call rsi
    assert.equal(twoPages().run(`ffd6 48891f ${event} ffd6`).state.general.rax, expected);
  });

test('a stale translation holds for code of its page that has not run yet', () => {
  const lab = twoPages();
  lab.core.write(DATA + 0x10n, Uint8Array.from(bytesOf('b803000000 c3')));
  // call rsi; mov [rdi],rbx; add rsi,0x10; call rsi
  assert.equal(lab.run('ffd6 48891f 4883c610 ffd6').state.general.rax, 3n);
});
test('a stale translation outlives a snapshot, and nobody sets the accessed bit that the guest took away', () => {
  const whole = twoPages().set({ rbx: (DATA + 0x1000n) | 7n });
  whole.core.write(CODE, Uint8Array.from(bytesOf('ffd6 48891f ffd6 f4')));
  // Up to the store: call, mov, ret, mov.
  whole.core.run(whole.core.now + 4);
  const entries = [DATA, CODE].map((page) => whole.entryOf(page));
  whole.core.write(entries[1]!, Uint8Array.of(7));
  const snapshot = whole.core.snapshot();
  const resumed = new Lab({ mode: 'long' });
  resumed.core.restore(snapshot);
  const results = [whole, resumed].map((lab) => [
    lab.go().state.general.rax,
    ...entries.map((at) => lab.get(at, 8)),
  ]);
  assert.deepEqual(results[0], [1n, (DATA + 0x1000n) | 7n, CODE | 7n]);
  assert.deepEqual(results[1], results[0]);
});

test('the running page itself is led elsewhere: INVLPG is the last instruction of the old one', () => {
  const lab = new Lab({ mode: 'long' }).set({ rsi: CODE, rbx: 0x20000n | 7n });
  lab.set({ rdi: lab.entryOf(CODE) });
  // mov [rdi],rbx; invlpg [rsi]; then DEC here, INC in the other page
  lab.core.write(0x20000n, Uint8Array.from(bytesOf('48891f 0f013e ffc0 f4')));
  assert.equal(lab.run('48891f 0f013e ffc8').state.general.rax, 1n);
});

test('an instruction over the page end of two pages that are not neighbours in memory', () => {
  const lab = new Lab({ mode: 'long' });
  lab.put(lab.entryOf(DATA), 0x20007n, 8);
  lab.core.write(DATA - 2n, Uint8Array.from(bytesOf('b878')));
  lab.core.write(0x20000n, Uint8Array.from(bytesOf('563412 f4')));
  assert.equal(lab.set({}, { rip: DATA - 2n }).go().state.general.rax, 0x12345678n);
});

for (const [title, entry, expected] of [
  ['absent', 0n, '#PF(10)'],
  ['execute-disabled', DATA | 7n | (1n << 63n), '#PF(11)'],
] as const)
  test(`an instruction that goes on in a page that is ${title}: CR2 is that page, RIP the instruction`, () => {
    const lab = new Lab({ mode: 'long' });
    lab.core.write(DATA - 2n, Uint8Array.from(bytesOf('b878')));
    lab.put(lab.entryOf(DATA), entry, 8);
    const outcome = lab.set({}, { rip: DATA - 2n }).go();
    assert.equal(outcomeText(outcome), expected);
    assert.deepEqual([outcome.fault?.cr2, outcome.fault?.state.rip], [DATA, DATA - 2n]);
  });

test('an instruction from RAM into device memory reads no more of it than it needs', () => {
  const reads: bigint[] = [];
  const lab = new Lab({
    mode: 'protected-32',
    bus: { readMmio: (address) => (reads.push(address), address === 0x400000n ? 0x12n : 0xf4n) },
  });
  lab.core.write(0x3ffffcn, Uint8Array.from(bytesOf('b8785634')));
  lab.set({}, { rip: 0x3ffffcn });
  assert.equal(lab.go().state.general.rax, 0x12345678n);
  assert.deepEqual(reads, [0x400000n, 0x400001n], 'the immediate’s last byte, then HLT');
});
