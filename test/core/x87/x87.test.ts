/** What the x87 does around its arithmetic: availability, pending exceptions, pointers, environments, undefined opcodes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CoreSnapshot } from '../../../server/emulator/face';
import type { VcpuState } from '../../../server/src/x86/state';
import { CODE, DATA, IDT, Lab, outcomeText, SELECTOR } from '../lab';
import type { LabMode } from '../lab';
import { testProfile } from '../oracle/profile';
import type { TestProfile } from '../oracle/profile';

const EM = 4n;
const MP = 2n;
const TS = 8n;
const NE = 0x20n;

/** 32-bit protected mode with these bits of CR0 besides PE and ET. */
function labWith(cr0: bigint, profile: TestProfile = {}, mode: LabMode = 'protected-32'): Lab {
  const lab = new Lab({ mode, profile: testProfile({ with: ['SSE3'], ...profile }) });
  return lab.set({}, { cr0: (lab.core.state(0).cr0 & ~0x2en) | cr0 });
}

/** The same for tests of hundreds of opcodes: one core each, brought back to its beginning every time. */
const kept = new Map<bigint, { readonly lab: Lab; readonly fresh: CoreSnapshot }>();
function freshLab(cr0: bigint): Lab {
  let found = kept.get(cr0);
  if (found) found.lab.core.restore(found.fresh);
  else {
    const lab = labWith(cr0);
    kept.set(cr0, (found = { lab, fresh: lab.core.snapshot() }));
  }
  return found.lab;
}

const FNINIT = 'dbe3';
const FLD1 = 'd9e8';
const FLDZ = 'd9ee';
const FNSTSW_AX = 'dfe0';
/** FLDCW with all exceptions unmasked, the word being at 0x9000. */
const UNMASK = 'd92d00900000';
/** 1 / 0 with ZE unmasked: pending from then on. */
const PENDING = `${FNINIT}${UNMASK}${FLD1}${FLDZ}def9`;

// ---- Availability: SDM vol. 3, Table 2-2 and 2.5 ----
const AVAILABILITY: readonly (readonly [title: string, cr0: bigint, code: string, outcome: string])[] = [
  ['an x87 instruction', 0n, FLD1, 'ok'],
  ['an x87 instruction with TS', TS, FLD1, '#NM'],
  ['an x87 instruction with EM', EM, FLD1, '#NM'],
  ['FNINIT with EM', EM, FNINIT, '#NM'],
  ['FNSTSW AX with TS', TS, FNSTSW_AX, '#NM'],
  ['FLD m32 with TS', TS, 'd90500900000', '#NM'],
  ['an undefined x87 opcode with EM', EM, 'd9d1', '#NM'],
  ['an undefined x87 opcode', 0n, 'd9d1', '#UD'],
  ['WAIT with TS', TS, '9b', 'ok'],
  ['WAIT with MP', MP, '9b', 'ok'],
  ['WAIT with MP and TS', MP | TS, '9b', '#NM'],
  ['WAIT with EM', EM, '9b', 'ok'],
];
for (const [title, cr0, code, outcome] of AVAILABILITY)
  test(`${title}: ${outcome}`, () => {
    assert.equal(outcomeText(labWith(cr0).run(code)), outcome);
  });

test('FXSAVE with an exception pending stores it and raises nothing', () => {
  const lab = labWith(NE);
  lab.put(DATA, 0x340, 2);
  assert.equal(outcomeText(lab.run(`${PENDING}0fae05009a0000`)), 'ok');
  assert.equal(lab.get(DATA + 0xa02n, 2) & 0x8084n, 0x8084n);
});

// ---- Undefined opcodes: SDM vol. 2, Tables; the same set raises #UD on AMD Zen 5 ----
const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);
const UNDEFINED: Readonly<Record<string, readonly number[]>> = {
  d9: [...range(0xd1, 0xd7), 0xe2, 0xe3, 0xe6, 0xe7, 0xef],
  da: [...range(0xe0, 0xe8), ...range(0xea, 0xff)],
  db: [...range(0xe5, 0xe7), ...range(0xf8, 0xff)],
  dd: range(0xf0, 0xff),
  de: [0xd8, ...range(0xda, 0xdf)],
  df: [...range(0xe1, 0xe7), ...range(0xf8, 0xff)],
};
/** ModRM.reg of memory forms. */
const UNDEFINED_MEMORY: Readonly<Record<string, readonly number[]>> = { d9: [1], db: [4, 6], dd: [5] };

for (const opcode of ['d8', 'd9', 'da', 'db', 'dc', 'dd', 'de', 'df'])
  test(`${opcode.toUpperCase()}: which ModRM bytes are undefined`, () => {
    const hex = (value: number): string => value.toString(16).padStart(2, '0');
    const registers = range(0xc0, 0xff).filter(
      (modrm) => outcomeText(freshLab(0n).run(`${FNINIT}${opcode}${hex(modrm)}`)) === '#UD',
    );
    const memory = range(0, 7).filter(
      (reg) => outcomeText(freshLab(0n).run(`${FNINIT}${opcode}${hex((reg << 3) | 5)}00900000`)) === '#UD',
    );
    assert.deepEqual(registers.map(hex), (UNDEFINED[opcode] ?? []).map(hex));
    assert.deepEqual(memory, UNDEFINED_MEMORY[opcode] ?? []);
  });

// An AMD family 26 CPU: #UD comes before #MF.
test('with an exception pending the same ModRM bytes are undefined, all others but the control instructions raise #MF', () => {
  for (const opcode of ['d8', 'd9', 'da', 'db', 'dc', 'dd', 'de', 'df'])
    for (const modrm of range(0xc0, 0xff)) {
      const control = opcode === 'db' ? range(0xe0, 0xe4) : opcode === 'df' ? [0xe0] : [];
      const expected = UNDEFINED[opcode]?.includes(modrm) ? '#UD' : control.includes(modrm) ? 'ok' : '#MF';
      const lab = freshLab(NE);
      lab.put(DATA, 0x340, 2);
      assert.equal(
        outcomeText(lab.run(`${PENDING}${opcode}${modrm.toString(16)}`)),
        expected,
        `${opcode} ${modrm}`,
      );
    }
  for (const [opcode, members] of Object.entries(UNDEFINED_MEMORY))
    for (const member of members) {
      const lab = freshLab(NE);
      lab.put(DATA, 0x340, 2);
      const code = `${PENDING}${opcode}${((member << 3) | 5).toString(16).padStart(2, '0')}00900000`;
      assert.equal(outcomeText(lab.run(code)), '#UD', `${opcode} /${member}`);
    }
});

// An AMD family 26 CPU: what will not be stored must be writable all the same.
for (const [name, code] of [
  ['FST m32', 'd915'],
  ['FSTP m64', 'dd1d'],
  ['FSTP m80', 'db3d'],
  ['FIST m16', 'df15'],
  ['FISTP m64', 'df3d'],
  ['FBSTP', 'df35'],
] as const)
  test(`${name} of an empty register into an absent page, IE unmasked: #PF`, () => {
    const lab = labWith(NE, {}, 'paging-32');
    lab.put(DATA, 0x340, 2);
    const fault = outcomeText(lab.run(`${FNINIT}${UNMASK}${code}00004000`));
    assert.match(fault, /^#PF/);
  });

test('FCMOVcc and FCOMI come with CMOV, FISTTP with SSE3', () => {
  for (const code of ['dac1', 'dbc1', 'dbe9', 'dbf1', 'dfe9', 'dff1'])
    assert.equal(outcomeText(labWith(0n, { without: ['CMOV'] }).run(`${FNINIT}${code}`)), '#UD', code);
  for (const code of ['df0d00900000', 'db0d00900000', 'dd0d00900000'])
    assert.equal(
      outcomeText(labWith(0n, { with: [], without: ['SSE3'] }).run(`${FNINIT}${code}`)),
      '#UD',
      code,
    );
});

// ---- Pending exceptions: SDM vol. 1, 8.6 and 8.7 ----
const WAITING: readonly (readonly [name: string, code: string, waits: boolean])[] = [
  ['FLD1', 'd9e8', true],
  ['WAIT', '9b', true],
  ['FLDCW', 'd92d00900000', true],
  ['FLDENV', 'd92500900000', true],
  ['FRSTOR', 'dd2500900000', true],
  ['FXRSTOR', '0fae0d00900000', false],
  ['FNOP', 'd9d0', true],
  ['FFREE', 'ddc0', true],
  ['FNINIT', 'dbe3', false],
  ['FNCLEX', 'dbe2', false],
  ['FNSTCW', 'd93d04900000', false],
  ['FNSTSW', 'dd3d04900000', false],
  ['FNSTSW AX', 'dfe0', false],
  ['FNSTENV', 'd93500940000', false],
  ['FNSAVE', 'dd3500940000', false],
  ['FNSETPM', 'dbe4', false],
];
for (const [name, code, waits] of WAITING)
  test(`an unmasked exception is ${waits ? 'reported by' : 'passed by'} ${name}`, () => {
    const lab = labWith(NE);
    lab.put(DATA, 0x340, 2);
    const outcome = lab.run(PENDING + code);
    if (name === 'FXRSTOR') {
      // Its image is not a legal one here: what counts is that #MF isn't raised.
      assert.notEqual(outcomeText(outcome), '#MF');
      return;
    }
    assert.equal(outcomeText(outcome), waits ? '#MF' : 'ok');
    if (waits) assert.equal(outcome.fault?.state.rip, CODE + BigInt(PENDING.length / 2));
  });

test('FNCLEX and FNINIT end what is pending', () => {
  for (const clear of ['dbe2', FNINIT]) {
    const lab = labWith(NE);
    lab.put(DATA, 0x340, 2);
    assert.equal(outcomeText(lab.run(`${PENDING}${clear}9b`)), 'ok');
  }
});

test('with CR0.NE clear a waiting instruction waits, and goes on waiting after an interrupt', () => {
  const lab = labWith(0n);
  lab.put(DATA, 0x340, 2);
  const at = CODE + BigInt(PENDING.length / 2);
  const first = lab.run(`${PENDING}9b`);
  assert.equal(first.exit.reason, 'idle');
  assert.equal(first.state.rip, at);
  // The handler of interrupt 20h clears the exception.
  gate(lab, 0x20, 0x8800n);
  lab.put(0x8800n, 0xcfe2db, 3);
  lab.set({}, { idtr: { base: IDT, limit: 0x7ff }, rflags: first.state.rflags | 0x200n });
  lab.core.enterVirtualWireMode();
  lab.core.setInterruptLine(true);
  lab.core.run(lab.core.now + 1);
  lab.core.setInterruptLine(false);
  const second = lab.go();
  assert.equal(second.exit.reason, 'idle');
  assert.equal(second.state.rip, at + 2n);
});

/** A 32-bit interrupt gate. */
function gate(lab: Lab, vector: number, handler: bigint): void {
  lab.put(IDT + BigInt(8 * vector), handler | (BigInt(SELECTOR.code32) << 16n) | (0x8en << 40n), 8);
}

test('unmasking what is set already makes it pending', () => {
  const lab = labWith(NE);
  lab.put(DATA, 0x340, 2);
  assert.equal(outcomeText(lab.run(`${FNINIT}${FLD1}${FLDZ}def9${UNMASK}9b`)), '#MF');
});

// ---- Memory operands that fault ----
const FAULTING: readonly (readonly [name: string, code: string])[] = [
  ['FSTP m32', 'd91d00603000'],
  ['FSTP m64', 'dd1d00603000'],
  ['FSTP m80, its last bytes', 'db3df85f3000'],
  ['FISTP m16', 'df1d00603000'],
  ['FBSTP, its last bytes', 'df35f85f3000'],
  ['FADD m32', 'd80500603000'],
  ['FLD m80, its last bytes', 'db2df85f3000'],
  ['FNSTENV, its last bytes', 'd935f05f3000'],
  ['FNSAVE, its last bytes', 'dd35f05f3000'],
  ['FRSTOR, its last bytes', 'dd25f05f3000'],
];
for (const [name, code] of FAULTING)
  test(`${name} at an absent page changes neither the x87 nor memory`, () => {
    const lab = labWith(NE, {}, 'paging-32');
    lab.put(lab.entryOf(0x306000n), 0, 4);
    gate(lab, 14, 0x8800n);
    lab.set({}, { idtr: { base: IDT, limit: 0x7ff } });
    // The handler: FNSAVE [0x9400]; HLT.
    lab.put(0x8800n, 0xf4_0000_9400_35ddn, 7);
    // A third: inexact and rounded, so PE and C1 are there to be lost.
    lab.put(DATA, 3, 2);
    const before = `${FNINIT}${FLD1}de3500900000`;
    const reference = labWith(NE, {}, 'paging-32');
    reference.put(DATA, 3, 2);
    reference.run(`${before}dd3500940000`);
    lab.run(before + code);
    const image = (of: Lab): bigint[] => range(0, 26).map((i) => of.get(0x9400n + BigInt(4 * i), 4));
    assert.deepEqual(image(lab), image(reference));
    for (let i = 0n; i < 16n; i++) assert.equal(lab.get(0x305ff0n + i, 1), 0n);
  });

// ---- Pointers and environments: SDM vol. 1, 8.1.8 to 8.1.10, figures 8-9 to 8-12 ----
interface Environment {
  readonly words: readonly bigint[];
  readonly state: VcpuState;
}
/** The environment after FNINIT and FLD dword [0x9000] at CODE + 2, as 32-bit or 16-bit words. */
function environment(
  mode: LabMode,
  profile: TestProfile,
  load: string,
  store: string,
  size: 2 | 4,
): Environment {
  const lab = labWith(NE, profile, mode);
  lab.put(DATA, 0x3f800000, 4);
  const { state } = lab.run(FNINIT + load + store);
  return { words: range(0, 6).map((i) => lab.get(0x9400n + BigInt(size * i), size)), state };
}
const LOAD_32 = 'd90500900000';
const STORE_32 = 'd93500940000';
const LOAD_16 = 'd9060090';
const STORE_16 = 'd9360094';

test('the protected-mode environment in 32 bits: offsets, selectors, opcode; reserved halves are ones', () => {
  const { words } = environment('protected-32', { vendor: 'amd' }, LOAD_32, STORE_32, 4);
  assert.deepEqual(words, [
    0xffff037fn,
    0xffff3800n,
    0xffff3fffn,
    0x8002n,
    BigInt(SELECTOR.code32) | (0x105n << 16n),
    0x9000n,
    0xffff0000n | BigInt(SELECTOR.data),
  ]);
});
test('Intel keeps the opcode of instructions with an unmasked exception only', () => {
  const { words } = environment('protected-32', {}, LOAD_32, STORE_32, 4);
  assert.equal(words[4], BigInt(SELECTOR.code32));
  const lab = labWith(NE);
  lab.put(DATA, 0x340, 2);
  lab.run(`${PENDING}${STORE_32}`);
  assert.equal(lab.get(0x9410n, 4) >> 16n, 0x6f9n);
});
test('with FCS and FDS deprecated they are stored as zero', () => {
  const { words } = environment('protected-32', { with: ['ZERO_FCS_FDS'] }, LOAD_32, STORE_32, 4);
  assert.equal(words[4]! & 0xffffn, 0n);
  assert.equal(words[6]! & 0xffffn, 0n);
});
test('with FDP_EXCPTN_ONLY the operand’s address is kept after an unmasked exception only', () => {
  const profile: TestProfile = { with: ['FDP_EXCPTN_ONLY'] };
  assert.equal(environment('protected-32', profile, LOAD_32, STORE_32, 4).words[5], 0n);
  const lab = labWith(NE, profile);
  lab.put(DATA, 0x340, 2);
  // FDIV dword [0x9008], which is zero.
  lab.run(`${FNINIT}${UNMASK}${FLD1}d83508900000${STORE_32}`);
  assert.equal(lab.get(0x9414n, 4), 0x9008n);
});
test('the protected-mode environment in 16 bits', () => {
  const { words } = environment('protected-16', {}, LOAD_16, STORE_16, 2);
  assert.deepEqual(words, [
    0x37fn,
    0x3800n,
    0x3fffn,
    0x8002n,
    BigInt(SELECTOR.code16),
    0x9000n,
    BigInt(SELECTOR.data16),
  ]);
});
test('the real-mode environment in 16 bits: linear addresses, the opcode beside bits 19:16', () => {
  const { words } = environment('real', { vendor: 'amd' }, LOAD_16, STORE_16, 2);
  assert.deepEqual(words, [0x37fn, 0x3800n, 0x3fffn, 0x8002n, 0x106n, 0x9000n, 0n]);
});
test('the real-mode environment in 32 bits', () => {
  const { words } = environment('real', { vendor: 'amd' }, LOAD_16, `66${STORE_16}`, 4);
  assert.deepEqual(words, [0xffff037fn, 0xffff3800n, 0xffff3fffn, 0xffff8002n, 0x106n, 0xffff9000n, 0n]);
});
test('a real-mode address has its segment in it, up to bit 19', () => {
  const lab = labWith(0n, { vendor: 'amd' }, 'real').segment('ds', { selector: 0x1234, base: 0x12340n });
  lab.run(`${FNINIT}${LOAD_16}2e${STORE_16}`);
  assert.equal(lab.get(0x940an, 2), 0xb340n);
  assert.equal(lab.get(0x940cn, 2), 0x1000n);
});
test('FNSTENV masks all exceptions behind it; FNSAVE initializes', () => {
  for (const [store, control] of [
    [STORE_32, 0x37fn],
    ['dd3500940000', 0x37fn],
  ] as const) {
    const lab = labWith(NE);
    lab.put(DATA, 0x340, 2);
    assert.equal(outcomeText(lab.run(`${PENDING}${store}d93d00980000`)), 'ok');
    assert.equal(lab.get(0x9800n, 2), control);
    assert.equal(lab.get(0x9400n, 2), 0x340n);
  }
});
test('FLDENV of what FNSTENV stored brings tags, pointers and the pending exception back', () => {
  const lab = labWith(NE);
  lab.put(DATA, 0x340, 2);
  lab.run(`${PENDING}${STORE_32}${FNINIT}d92500940000d93500980000`);
  for (let i = 0n; i < 28n; i++) assert.equal(lab.get(0x9800n + i, 1), lab.get(0x9400n + i, 1));
});
test('RESET leaves the tag word full of zeros and the control word 0040h', () => {
  const lab = labWith(NE);
  lab.run(STORE_32);
  assert.deepEqual(
    range(0, 2).map((i) => lab.get(0x9400n + BigInt(4 * i), 4)),
    [0xffff0040n, 0xffff0000n, 0xffff5555n],
  );
});
