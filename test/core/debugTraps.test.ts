/** RF, TF and breakpoints at the edges of instructions (SDM vol. 3, Debug: 17.2, 17.3.1; 6.8.3; vol. 2, SYSCALL, SYSRET). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VcpuState } from '../../server/src/x86/state';
import { CODE, DATA, GDT, IDT, Lab, SELECTOR, STACK, TSS, outcomeText } from './lab';
import { testProfile } from './oracle/profile';

const HANDLER = 0x8800n;
const RF = 0x10000n;
const TF = 0x100n;

/** A 64-bit machine whose #DB handler halts, with DR0 and DR7 as given. */
function machine(dr0: bigint, dr7: bigint, rflags = 2n): Lab {
  const lab = new Lab({ mode: 'long' });
  lab.put(IDT + 16n, (HANDLER & 0xffffn) | (BigInt(SELECTOR.code64) << 16n) | (0x8en << 40n), 8);
  lab.put(HANDLER, 0xf4, 1);
  const dr = [dr0, 0n, 0n, 0n, 0n, 0n, 0xffff0ff0n, dr7 | 0x400n];
  return lab.set({ rdi: DATA, rsi: DATA, rcx: 3n }, { idtr: { base: IDT, limit: 0xfff }, dr, rflags });
}

/** RIP and RFLAGS in the frame of the #DB handler; null where the code reached its own HLT. */
function frame(lab: Lab, state: VcpuState): { rip: bigint; rf: boolean } | null {
  if (state.rip !== HANDLER + 1n) return null;
  const top = state.general.rsp;
  return { rip: lab.get(top, 8), rf: (lab.get(top + 16n, 8) & RF) !== 0n };
}

const SS_FROM_MEMORY = '8e16'; // mov ss, [rsi]
for (const [title, code, dr0, dr7, rflags, rcx, expected] of [
  [
    'an instruction breakpoint leaves RF clear in the image',
    '90 90',
    CODE + 1n,
    1n,
    2n,
    3n,
    { rip: CODE + 1n, rf: false },
  ],
  ['RF masks the breakpoint of its own instruction only', '90 90', CODE, 1n, 2n | RF, 3n, null],
  ['RF masks it for all iterations of a REP', 'f3aa', CODE, 1n, 2n | RF, 3n, null],
  ['a trap between iterations has RF in its image', 'f3aa', 0n, 0n, 2n | TF, 3n, { rip: CODE, rf: true }],
  ['a trap behind the last iteration has not', 'f3aa', 0n, 0n, 2n | TF, 1n, { rip: CODE + 2n, rf: false }],
  [
    'a data breakpoint met by MOV SS comes behind the next instruction',
    `${SS_FROM_MEMORY} 90 90`,
    DATA,
    0x70001n,
    2n,
    3n,
    { rip: CODE + 3n, rf: false },
  ],
  [
    'an instruction breakpoint behind MOV SS is held off',
    `${SS_FROM_MEMORY} 90 90`,
    CODE + 2n,
    1n,
    2n,
    3n,
    null,
  ],
] as const)
  test(title, () => {
    const lab = machine(dr0, dr7, rflags).set({ rcx });
    lab.put(DATA, SELECTOR.data, 2);
    const { state } = lab.run(code);
    assert.deepEqual(frame(lab, state), expected);
  });

test('INT1 behind a MOV SS that met a data breakpoint: one #DB with its bit, INT 1 there makes two', () => {
  for (const [code, frames] of [
    ['f1', 1],
    ['cd01', 2],
  ] as const) {
    const lab = machine(DATA, 0x70001n).set({ rbx: 0n });
    lab.put(DATA, SELECTOR.data, 2);
    lab.put(HANDLER, 0xcf48c3ff, 4); // inc ebx; iretq
    const { state } = lab.run(`${SS_FROM_MEMORY} ${code}`);
    assert.equal(state.general.rbx, BigInt(frames), code);
    assert.equal((state.dr[6] ?? 0n) & 0xfn, 1n, code);
  }
});

/** SDM vol. 3, 18.2.3; APM vol. 2, 13.1.1.3: every #DB updates B0 to B3, and leaves the other conditions for software. */
for (const [title, code, dr0, dr7, rflags, before, after] of [
  ['an instruction breakpoint', '90', CODE, 1n, 2n, 0x4006n, 0x4001n],
  ['a data breakpoint', 'aa', DATA, 0x10001n, 2n, 0x800en, 0x8001n],
  ['a single step', '90', 0n, 0n, 2n | TF, 0x200fn, 0x6000n],
  ['an access that DR7.GD catches', '0f21c0', 0n, 0x2000n, 2n, 0x4003n, 0x6000n],
] as const)
  test(`${title} sets its own bits of DR6 and clears the other breakpoints'`, () => {
    const lab = machine(dr0, dr7, rflags);
    const { dr } = lab.core.state(0);
    lab.set({}, { dr: dr.map((value, i) => (i === 6 ? 0xffff0ff0n | before : value)) });
    const { state } = lab.run(code);
    assert.equal(state.rip, HANDLER + 1n);
    assert.equal(state.dr[6], 0xffff0ff0n | after);
  });

const msr = (index: number, high: number, low: number): string =>
  [
    ['b9', index],
    ['ba', high],
    ['b8', low],
  ]
    .map(
      ([op, value]) =>
        `${op}${[0, 8, 16, 24].map((s) => ((Number(value) >>> s) & 255).toString(16).padStart(2, '0')).join('')}`,
    )
    .join('') + '0f30';
const STEP_FLAGS = '6802010000 9d'; // push TF; popfq
const TARGET = 0x8900;

/** What single-stepping makes of SYSCALL and SYSRET: TF counts as it is behind them, not as it was before. */
for (const [title, code, expected] of [
  ['SYSCALL with TF in FMASK: no trap', `${msr(0xc0000084, 0, 0x100)} ${STEP_FLAGS} 0f05`, null],
  ['SYSCALL without: a trap at the entry', `${STEP_FLAGS} 0f05`, BigInt(TARGET)],
  ['SYSRET that sets TF: a trap at the target', `b9${'00890000'} 41bb02010000 480f07`, BigInt(TARGET)],
] as const)
  test(title, () => {
    const lab = machine(0n, 0n);
    lab.set({}, { efer: 0xd01n });
    lab.put(TSS + 4n, STACK, 8);
    lab.put(BigInt(TARGET), 0x90909090n, 4);
    lab.put(BigInt(TARGET) + 1n, 0xf4, 1);
    // SYSCALL loads CS 28; SYSRET CS 20 + 16.
    const { state } = lab.run(`${msr(0xc0000081, 0x200028, 0)} ${msr(0xc0000082, 0, TARGET)} ${code}`);
    assert.equal(frame(lab, state)?.rip ?? null, expected);
  });

test('bit 11 of DR7 does not exist without RTM', () => {
  const lab = new Lab({ mode: 'long' }).set({ rax: 0xffffn & ~0x20ffn });
  assert.equal(lab.run('0f23f8').state.dr[7], 0x700n);
});

test('IRET and RETF to compatibility mode cut RSP to 32 bits', () => {
  for (const [code, flags] of [
    ['48cf', [0x2n]],
    ['48cb', []],
  ] as const) {
    const lab = new Lab({ mode: 'long' });
    const user = code === '48cb';
    const frameOf = [
      0x8100n,
      BigInt(user ? SELECTOR.user32 | 3 : SELECTOR.code32),
      ...flags,
      0x5_00006000n,
      BigInt(user ? SELECTOR.userData | 3 : SELECTOR.data),
    ];
    frameOf.forEach((value, i) => lab.put(STACK + BigInt(8 * i), value, 8));
    lab.put(0x8100n, 0x0b0f, 2);
    const { fault } = lab.run(code);
    assert.equal(fault?.state.rip, 0x8100n);
    assert.equal(fault.state.general.rsp, 0x6000n);
  }
});

test('a task switch clears the local enables of DR7 and keeps reserved flags clear', () => {
  const lab = new Lab({ mode: 'protected-32' });
  const next = 0x3800n;
  lab.put(GDT + BigInt(SELECTOR.tss), 0x00008b0030000067n, 8);
  lab.put(GDT + BigInt(SELECTOR.spare), 0x0000890038000067n, 8);
  lab.put(next + 32n, 0x8100, 4);
  lab.put(next + 36n, 0xffc0802a, 4);
  lab.put(next + 56n, STACK, 4);
  for (const i of [72n, 80n, 84n, 88n, 92n]) lab.put(next + i, SELECTOR.data, 4);
  lab.put(next + 76n, SELECTOR.code32, 4);
  lab.put(0x8100n, 0xf4, 1);
  const dr = [0n, 0n, 0n, 0n, 0n, 0n, 0xffff0ff0n, 0x7ffn];
  const outcome = lab.set({}, { dr }).run('ea 00000000 5000');
  assert.equal(outcomeText(outcome), 'ok');
  assert.equal(outcome.state.rip, 0x8101n);
  assert.equal(outcome.state.dr[7], 0x6aan);
  assert.equal(outcome.state.rflags, 2n);
});

/** SDM vol. 3, 18.2.4: R/W 10 watches ports under CR4.DE. Bochs judges more of them: events.asm. */
for (const [title, code, cr4, dr7, hit] of [
  ['OUT to the port', 'e680', 0x28n, 0x20001n, true],
  ['without CR4.DE', 'e680', 0x20n, 0x20001n, false],
  ['another port', 'e681', 0x28n, 0x20001n, false],
  ['a word that reaches it', '66e57f', 0x28n, 0x20001n, true],
  ['four bytes, the last', 'e483', 0x28n, 0xe0001n, true],
] as const)
  test(`an I/O breakpoint: ${title}`, () => {
    const lab = machine(0x80n, dr7);
    const { cr4: now } = lab.core.state(0);
    lab.set({}, { cr4: now | cr4 });
    const { state } = lab.run(code);
    assert.deepEqual(frame(lab, state), hit ? { rip: CODE + BigInt(code.length / 2), rf: false } : null);
    assert.equal((state.dr[6] ?? 0n) & 15n, hit ? 1n : 0n);
  });

test('a data breakpoint on a descriptor is met by every load of it, not only by the first', () => {
  const lab = machine(GDT + BigInt(SELECTOR.spare), 0xf0001n).set({ rax: BigInt(SELECTOR.spare), rbx: 0n });
  lab.put(GDT + BigInt(SELECTOR.spare), 0x00cf93000000ffffn, 8);
  // inc rbx; iretq
  lab.core.write(HANDLER, Uint8Array.from([0x48, 0xff, 0xc3, 0x48, 0xcf]));
  // mov ds, eax, three times
  assert.equal(lab.run('8ed8 8ed8 8ed8', 50).state.general.rbx, 3n);
});

test('an instruction breakpoint comes before #CP of a missing ENDBR (SDM vol. 3, table 6-2)', () => {
  const profile = testProfile({ ibt: true });
  for (const [dr7, vector] of [
    [0x401n, 1],
    [0x400n, 21],
  ] as const) {
    const lab = new Lab({ mode: 'long', profile }).set({ rcx: 0x6a2n, rax: 4n, rdx: 0n });
    const { cr4 } = lab.core.state(0);
    lab.set({ rsi: HANDLER }, { cr4: cr4 | 0x800000n, dr: [HANDLER, 0n, 0n, 0n, 0n, 0n, 0xffff0ff0n, dr7] });
    lab.put(HANDLER, 0xf4, 1);
    // wrmsr; jmp rsi
    assert.equal(lab.run('0f30 ffe6').fault?.vector, vector);
  }
});

test('every #DB clears DR7.GD at the entry of its handler, an INT 1 does not (SDM vol. 3, 18.2.4)', () => {
  for (const [title, dr0, dr7, rflags, code, guarded] of [
    ['a single step', 0n, 0x2000n, 2n | TF, '90', false],
    ['an instruction breakpoint', CODE, 0x2001n, 2n, '90', false],
    ['an access to DR0', 0n, 0x2000n, 2n, '0f21c0', false],
    ['INT1', 0n, 0x2000n, 2n, 'f1', false],
    ['INT 1', 0n, 0x2000n, 2n, 'cd01', true],
  ] as const) {
    const { state } = machine(dr0, dr7, rflags).run(code);
    assert.equal(state.rip, HANDLER + 1n, title);
    assert.equal((state.dr[7]! & 0x2000n) !== 0n, guarded, title);
  }
});

test('an instruction breakpoint is reported as one, with its address', () => {
  const lab = machine(CODE, 1n);
  lab.run('90');
  assert.match(lab.core.faults(0)[0]?.reason ?? '', /breakpoint of DR0 to DR3 on the instruction at 0x8000/);
});
