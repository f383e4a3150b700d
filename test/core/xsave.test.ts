/** The XSAVE feature set (SDM vol. 1, chapter 13) and FXSAVE (vol. 1, 10.5; APM vol. 2, 11.4.4). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuidFeatureName } from '../../server/src/x86/cpuid/features';
import { DATA, Lab, outcomeText, type LabMode } from './lab';
import { testProfile } from './oracle/profile';

const FAMILY: readonly CpuidFeatureName[] = ['XSAVE', 'XSAVEOPT', 'XSAVEC', 'XGETBV_ECX_1', 'XSS', 'PKU'];
const FULL = testProfile({ with: FAMILY });
const OSXSAVE = 0x40220n | (1n << 9n);
const HEADER = DATA + 512n;
const COMPACTED = 1n << 63n;

const XSAVE = '480fae26'; // xsave64 [rsi]
const XRSTOR = '480fae2e';
const XSAVEOPT = '480fae36';
const XSAVEC = '480fc726';
const XSAVES = '480fc72e';
const XRSTORS = '480fc71e';
const XGETBV = '0f01d0';
const XSETBV = '0f01d1';
const FXSAVE = '480fae06'; // fxsave64 [rsi]
const FXRSTOR = '480fae0e';
/** EDX:EAX := a mask. */
const ask = (mask: number): string =>
  `31d2 b8${[0, 8, 16, 24].map((shift) => ((mask >> shift) & 0xff).toString(16).padStart(2, '0')).join('')}`;
const enable = (components: number): string => `31c9 ${ask(components)} ${XSETBV}`;
const FNINIT = 'dbe3';
/** FLDCW of the word at DATA + 0x400. */
const FLDCW = 'd9ae00040000';
/** XMM registers, by FXRSTOR of an image at DATA + 0xc00. */
const LOAD_XMM = '480fae8e000c0000';

function lab(mode: LabMode = 'long', profile = FULL): Lab {
  const machine = new Lab({ mode, profile });
  const { cr4 } = machine.core.state(0);
  machine.set({ rsi: DATA }, { cr4: cr4 | OSXSAVE | (mode === 'long' ? 1n << 22n : 0n) });
  for (let i = 0n; i < 0xc00n; i += 8n) machine.put(DATA + i, 0n, 8);
  machine.put(DATA + 0x400n, 0x37e, 2);
  // An FXSAVE image: FCW, MXCSR, XMM0 and XMM15.
  machine.put(DATA + 0xc00n, 0x37f, 2);
  machine.put(DATA + 0xc18n, 0x1f80, 4);
  machine.put(DATA + 0xca0n, 0x1111n, 8);
  machine.put(DATA + 0xd90n, 0x2222n, 8);
  return machine;
}
const go = (code: string, machine = lab()): string => outcomeText(machine.run(code));

// ---- XCR0 ----
for (const [title, mask, high, index, expected] of [
  ['x87', 1, 0, 0, 'ok'],
  ['x87 and SSE', 3, 0, 0, 'ok'],
  ['x87, SSE and PKRU', 0x203, 0, 0, 'ok'],
  ['no x87', 2, 0, 0, '#GP(0)'],
  ['nothing', 0, 0, 0, '#GP(0)'],
  ['AVX, which CPUID does not list', 7, 0, 0, '#GP(0)'],
  ['bit 63', 3, 0x80000000, 0, '#GP(0)'],
  ['XCR1', 3, 0, 1, '#GP(0)'],
] as const)
  test(`XSETBV: ${title}: ${expected}`, () => {
    const machine = lab().set({ rax: BigInt(mask), rdx: BigInt(high), rcx: BigInt(index) });
    const outcome = machine.run(`${XSETBV} 31c0 31c9 ${XGETBV}`);
    assert.equal(outcomeText(outcome), expected);
    if (expected === 'ok') assert.equal(outcome.state.general.rax, BigInt(mask));
  });

for (const [name, code] of Object.entries({
  XSAVE,
  XRSTOR,
  XSAVEOPT,
  XSAVEC,
  XSAVES,
  XRSTORS,
  XGETBV,
  XSETBV,
})) {
  test(`${name} is #UD without CR4.OSXSAVE`, () => {
    const machine = lab();
    machine.set({ rcx: 0n }, { cr4: machine.core.state(0).cr4 & ~0x40000n });
    assert.equal(go(code, machine), '#UD');
  });
  test(`${name} is #UD without CPUID’s XSAVE`, () => {
    const machine = new Lab({ mode: 'long', profile: FULL.without('XSAVE') }).set({ rsi: DATA, rcx: 0n });
    assert.equal(go(code, machine), '#UD');
  });
}
for (const [name, code, feature] of [
  ['XSAVEOPT', XSAVEOPT, 'XSAVEOPT'],
  ['XSAVEC', XSAVEC, 'XSAVEC'],
  ['XSAVES', XSAVES, 'XSS'],
  ['XRSTORS', XRSTORS, 'XSS'],
] as const)
  test(`${name} is #UD without its bit in CPUID.(EAX=0DH,ECX=1):EAX`, () => {
    assert.equal(go(code, lab('long', FULL.without(feature))), '#UD');
  });
for (const [name, code] of Object.entries({ XSAVE, XRSTOR, XSAVEOPT, XSAVEC, XSAVES, XRSTORS })) {
  test(`${name}: #NM with CR0.TS, and CR0.EM does not matter`, () => {
    const machine = lab();
    const { cr0 } = machine.core.state(0);
    assert.equal(go(code, machine.set({}, { cr0: cr0 | 8n })), '#NM');
    const second = lab();
    second.put(HEADER + 8n, name === 'XRSTORS' ? COMPACTED : 0n, 8);
    assert.equal(go(ask(0) + code, second.set({}, { cr0: cr0 | 4n })), 'ok');
  });
  test(`${name}: the operand is aligned to 64 bytes, else #GP(0)`, () => {
    assert.equal(go(code, lab().set({ rsi: DATA + 16n })), '#GP(0)');
  });
  test(`${name}: LOCK is #UD`, () => assert.equal(go(`f0${code}`), '#UD'));
}
test('XGETBV with ECX 1 gives the enabled components that are in use; without its CPUID bit it is #GP(0)', () => {
  const code = `${enable(3)} ${FNINIT} 31c9 ffc1 ${XGETBV}`;
  assert.equal(lab().run(code).state.general.rax, 0n);
  assert.equal(lab().run(`${enable(3)} ${FNINIT} ${FLDCW} 31c9 ffc1 ${XGETBV}`).state.general.rax, 1n);
  assert.equal(lab().run(`${enable(3)} ${LOAD_XMM} ${FNINIT} 31c9 ffc1 ${XGETBV}`).state.general.rax, 2n);
  assert.equal(go(code, lab('long', FULL.without('XGETBV_ECX_1'))), '#GP(0)');
});

// ---- Saving ----
test('XSAVE writes every requested component and only its bits of XSTATE_BV', () => {
  const machine = lab();
  machine.put(HEADER, 0x8000000000000206n, 8);
  machine.put(HEADER + 8n, 0x77n, 8);
  assert.equal(go(`${enable(3)} ${FNINIT} ${ask(3)} ${XSAVE}`, machine), 'ok');
  assert.equal(machine.get(HEADER, 8), 0x8000000000000204n, 'x87 and SSE are initial; foreign bits stay');
  assert.equal(machine.get(HEADER + 8n, 8), 0x77n, 'XCOMP_BV is not written');
  assert.deepEqual([machine.get(DATA, 2), machine.get(DATA + 24n, 8)], [0x37fn, 0xffff00001f80n]);
});
test('XSAVE saves XMM registers where SSE is requested, and leaves them alone otherwise', () => {
  const all = lab();
  go(`${enable(3)} ${LOAD_XMM} ${ask(3)} ${XSAVE}`, all);
  assert.deepEqual([all.get(DATA + 160n, 8), all.get(DATA + 400n, 8)], [0x1111n, 0x2222n]);
  assert.equal(all.get(HEADER, 8) & 2n, 2n);
  const x87 = lab();
  go(`${enable(3)} ${LOAD_XMM} ${ask(1)} ${XSAVE}`, x87);
  assert.deepEqual([x87.get(DATA + 160n, 8), x87.get(DATA + 24n, 8)], [0n, 0n], 'nor MXCSR');
});
test('XSAVE saves only what XCR0 enables', () => {
  const machine = lab();
  go(`${enable(1)} ${LOAD_XMM} ${ask(3)} ${XSAVE}`, machine);
  assert.deepEqual([machine.get(DATA + 160n, 8), machine.get(HEADER, 8) & 2n], [0n, 0n]);
});
test('XSAVEOPT does not write a component in its initial configuration, but MXCSR', () => {
  const machine = lab();
  for (const at of [0n, 160n]) machine.put(DATA + at, 0xdeadn, 2);
  go(`${enable(3)} ${FNINIT} ${ask(3)} ${XSAVEOPT}`, machine);
  assert.deepEqual(
    [machine.get(DATA, 2), machine.get(DATA + 160n, 2), machine.get(HEADER, 8)],
    [0xdeadn, 0xdeadn, 0n],
  );
  assert.equal(machine.get(DATA + 24n, 4), 0x1f80n);
});
/** WRPKRU of 0x5554, which key 0 does not notice. */
const SET_PKRU = `31c9 ${ask(0x5554)} 0f01ef`;
test('XSAVE puts PKRU where CPUID says, XSAVEC packs it behind the header', () => {
  const standard = lab();
  assert.equal(go(`${enable(0x203)} ${SET_PKRU} ${FNINIT} ${ask(0x203)} ${XSAVE}`, standard), 'ok');
  assert.deepEqual([standard.get(DATA + 0xa80n, 8), standard.get(HEADER, 8)], [0x5554n, 0x200n]);
  const packed = lab();
  packed.put(HEADER, 0xffn, 8);
  assert.equal(go(`${enable(0x203)} ${SET_PKRU} ${FNINIT} ${ask(0x203)} ${XSAVEC}`, packed), 'ok');
  assert.deepEqual(
    [packed.get(DATA + 576n, 8), packed.get(HEADER, 8), packed.get(HEADER + 8n, 8)],
    [0x5554n, 0x200n, COMPACTED | 0x203n],
  );
});
test('XSAVEC: an MXCSR that is not 1F80 makes SSE state in use', () => {
  const machine = lab();
  machine.put(DATA + 0x800n, 0x1fa0, 4);
  // ldmxcsr [rsi + 0x800]
  go(`${enable(3)} ${FNINIT} 0fae9600080000 ${ask(3)} ${XSAVEC}`, machine);
  assert.deepEqual([machine.get(HEADER, 8), machine.get(DATA + 24n, 4)], [2n, 0x1fa0n]);
});
test('XSAVES and XRSTORS are privileged', () => {
  for (const code of [XSAVES, XRSTORS]) {
    const machine = lab();
    const { segments } = machine.core.state(0);
    const ss = { ...segments.ss, selector: 0x3b, attributes: segments.ss.attributes | 0x60 };
    const cs = { ...segments.cs, selector: 0x33, attributes: segments.cs.attributes | 0x60 };
    machine.set({}, { segments: { ...segments, cs, ss } });
    assert.equal(go(code, machine), '#GP(0)');
  }
});

// ---- Restoring ----
for (const [title, code, words, expected] of [
  ['XSTATE_BV beyond XCR0', XRSTOR, [4n, 0n, 0n], '#GP(0)'],
  ['XCOMP_BV not zero in the standard format', XRSTOR, [0n, 1n, 0n], '#GP(0)'],
  ['bytes 16 to 23 not zero', XRSTOR, [0n, 0n, 1n], '#GP(0)'],
  ['byte 24 in the standard format', XRSTOR, [0n, 0n, 0n, 1n], 'ok'],
  ['compacted format', XRSTOR, [3n, COMPACTED | 3n, 0n], 'ok'],
  ['compacted: XSTATE_BV beyond XCOMP_BV', XRSTOR, [3n, COMPACTED | 1n, 0n], '#GP(0)'],
  ['compacted: XCOMP_BV beyond XCR0', XRSTOR, [1n, COMPACTED | 0x201n, 0n], '#GP(0)'],
  ['compacted: byte 24 not zero', XRSTOR, [0n, COMPACTED, 0n, 1n], '#GP(0)'],
  ['compacted: last byte not zero', XRSTOR, [0n, COMPACTED, 0n, 0n, 0n, 0n, 0n, 1n << 56n], '#GP(0)'],
  ['XRSTORS of the standard format', XRSTORS, [0n, 0n, 0n], '#GP(0)'],
  ['XRSTORS of the compacted format', XRSTORS, [3n, COMPACTED | 3n, 0n], 'ok'],
] as const)
  test(`XRSTOR header: ${title}: ${expected}`, () => {
    const machine = lab();
    machine.put(DATA + 24n, 0x1f80, 4);
    words.forEach((word, i) => machine.put(HEADER + BigInt(8 * i), word, 8));
    assert.equal(go(`${enable(3)} ${ask(3)} ${code}`, machine), expected);
  });
test('without XSAVEC the compacted format is #GP(0)', () => {
  const machine = lab('long', FULL.without('XSAVEC', 'XSS'));
  machine.put(HEADER + 8n, COMPACTED, 8);
  assert.equal(go(`${enable(3)} ${ask(3)} ${XRSTOR}`, machine), '#GP(0)');
});
test('MXCSR: reserved bits are #GP(0) where it is loaded; the standard format loads it without SSE state', () => {
  const attempt = (mask: number, bitmap: bigint, compact: boolean, mxcsr: number): string => {
    const machine = lab();
    machine.put(DATA + 24n, mxcsr, 4);
    machine.put(HEADER, bitmap, 8);
    machine.put(HEADER + 8n, compact ? COMPACTED | 3n : 0n, 8);
    return go(`${enable(3)} ${ask(mask)} ${XRSTOR} ${ask(3)} 0fae9e00080000`, machine);
  };
  assert.equal(attempt(3, 0n, false, 0x10000), '#GP(0)');
  assert.equal(attempt(1, 0n, false, 0x10000), 'ok');
  assert.equal(attempt(3, 0n, true, 0x10000), 'ok');
  assert.equal(attempt(3, 2n, true, 0x10000), '#GP(0)');
});
test('XRSTOR initializes what XSTATE_BV leaves out, and leaves alone what is not requested', () => {
  const after = (mask: number, bitmap: bigint): Lab => {
    const machine = lab();
    machine.put(DATA, 0x33f, 2);
    machine.put(DATA + 24n, 0x1f80, 4);
    machine.put(DATA + 160n, 0x7777n, 8);
    machine.put(HEADER, bitmap, 8);
    // Then all of it is saved 0x1000 further.
    const save = `4881c600100000 ${ask(3)} ${XSAVE}`;
    assert.equal(go(`${enable(3)} ${LOAD_XMM} ${FLDCW} ${ask(mask)} ${XRSTOR} ${save}`, machine), 'ok');
    return machine;
  };
  const words = (machine: Lab): readonly bigint[] =>
    [0n, 160n].map((at) => machine.get(DATA + 0x1000n + at, at === 0n ? 2 : 8));
  assert.deepEqual(words(after(3, 3n)), [(0x37fn & 0x33fn) | 0x40n, 0x7777n]);
  assert.deepEqual(words(after(3, 1n)), [(0x37fn & 0x33fn) | 0x40n, 0n]);
  assert.deepEqual(words(after(3, 0n)), [0x37fn, 0n]);
  assert.deepEqual(words(after(2, 3n)), [0x37en, 0x7777n]);
  assert.deepEqual(words(after(1, 3n)), [(0x37fn & 0x33fn) | 0x40n, 0x1111n]);
});
test('a fault in the second page of the area leaves memory and registers as they were', () => {
  const machine = lab();
  const at = DATA + 0x1000n - 512n;
  machine.put(machine.entryOf(DATA + 0x1000n), 0n, 8);
  machine.set({ rsi: at });
  machine.put(at, 0xdeadn, 2);
  assert.equal(outcomeText(machine.run(`${enable(3)} ${ask(3)} ${XSAVE}`)), '#PF(2)');
  assert.equal(machine.get(at, 2), 0xdeadn);
});
test('outside 64-bit mode eight XMM registers are saved and restored', () => {
  const machine = lab('protected-32');
  machine.put(DATA + 288n, 0xabcdn, 8);
  assert.equal(go(`${enable(3)} 0fae8e000c0000 ${ask(3)} 0fae26`, machine), 'ok');
  assert.deepEqual([machine.get(DATA + 160n, 8), machine.get(DATA + 288n, 8)], [0x1111n, 0xabcdn]);
});

// ---- CPUID leaf 0xD ----
for (const [components, standard, compact] of [
  [1, 576n, 576n],
  [3, 576n, 576n],
  [0x203, 0xa88n, 584n],
] as const)
  test(`CPUID.0DH gives the sizes for XCR0 ${components.toString(16)}`, () => {
    const { general } = lab().run(
      `${enable(components)} b80d000000 31c9 0fa2 4889dd b80d000000 31c9 ffc1 0fa2`,
    ).state;
    assert.deepEqual([general.rbp, general.rbx], [standard, compact]);
  });
test('CPUID shows OSXSAVE while CR4 has it', () => {
  const code = 'b801000000 0fa2';
  assert.equal((lab().run(code).state.general.rcx >> 27n) & 1n, 1n);
  const off = lab();
  off.set({}, { cr4: off.core.state(0).cr4 & ~0x40000n });
  assert.equal((off.run(code).state.general.rcx >> 27n) & 1n, 0n);
});

// ---- FXSAVE ----
test('FXSAVE: all 512 bytes must be accessible, aligned to 16; MXCSR with reserved bits is #GP(0)', () => {
  assert.equal(go(FXSAVE, lab().set({ rsi: DATA + 8n })), '#GP(0)');
  const machine = lab();
  machine.put(DATA + 24n, 0x20000, 4);
  assert.equal(go(FXRSTOR, machine), '#GP(0)');
  assert.equal(go(FXRSTOR, lab()), 'ok');
});
test('AMD’s FFXSR leaves the XMM registers out in 64-bit mode at CPL 0', () => {
  const saved = (efer: string): bigint => {
    const machine = lab('long', testProfile({ vendor: 'amd', with: [...FAMILY, 'FFXSR'] }));
    // EFER |= the bits, then FXSAVE.
    assert.equal(go(`${LOAD_XMM} b9800000c0 0f32 0d${efer} 0f30 ${FXSAVE}`, machine), 'ok');
    assert.equal(machine.get(DATA + 24n, 4), 0x1f80n, 'MXCSR is saved always');
    return machine.get(DATA + 160n, 8);
  };
  assert.deepEqual([saved('00000000'), saved('00400000')], [0x1111n, 0n]);
});
