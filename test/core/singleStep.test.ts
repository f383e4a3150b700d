/**
 * Single step through instructions that load TF, change the stack or leave for elsewhere (SDM vol. 3, 17.3.1.4, 6.8.3). What
 * POPF and IRET do was seen on a family 26 CPU too.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wrmsr } from './apic/bench';
import { CODE, DATA, GDT, IDT, Lab, SELECTOR, STACK, type LabMode } from './lab';

const TRAP = 0x8800n;
const OTHER = 0x8900n;
const BS = 0x4000n;
const TF = 0x100n;

/** Vector 1 leads to HLT at TRAP, some others to HLT at OTHER. */
function machine(mode: LabMode, rflags: bigint, writePort = () => undefined as void): Lab {
  const lab = new Lab({ mode, bus: { acknowledge: () => 0x20, writePort } });
  const long = mode === 'long';
  const selector = BigInt(long ? SELECTOR.code64 : SELECTOR.code32);
  for (const vector of [1, 3, 4, 6, 0x20, 0x40]) {
    const target = vector === 1 ? TRAP : OTHER;
    lab.put(IDT + BigInt(vector * (long ? 16 : 8)), target | (selector << 16n) | (0x8en << 40n), 8);
  }
  lab.put(TRAP, 0xf4, 1);
  lab.put(OTHER, 0xf4, 1);
  const registers = { rsi: DATA, rdi: DATA, rcx: 3n, rax: BigInt(SELECTOR.data) };
  return lab.set(registers, { idtr: { base: IDT, limit: 0xfff }, rflags });
}
/** The frame of the first trap: RIP, and whether TF is in its flags; null where the code got to another handler or its HLT. */
function trapped(lab: Lab): { rip: bigint; tf: boolean } | null {
  const { rip, general, dr } = lab.core.state(0);
  if (rip !== TRAP + 1n) return null;
  assert.equal((dr[6] ?? 0n) & BS, BS);
  const size = lab.mode === 'long' ? 8 : 4;
  const flags = lab.get(general.rsp + BigInt(2 * size), size);
  return { rip: lab.get(general.rsp, size), tf: (flags & TF) !== 0n };
}
const at = (offset: number, tf = true) => ({ rip: CODE + BigInt(offset), tf });
const TO_NOP = CODE + 0x10n;
const SS = BigInt(SELECTOR.data);
const CS32 = BigInt(SELECTOR.code32);
const CS64 = BigInt(SELECTOR.code64);

type Row = readonly [
  title: string,
  mode: LabMode,
  code: string,
  expected: ReturnType<typeof at> | null,
  stack?: readonly bigint[],
];
const SET: readonly Row[] = [
  ['NOP', 'protected-32', '90 90', at(1)],
  ['POPF that keeps it', 'protected-32', '9d 90', at(1), [2n | TF]],
  ['POPF that clears it', 'protected-32', '9d 90', at(1, false), [2n]],
  ['IRET that clears it: at the target', 'protected-32', 'cf', at(0x10, false), [TO_NOP, CS32, 2n]],
  ['IRETQ that clears it', 'long', '48cf', at(0x10, false), [TO_NOP, CS64, 2n, STACK, SS]],
  ['MOV SS, then NOP: behind the NOP', 'protected-32', '8ed0 90 90', at(3)],
  ['POP SS, then NOP: behind the NOP', 'protected-32', '17 90 90', at(2), [SS]],
  // The SDM promises it of the first only; a family 26 CPU holds behind each.
  ['MOV SS twice, then NOP: behind the NOP', 'protected-32', '8ed0 8ed0 90 90', at(5)],
  ['MOV SS, then NOP, in 64-bit mode', 'long', '8ed0 90 90', at(3)],
  ['MOV DS, which holds nothing', 'protected-32', '8ed8 90', at(2)],
  ['LSS, which holds nothing', 'protected-32', '0fb226 90', at(3)],
  ['HLT: it wakes, and RIP is behind it', 'protected-32', 'f4 90', at(1)],
  ['HLT in 64-bit mode', 'long', 'f4 90', at(1)],
  ['REP STOSB: behind the first iteration', 'protected-32', 'f3aa 90', at(0)],
  ['a near jump: at the target', 'protected-32', 'eb02 9090 90', at(4)],
  ['a far jump: at the target', 'protected-32', 'ea 10800000 1800', at(0x10)],
  ['a far return: at the target', 'protected-32', 'cb', at(0x10), [TO_NOP, CS32]],
  ['STI', 'protected-32', 'fb 90', at(1)],
  ['CLI', 'protected-32', 'fa 90', at(1)],
  ['INTO that is not taken', 'protected-32', 'ce 90', at(1)],
  ['INT n: TF is clear in the handler', 'protected-32', 'cd40', null],
  ['INT n in 64-bit mode', 'long', 'cd40', null],
  ['INT3', 'protected-32', 'cc', null],
  ['UD2: a fault is no trap', 'protected-32', '0f0b', null],
  ['MOV SS, then INT n', 'protected-32', '8ed0 cd40', null],
];
const CLEAR: readonly Row[] = [
  ['POPF that sets it: behind the next instruction', 'protected-32', '9d 90 90', at(2), [2n | TF]],
  ['POPF that sets it, then a fault', 'protected-32', '9d 0f0b', null, [2n | TF]],
  ['POPF that sets it, then INT n', 'protected-32', '9d cd40', null, [2n | TF]],
  [
    'IRET that sets it: behind the instruction at the target',
    'protected-32',
    'cf',
    at(0x11),
    [TO_NOP, CS32, 2n | TF],
  ],
  ['IRETQ that sets it', 'long', '48cf', at(0x11), [TO_NOP, CS64, 2n | TF, STACK, SS]],
];
for (const [state, rows] of [
  ['set', SET],
  ['clear', CLEAR],
] as const)
  for (const [title, mode, code, expected, stack = []] of rows)
    test(`TF ${state} before ${title} (${mode})`, () => {
      const lab = machine(mode, state === 'set' ? 2n | TF : 2n);
      const size = mode === 'long' ? 8 : 4;
      stack.forEach((value, i) => lab.put(STACK + BigInt(i * size), value, size));
      // Here LSS finds the present stack.
      lab.put(DATA, STACK | (SS << 32n), 8);
      lab.put(TO_NOP, 0xf49090, 3);
      lab.run(code);
      assert.deepEqual(trapped(lab), expected);
      if (expected === null) assert.equal(lab.core.state(0).rip, OTHER + 1n);
    });

test('of a trap and an interrupt that the same instruction brought the trap is first (6.9)', () => {
  for (const [flags, handler] of [
    [0x302n, TRAP],
    [0x202n, OTHER],
  ] as const) {
    const lab: Lab = machine('protected-32', flags, () => lab.core.setInterruptLine(true));
    lab.core.enterVirtualWireMode();
    assert.equal(lab.run('e680').state.rip, handler + 1n);
  }
});

test('SYSENTER leaves TF: the trap is at its entry', () => {
  const lab = machine('protected-32', 2n);
  lab.run([wrmsr(0x174, SELECTOR.code32), wrmsr(0x175, 0x6000), wrmsr(0x176, Number(OTHER))].join(' '));
  lab.core.setActivity(0, 'running');
  lab.set({}, { rip: CODE, rflags: 2n | TF }).run('0f34');
  assert.deepEqual(trapped(lab), { rip: OTHER, tf: true });
});

test('a data breakpoint that MOV SS meets waits over INT n: #DB at the first instruction of its handler', () => {
  const lab = machine('long', 2n);
  lab.put(DATA, SELECTOR.data, 2);
  const dr = [DATA, 0n, 0n, 0n, 0n, 0n, 0xffff0ff0n, 0x70401n];
  const { state } = lab.set({}, { dr }).run('8e16 cd40');
  assert.equal(state.rip, TRAP + 1n);
  assert.equal(lab.get(state.general.rsp, 8), OTHER);
  assert.equal(state.dr[6], 0xffff0ff1n);
});

/** A jump to a TSS: its EFLAGS are the new task's from its first instruction on. */
for (const [title, tf, expected] of [
  ['TF in the new task: behind its first instruction', TF, 0x8a01n],
  ['no TF in either: no trap', 0n, null],
] as const)
  test(`a task switch, ${title}`, () => {
    const lab = machine('protected-32', 2n);
    const next = 0x3800n;
    lab.put(GDT + BigInt(SELECTOR.tss), 0x00008b0030000067n, 8);
    lab.put(GDT + BigInt(SELECTOR.spare), 0x0000890038000067n, 8);
    for (const [offset, value] of [
      [32n, 0x8a00n],
      [36n, 2n | tf],
      [56n, STACK],
      [76n, CS32],
      ...[72n, 80n, 84n, 88n, 92n].map((each) => [each, SS] as const),
    ] as const)
      lab.put(next + offset, value, 4);
    lab.put(0x8a00n, 0xf49090, 3);
    lab.run('ea 00000000 5000');
    assert.equal(trapped(lab)?.rip ?? null, expected);
  });
