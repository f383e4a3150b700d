/** Rules of single instructions: length, LOCK, page crossing, REP, stores that fault (SDM vol. 2; vol. 3, 8.1.2). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, DATA, Lab, outcomeText } from './lab';
import { REFUSED } from '../../server/emulator/face';

const ABSENT = 0xb000n;

/** A long-mode machine whose page at ABSENT is not mapped. */
function holed(): Lab {
  const lab = new Lab({ mode: 'long' });
  lab.put(lab.entryOf(ABSENT), 0n, 8);
  return lab;
}

test('more than 15 bytes: #GP(0)', () => {
  assert.equal(outcomeText(new Lab({ mode: 'long' }).run('66'.repeat(14) + '90')), 'ok');
  assert.equal(outcomeText(new Lab({ mode: 'long' }).run('66'.repeat(15) + '90')), '#GP(0)');
});

test('15 prefixes at a page end do not touch the next page, 14 do', () => {
  for (const [count, expected] of [
    [15n, '#GP(0)'],
    [14n, '#PF(10)'],
  ] as const) {
    const lab = holed();
    const at = ABSENT - count;
    for (let i = 0n; i < count; i++) lab.put(at + i, 0x66, 1);
    lab.set({}, { rip: at });
    const outcome = lab.go();
    assert.equal(outcomeText(outcome), expected);
    assert.equal(outcome.fault?.state.rip, at);
    if (count === 14n) assert.equal(outcome.fault?.cr2, ABSENT);
  }
});

test('UD2 at a page end needs no next byte; an instruction over the end is executed whole', () => {
  const ud = holed();
  ud.put(ABSENT - 2n, 0x0b0f, 2);
  assert.equal(outcomeText(ud.set({}, { rip: ABSENT - 2n }).go()), '#UD');
  const lab = new Lab({ mode: 'long' });
  lab.put(ABSENT - 3n, 0x12345678_b8n, 5);
  lab.put(ABSENT + 2n, 0xf4, 1);
  assert.equal(lab.set({}, { rip: ABSENT - 3n }).go().state.general.rax, 0x12345678n);
});

const LOCKED: readonly (readonly [string, string, string])[] = [
  ['add [rsi], eax', 'f00106', 'ok'],
  ['adc [rsi], eax', 'f01106', 'ok'],
  ['inc dword [rsi]', 'f0ff06', 'ok'],
  ['not dword [rsi]', 'f0f716', 'ok'],
  ['xchg [rsi], eax', 'f08706', 'ok'],
  ['cmpxchg [rsi], ecx', 'f00fb10e', 'ok'],
  ['cmpxchg8b [rsi]', 'f00fc70e', 'ok'],
  ['xadd [rsi], eax', 'f00fc106', 'ok'],
  ['bts dword [rsi], 1', 'f00fba2e01', 'ok'],
  ['cmp [rsi], eax', 'f03906', '#UD'],
  ['test [rsi], eax', 'f08506', '#UD'],
  ['bt dword [rsi], 1', 'f00fba2601', '#UD'],
  ['mov [rsi], eax', 'f08906', '#UD'],
  ['add eax, [rsi]', 'f00306', '#UD'],
  ['add eax, ecx', 'f001c8', '#UD'],
  ['xchg eax, ecx', 'f087c8', '#UD'],
  ['nop', 'f090', '#UD'],
  ['push [rsi]', 'f0ff36', '#UD'],
];
for (const [name, code, expected] of LOCKED)
  test(`lock ${name}: ${expected}`, () => {
    assert.equal(outcomeText(new Lab({ mode: 'long' }).set({ rsi: DATA }).run(code)), expected);
  });

test('opcodes that 64-bit mode took away: #UD', () => {
  for (const code of [
    '06',
    '07',
    '0e',
    '16',
    '17',
    '1e',
    '1f',
    '27',
    '2f',
    '37',
    '3f',
    '60',
    '61',
    '62',
    '82c000',
    '9a',
    'c406',
    'c506',
    'ce',
    'd400',
    'd500',
    'd6',
    'ea',
  ])
    assert.equal(outcomeText(new Lab({ mode: 'long' }).run(code + '00'.repeat(8))), '#UD', code);
});

test('a REP STOS into an absent page keeps the finished iterations', () => {
  const lab = holed().set({ rdi: ABSENT - 16n, rcx: 100n, rax: 0xaan });
  const outcome = lab.run('f3aa');
  assert.equal(outcomeText(outcome), '#PF(2)');
  assert.equal(outcome.fault?.cr2, ABSENT);
  assert.equal(outcome.fault.state.general.rcx, 84n);
  assert.equal(outcome.fault.state.general.rdi, ABSENT);
  assert.equal(outcome.fault.state.rip, CODE);
  assert.equal(lab.get(ABSENT - 16n, 8), 0xaaaaaaaaaaaaaaaan);
});

test('an element of a REP that crosses into an absent page is not partly written', () => {
  const lab = holed().set({ rdi: ABSENT - 12n, rcx: 4n, rax: 0x1111111111111111n });
  const outcome = lab.run('f348ab');
  assert.equal(outcome.fault?.state.general.rcx, 3n);
  assert.equal(lab.get(ABSENT - 4n, 4), 0n);
});

test('a store over a page end touches neither page when the second faults', () => {
  const lab = holed().set({ rsi: ABSENT - 3n, rax: 0xffffffffn });
  lab.put(ABSENT - 3n, 0, 3);
  const outcome = lab.run('8906');
  assert.equal(outcome.fault?.cr2, ABSENT, 'CR2 is the first byte in the faulting page');
  assert.equal(lab.get(ABSENT - 3n, 3), 0n);
});

test('a read-modify-write of a read-only page faults as a write and changes no flags', () => {
  const lab = new Lab({ mode: 'long' }).set({ rsi: ABSENT }, { rflags: 0x8d7n });
  lab.put(lab.entryOf(ABSENT), ABSENT | 1n, 8);
  const outcome = lab.run('ff06');
  assert.equal(outcomeText(outcome), '#PF(3)');
  assert.equal(outcome.fault?.state.rflags, 0x8d7n);
});

test('REP with rCX 0 touches nothing', () => {
  const lab = holed().set({ rdi: ABSENT, rsi: ABSENT, rcx: 0n });
  assert.equal(outcomeText(lab.run('f3a4 f3aa f3a6')), 'ok');
});

test('a repeated move forward over itself repeats the pattern', () => {
  const lab = new Lab({ mode: 'long' }).set({ rsi: DATA, rdi: DATA + 2n, rcx: 100n });
  lab.put(DATA, 0xbbaa, 2);
  lab.run('f3a4');
  assert.equal(lab.get(DATA + 96n, 4), 0xbbaabbaan);
});

test('a 16-bit REP wraps its pointer at 64 KiB', () => {
  const lab = new Lab({ mode: 'real' }).set({ rdi: 0xfffen, rcx: 4n, rax: 0x77n });
  lab.put(0xfffen, 0, 2);
  lab.run('f3aa');
  assert.equal(lab.get(0xfffen, 2), 0x7777n);
  assert.equal(lab.get(0n, 2), 0x7777n);
});

test('REPE and REPNE stop at the right element', () => {
  const scan = new Lab({ mode: 'long' }).set({ rdi: DATA, rcx: 10n, rax: 0x33n });
  scan.put(DATA, 0x33221100, 4);
  const found = scan.run('f2ae').state;
  assert.equal(found.general.rcx, 6n);
  assert.equal(found.general.rdi, DATA + 4n);
  const compare = new Lab({ mode: 'long' }).set({ rsi: DATA, rdi: DATA + 16n, rcx: 10n });
  compare.put(DATA, 0x0403020100, 5);
  compare.put(DATA + 16n, 0xff03020100n, 5);
  assert.equal(compare.run('f3a6').state.general.rcx, 5n);
});

test('the bus refuses in the middle of a REP: finished iterations stay, the rest can be tried again', () => {
  let refuse = true;
  const written: bigint[] = [];
  const lab = new Lab({
    mode: 'protected-32',
    bus: {
      writeMmio(address) {
        if (refuse && address === 0x500003n) return REFUSED;
        written.push(address);
        return undefined;
      },
    },
  }).set({ rdi: 0x500000n, rcx: 6n, rax: 0x11n });
  const outcome = lab.run('f3aa');
  assert.equal(outcome.exit.reason, 'refused');
  assert.equal(outcome.state.general.rcx, 3n);
  assert.equal(outcome.state.rip, CODE);
  refuse = false;
  assert.equal(outcomeText(lab.go()), 'ok');
  assert.deepEqual(
    written,
    [0n, 1n, 2n, 3n, 4n, 5n].map((i) => 0x500000n + i),
  );
});

test('a refused port read leaves the instruction as if it had not begun', () => {
  let refuse = true;
  const lab = new Lab({ bus: { readPort: () => (refuse ? REFUSED : 0x42) } }).set({ rax: 0x11223344n });
  const outcome = lab.run('e460');
  assert.equal(outcome.exit.reason, 'refused');
  assert.deepEqual([outcome.state.rip, outcome.state.general.rax], [CODE, 0x11223344n]);
  const { instructions } = lab.core;
  refuse = false;
  assert.equal(lab.go().state.general.rax, 0x11223342n);
  assert.equal(lab.core.instructions, instructions + 2, 'the refused attempt took no tick');
});

test('INS checks its destination before it reads the port', () => {
  let reads = 0;
  const lab = new Lab({ mode: 'long', bus: { readPort: () => ++reads } });
  lab.put(lab.entryOf(ABSENT), 0n, 8);
  assert.equal(outcomeText(lab.set({ rdi: ABSENT, rdx: 0x60n }).run('6c')), '#PF(2)');
  assert.equal(reads, 0);
});

test('PUSH and CALL leave RSP alone when the stack faults; POP to memory counts from the new RSP', () => {
  for (const code of ['50', 'e800000000', '0fa0', '9c']) {
    const outcome = holed()
      .set({ rsp: ABSENT + 4n })
      .run(code);
    assert.equal(outcomeText(outcome), '#PF(2)', code);
    assert.equal(outcome.fault?.state.general.rsp, ABSENT + 4n, code);
  }
  const lab = new Lab({ mode: 'long' }).set({ rsp: DATA });
  lab.put(DATA, 0x77, 8);
  lab.run('8f0424'); // pop [rsp]
  assert.equal(lab.get(DATA + 8n, 8), 0x77n);
});

test('PUSH RSP pushes the old value', () => {
  const lab = new Lab({ mode: 'long' }).set({ rsp: DATA + 8n });
  lab.run('54');
  assert.equal(lab.get(DATA, 8), DATA + 8n);
});

test('misaligned CMPXCHG16B: #GP(0); alignment check: #AC(0) at CPL 3 only', () => {
  assert.equal(outcomeText(new Lab({ mode: 'long' }).set({ rsi: DATA + 8n }).run('480fc70e')), '#GP(0)');
  const supervisor = new Lab({ mode: 'protected-32' }).set(
    { rsi: DATA + 1n },
    { rflags: 0x40002n, cr0: 0x40031n },
  );
  assert.equal(outcomeText(supervisor.run('8b06')), 'ok');
  const user = new Lab({ mode: 'protected-32' }).set({ rsi: DATA + 1n }, { rflags: 0x40002n, cr0: 0x40031n });
  user.segment('ss', { attributes: 0xc0f3 }).segment('cs', { attributes: 0xc0fb });
  assert.equal(outcomeText(user.run('8b06')), '#AC(0)');
});

test('non-canonical data: #SS(0) by RSP and RBP, else #GP(0)', () => {
  const far = 0x800000000000n;
  assert.equal(outcomeText(new Lab({ mode: 'long' }).set({ rbp: far }).run('8b4500')), '#SS(0)');
  assert.equal(outcomeText(new Lab({ mode: 'long' }).set({ rsp: far }).run('58')), '#SS(0)');
  assert.equal(outcomeText(new Lab({ mode: 'long' }).set({ rbx: far }).run('8b03')), '#GP(0)');
});

test('a near return to a non-canonical address faults at the return', () => {
  const lab = new Lab({ mode: 'long' });
  lab.put(0x7000n, 0x800000000000n, 8);
  const outcome = lab.run('c3');
  assert.equal(outcomeText(outcome), '#GP(0)');
  assert.deepEqual([outcome.fault?.state.rip, outcome.fault?.state.general.rsp], [CODE, 0x7000n]);
});

test('an endless chain of faults reaches its deadline', () => {
  // Vector 6 leads to its own UD2.
  const lab = new Lab({ mode: 'protected-32' }).set({}, { idtr: { base: 0x2000n, limit: 0x7ff } });
  lab.put(0x2030n, 0x00008e0000180000n | CODE, 8);
  const { exit } = lab.run('0f0b', 5000);
  assert.ok(exit.reason === 'deadline' || exit.reason === 'shutdown');
});
