/**
 * When MMX and SSE instructions exist and what keeps them from executing: CPUID, prefixes, CR0 and CR4, alignment, pages,
 * unmasked exceptions (SDM vol. 2, 2.1.2 and the exception tables of chapter 2; vol. 3, 2.5 and chapter 13).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuidFeatureName } from '../../../server/src/x86/cpuid/features';
import { Reason } from '../../../server/emulator/assembly/events';
import { reasonText } from '../../../server/emulator/reasons';
import { CODE, DATA, Lab, outcomeText, type LabMode } from '../lab';
import { testProfile, type TestProfile } from '../oracle/profile';

const OSFXSR = 0x200n;
const OSXMMEXCPT = 0x400n;
const CR0_EM = 4n;
const CR0_TS = 8n;
const ABSENT = 0xb000n;

const VECTORS = ['SSE3', 'SSSE3', 'SSE4_1'] as const satisfies readonly CpuidFeatureName[];

/** A machine with SSE enabled; RSI and RDI point to DATA. */
function machine(mode: LabMode = 'long', profile: TestProfile = {}): Lab {
  const lab = new Lab({ mode, profile: testProfile({ with: VECTORS, ...profile }) });
  const { cr4 } = lab.core.state(0);
  return lab.set({ rsi: DATA, rdi: DATA }, { cr4: cr4 | OSFXSR | OSXMMEXCPT });
}

for (const [name, code, feature] of [
  ['paddb mm0, mm1', '0ffcc1', 'MMX'],
  ['movd mm0, eax', '0f6ec0', 'MMX'],
  ['emms', '0f77', 'MMX'],
  ['psrlq mm0, 1', '0f73d001', 'MMX'],
  ['pavgb mm0, mm1', '0fe0c1', 'SSE'],
  ['pshufw mm0, mm1, 0', '0f70c100', 'SSE'],
  ['movaps xmm0, xmm1', '0f28c1', 'SSE'],
  ['addps xmm0, xmm1', '0f58c1', 'SSE'],
  ['cvttss2si eax, xmm0', 'f30f2cc0', 'SSE'],
  ['addpd xmm0, xmm1', '660f58c1', 'SSE2'],
  ['paddb xmm0, xmm1', '660ffcc1', 'SSE2'],
  ['paddq mm0, mm1', '0fd4c1', 'SSE2'],
  ['cvtps2pd xmm0, xmm1', '0f5ac1', 'SSE2'],
  ['psrldq xmm0, 1', '660f73d801', 'SSE2'],
  ['haddps xmm0, xmm1', 'f20f7cc1', 'SSE3'],
  ['lddqu xmm0, [rsi]', 'f20ff006', 'SSE3'],
  ['movddup xmm0, xmm1', 'f20f12c1', 'SSE3'],
  ['pshufb mm0, mm1', '0f3800c1', 'SSSE3'],
  ['palignr xmm0, xmm1, 3', '660f3a0fc103', 'SSSE3'],
  ['pmulld xmm0, xmm1', '660f3840c1', 'SSE4_1'],
  ['ptest xmm0, xmm1', '660f3817c1', 'SSE4_1'],
  ['movntdqa xmm0, [rsi]', '660f382a06', 'SSE4_1'],
  ['roundsd xmm0, xmm1, 0', '660f3a0bc100', 'SSE4_1'],
  ['pinsrb xmm0, eax, 1', '660f3a20c001', 'SSE4_1'],
] as const satisfies readonly (readonly [string, string, CpuidFeatureName])[])
  test(`${name} comes with ${feature}: #UD without it`, () => {
    assert.equal(outcomeText(machine().run(code)), 'ok');
    assert.equal(outcomeText(machine('long', { without: [feature] }).run(code)), '#UD');
  });

test("AMD's MmxExt brings SSE's additions to MMX without SSE", () => {
  const profile = { vendor: 'amd', with: ['MmxExt'], without: ['SSE'] } as const;
  assert.equal(outcomeText(machine('long', profile).run('0fe0c1')), 'ok');
  assert.equal(outcomeText(machine('long', profile).run('0f58c1')), '#UD');
});

test('encodings that no instruction has: #UD', () => {
  for (const code of [
    'f30ffcc1', // F3 on PADDB
    '660f77', // 66 on EMMS
    '660f12c1', // MOVLPD between registers
    '0f13c1', // MOVLPS to a register
    '0f2bc1', // MOVNTPS to a register
    '0fe7c1', // MOVNTQ to a register
    'f20ff0c1', // LDDQU of a register
    '0f5006', // MOVMSKPS of memory
    '0fd706', // PMOVMSKB of memory
    '0fc50600', // PEXTRW of memory
    '0ff706', // MASKMOVQ with memory
    '660f7116', // a shift by an immediate of memory
    '0f73d801', // PSRLDQ of an MMX register
    '0f6cc1', // PUNPCKLQDQ of MMX registers
    '660f71c001', // group 12 with 0
    '0fd6c1', // D6 without a prefix
    '660f52c1', // RSQRT of doubles
    'f30f14c1', // F3 on UNPCKLPS
    'f30f3800c1', // F3 on PSHUFB
    '0f3840c1', // PMULLD without 66
    '660f382ac1', // MOVNTDQA of a register
    '660f3a63c100', // PCMPISTRI of SSE4.2
    '660f38dcc1', // AESENC
  ])
    assert.equal(outcomeText(machine().run(code)), '#UD', code);
});

test('F2 and F3 count before 66, and of both the last one', () => {
  for (const [code, expected] of [
    ['66f30f6f06', 'movdqu'],
    ['f3660f6f06', 'movdqu'],
    ['f2f30f6f06', 'movdqu'],
    ['f3f20f6f06', '#UD'],
  ] as const) {
    const lab = machine().set({ rsi: DATA + 1n });
    assert.equal(outcomeText(lab.run(code)), expected === '#UD' ? '#UD' : 'ok', code);
  }
});

const MMX = '0ffcc1';
const XMM = '660ffcc1';
const BOTH = 'f30fd6c1';
for (const [title, mmx, xmm, both, change] of [
  ['CR0.EM', '#UD', '#UD', '#UD', { em: true }],
  ['CR0.EM and TS', '#UD', '#UD', '#UD', { em: true, ts: true }],
  ['CR0.TS', '#NM', '#NM', '#NM', { ts: true }],
  ['CR4.OSFXSR=0', 'ok', '#UD', '#UD', { osfxsr: false }],
  ['CR4.OSFXSR=0 and TS', '#NM', '#UD', '#UD', { osfxsr: false, ts: true }],
  ['a pending x87 exception', '#MF', 'ok', '#MF', { pending: true }],
  ['a pending x87 exception and TS', '#NM', '#NM', '#NM', { pending: true, ts: true }],
] as const)
  test(`${title}: MMX ${mmx}, XMM ${xmm}, both ${both}`, () => {
    for (const [code, expected] of [
      [MMX, mmx],
      [XMM, xmm],
      [BOTH, both],
    ] as const) {
      const lab = machine();
      const flags: { em?: boolean; ts?: boolean; osfxsr?: boolean; pending?: boolean } = change;
      let setUp = '';
      if (flags.pending === true) {
        // fxrstor [rsi]: an unmasked precision exception, ES and B set.
        lab.put(DATA, 0x80a0_035fn, 4);
        lab.put(DATA + 24n, 0x1f80n, 4);
        setUp = '0fae0e';
      }
      const { cr0, cr4 } = lab.core.state(0);
      const set = (flags.em === true ? CR0_EM : 0n) | (flags.ts === true && setUp === '' ? CR0_TS : 0n);
      lab.set({}, { cr0: cr0 | set, cr4: flags.osfxsr === false ? cr4 & ~OSFXSR : cr4 });
      // With TS, FXRSTOR would fault: MOV to CR0 behind it.
      if (setUp !== '' && flags.ts === true) {
        lab.set({ rax: cr0 | CR0_TS });
        setUp += '0f22c0';
      }
      assert.equal(outcomeText(lab.run(setUp + code)), expected, code);
    }
  });

test('with CR0.NE=0 MMX waits at a pending x87 exception as the x87 does', () => {
  const lab = machine();
  lab.put(DATA, 0x80a0_035fn, 4);
  lab.put(DATA + 24n, 0x1f80n, 4);
  lab.set({}, { cr0: lab.core.state(0).cr0 & ~0x20n });
  assert.equal(lab.run(`0fae0e${XMM}${MMX}`).state.rip, CODE + 7n);
});

test('LOCK on any of them: #UD', () => {
  for (const code of ['f00ffc06', 'f0660f6f06', 'f00f5806', 'f00f77'])
    assert.equal(outcomeText(machine().run(code)), '#UD', code);
});

for (const [name, code, aligned] of [
  ['movaps xmm0, [rsi]', '0f2806', true],
  ['movaps [rsi], xmm0', '0f2906', true],
  ['movdqa xmm0, [rsi]', '660f6f06', true],
  ['movntdq [rsi], xmm0', '660fe706', true],
  ['addps xmm0, [rsi]', '0f5806', true],
  ['paddb xmm0, [rsi]', '660ffc06', true],
  ['punpcklbw xmm0, [rsi]', '660f6006', true],
  ['movshdup xmm0, [rsi]', 'f30f1606', true],
  ['pabsb xmm0, [rsi]', '660f381c06', true],
  ['pmovsxbw xmm0, [rsi]', '660f382006', false],
  ['roundss xmm0, [rsi], 0', '660f3a0a0600', false],
  ['movups xmm0, [rsi]', '0f1006', false],
  ['movdqu [rsi], xmm0', 'f30f7f06', false],
  ['lddqu xmm0, [rsi]', 'f20ff006', false],
  ['addss xmm0, [rsi]', 'f30f5806', false],
  ['cvtps2pd xmm0, [rsi]', '0f5a06', false],
  ['paddb mm0, [rsi]', '0ffc06', false],
  ['movlps xmm0, [rsi]', '0f1206', false],
] as const)
  test(`${name} ${aligned ? 'needs 16-byte alignment: #GP(0)' : 'needs no alignment'}`, () => {
    assert.equal(outcomeText(machine().run(code)), 'ok');
    const { fault, ...rest } = machine()
      .set({ rsi: DATA + 8n })
      .run(code);
    assert.equal(outcomeText({ fault, ...rest }), aligned ? '#GP(0)' : 'ok');
    if (aligned) assert.match(fault?.reason ?? '', /16 bytes at 0x9008 are not aligned/);
  });

test("MXCSR.MM of AMD's misaligned SSE mode frees operands, not moves (APM vol. 2, 11.3)", () => {
  const profile = { vendor: 'amd', with: [...VECTORS, 'MisAlignSse'] } as const;
  for (const [code, expected] of [
    ['660ffc4608', 'ok'],
    ['0f284608', '#GP(0)'],
  ] as const) {
    const lab = machine('long', profile);
    lab.put(DATA, 0x21f80, 4);
    assert.equal(outcomeText(lab.run(`0fae16${code}`)), expected, code);
  }
  const intel = machine();
  intel.put(DATA, 0x21f80, 4);
  assert.equal(outcomeText(intel.run('0fae16')), '#GP(0)', 'reserved where CPUID lacks the mode');
});

test('a store over the end of the mapped pages writes nothing, a load changes no register', () => {
  for (const [at, code] of [
    [ABSENT - 5n, '0f1106'], // movups [rsi], xmm0
    [ABSENT - 9n, 'f30f7f06'], // movdqu [rsi], xmm0
    [ABSENT - 3n, '0fe706'], // movntq [rsi], mm0
  ] as const) {
    const lab = machine().set({ rsi: at });
    lab.put(lab.entryOf(ABSENT), 0n, 8);
    lab.put(ABSENT - 16n, 0x1111111111111111n, 8);
    lab.put(ABSENT - 8n, 0x2222222222222222n, 8);
    const outcome = lab.run(code);
    assert.equal(outcomeText(outcome), '#PF(2)', code);
    assert.equal(outcome.fault?.cr2, ABSENT);
    assert.equal(lab.get(ABSENT - 16n, 8), 0x1111111111111111n);
    assert.equal(lab.get(ABSENT - 8n, 8), 0x2222222222222222n);
  }
});

/** 1.0 / 0.0 in element 1, a signalling NaN nowhere, 1.0 / 3.0 in element 0. */
function division(mxcsr: bigint, cr4: bigint): Lab {
  const lab = machine();
  const state = lab.core.state(0);
  lab.set({}, { cr4: (state.cr4 & ~OSXMMEXCPT) | cr4 });
  lab.put(DATA, 0x3f800000_3f800000n, 8);
  lab.put(DATA + 8n, 0x3f800000_3f800000n, 8);
  lab.put(DATA + 16n, 0x00000000_40400000n, 8);
  lab.put(DATA + 24n, 0x3f800000_3f800000n, 8);
  lab.put(DATA + 32n, mxcsr, 4);
  return lab;
}
/** ldmxcsr [rsi+32]; movaps xmm0, [rsi]; divps xmm0, [rsi+16]. */
const DIVIDE = '0fae5620 0f2806 0f5e4610';
/** stmxcsr [rsi+36]; movups [rsi+40], xmm0: an IDT with a handler is not needed, as flags are seen without a fault. */
const SHOW = '0fae5e24 0f114628';

test('masked exceptions set their flags; all elements count', () => {
  const lab = division(0x1f80n, OSXMMEXCPT);
  assert.equal(outcomeText(lab.run(DIVIDE + SHOW)), 'ok');
  assert.equal(lab.get(DATA + 36n, 4), 0x1fa4n, 'ZE and PE');
  assert.equal(lab.get(DATA + 40n, 8), 0x7f800000_3eaaaaabn);
});

test('an unmasked exception is #XM, or #UD without CR4.OSXMMEXCPT, and names itself', () => {
  const xm = division(0x1d80n, OSXMMEXCPT).run(DIVIDE + SHOW);
  assert.equal(outcomeText(xm), '#XM');
  assert.equal(
    xm.fault?.reason,
    'SIMD floating-point exception: divide by zero, not masked in MXCSR (0x1d84)',
  );
  assert.equal(xm.fault?.state.rip, CODE + 7n);
  assert.equal(outcomeText(division(0x1d80n, 0n).run(DIVIDE)), '#UD');
});

test('an unmasked divide by zero keeps a masked precision exception of another element from being seen', () => {
  // Behind the fault MXCSR is looked at through the reason: ZE alone was added.
  assert.match(division(0x1d80n, OSXMMEXCPT).run(DIVIDE).fault?.reason ?? '', /\(0x1d84\)$/);
  // With ZE masked and PE unmasked both are met.
  assert.match(
    division(0x0f80n, OSXMMEXCPT).run(DIVIDE).fault?.reason ?? '',
    /precision, not masked in MXCSR \(0xfa4\)$/,
  );
});

test('a memory fault comes before a floating-point exception', () => {
  const lab = division(0n, OSXMMEXCPT);
  lab.put(lab.entryOf(ABSENT), 0n, 8);
  assert.equal(outcomeText(lab.set({ rdi: ABSENT }).run('0fae5620 0f5e07')), '#PF(0)');
});

test('outside 64-bit mode the operands lie in their segments', () => {
  const lab = machine('protected-32').segment('ds', { limit: 0x900f });
  assert.equal(outcomeText(lab.run('0f1006')), 'ok');
  const beyond = machine('protected-32').segment('ds', { limit: 0x900e });
  assert.equal(outcomeText(beyond.run('0f1006')), '#GP(0)');
  // maskmovq mm0, mm1 writes to DS:EDI unless overridden; MM1 is all ones.
  const masked = machine('protected-32').segment('fs', { base: 0x100n });
  assert.equal(outcomeText(masked.run('0f74c9 0f74c0 640ff7c1')), 'ok');
  assert.deepEqual([masked.get(DATA, 8), masked.get(DATA + 0x100n, 8)], [0n, 0xffffffffffffffffn]);
});

test('MOVD and its kind take 64 bits with REX.W and clear the rest of the register', () => {
  const lab = machine().set({ rax: 0x1122334455667788n, rcx: 0xffffffffffffffffn });
  // movd xmm0, eax; movq xmm1, rax; movd ecx, xmm0; store both
  const { general } = lab.run('660f6ec0 66480f6ec8 660f7ec1 0f1106 0f114e10').state;
  assert.equal(general.rcx, 0x55667788n);
  const stored = [0n, 8n, 16n, 24n].map((at) => lab.get(DATA + at, 8));
  assert.deepEqual(stored, [0x55667788n, 0n, 0x1122334455667788n, 0n]);
});

test('the words for an exception list every unmasked one', () => {
  assert.match(reasonText(Reason.SimdFloatingPoint, 0x09n, 0n), /invalid operation, overflow, not masked/);
});
