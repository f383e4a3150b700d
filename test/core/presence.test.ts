/** What exists only by CPUID or mode, and what LAR, LSL, VERR and VERW say about descriptors (SDM vol. 2). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DATA, GDT, Lab, SELECTOR, outcomeText, type LabMode } from './lab';
import { testProfile } from './oracle/profile';

for (const [name, code, mode, expected] of [
  ['popcnt without CPUID.1:ECX[23]', 'f30fb8c1', 'long', '#UD'],
  ['movbe without CPUID.1:ECX[22]', '0f38f006', 'long', '#UD'],
  ['rdfsbase without CPUID.7:EBX[0]', 'f30faec0', 'long', '#UD'],
  ['rdtscp without CPUID.80000001:EDX[27]', '0f01f9', 'long', '#UD'],
  ['xgetbv without XSAVE', '0f01d0', 'long', '#UD'],
  ['stac without SMAP', '0f01cb', 'long', '#UD'],
  ['swapgs outside 64-bit mode', '0f01f8', 'protected-32', '#UD'],
  ['swapgs', '0f01f8', 'long', 'ok'],
  ['syscall in protected mode (Intel)', '0f05', 'protected-32', '#UD'],
  ['rsm outside SMM', '0faa', 'long', '#UD'],
  ['ud0', '0fffc0', 'long', '#UD'],
  ['ud1', '0fb9c0', 'long', '#UD'],
  ['ud2', '0f0b', 'long', '#UD'],
  ['group 8 below 4', '0fbac001', 'long', '#UD'],
  ['lea of a register', '8dc0', 'long', '#UD'],
  ['mov from segment 6', '8cf0', 'long', '#UD'],
  ['c6 with reg not 0', 'c6c801', 'long', '#UD'],
  ['test by f6 /1', 'f6c801', 'long', 'ok'],
  ['shl by /6', 'd0f0', 'long', 'ok'],
  ['pause', 'f390', 'long', 'ok'],
  ['nop 0f 1f', '660f1f840000000000', 'long', 'ok'],
  ['prefetcht0', '0f180e', 'long', 'ok'],
  ['endbr64 without IBT', 'f30f1efa', 'long', 'ok'],
  ['endbr32 in 64-bit mode', 'f30f1efb', 'long', 'ok'],
  ['82 outside 64-bit mode', '82c001', 'protected-32', 'ok'],
  ['aam 0', 'd400', 'protected-32', '#DE'],
  ['into without OF', 'ce', 'protected-32', 'ok'],
  ['vex in protected mode', 'c5f877', 'protected-32', '#UD'],
  ['clts in real mode', '0f06', 'real', 'ok'],
  ['lmsw in real mode', '0f01f0', 'real', 'ok'],
] as const)
  test(`${name} (${mode}): ${expected}`, () => {
    assert.equal(outcomeText(new Lab({ mode: mode as LabMode }).set({ rsi: DATA }).run(code)), expected);
  });

test('f3 bc and f3 bd are BSF and BSR where CPUID lacks TZCNT and LZCNT', () => {
  const lab = new Lab({ mode: 'long' }).set({ rcx: 0x50n });
  const { general } = lab.run('f30fbcc1 f30fbdd1').state;
  assert.deepEqual([general.rax, general.rdx], [4n, 6n]);
});

test('90 with REX.B is an exchange with R8', () => {
  const { general } = new Lab({ mode: 'long' }).set({ rax: 1n, r8: 2n }).run('4990').state;
  assert.deepEqual([general.rax, general.r8], [2n, 1n]);
});

test('ENTER with a nesting level copies frame pointers and adds its own', () => {
  const lab = new Lab({ mode: 'protected-32' }).set({ rsp: 0x7000n, rbp: 0x7100n });
  lab.put(0x70fcn, 0xaaaa, 4);
  lab.put(0x70f8n, 0xbbbb, 4);
  const { general } = lab.run('c8 1000 03').state;
  assert.deepEqual([general.rbp, general.rsp], [0x6ffcn, 0x6ffcn - 12n - 16n]);
  const frame = [0x6ffcn, 0x6ff8n, 0x6ff4n, 0x6ff0n].map((at) => lab.get(at, 4));
  assert.deepEqual(frame, [0x7100n, 0xaaaan, 0xbbbbn, 0x6ffcn]);
});

test('a 32-bit effective address in 64-bit mode wraps at 4 GiB before the base of FS is added', () => {
  const lab = new Lab({ mode: 'long' }).set({ rsi: 0xfffffff0n });
  lab.segment('fs', { base: DATA });
  lab.put(DATA + 0x10n, 0x77, 4);
  assert.equal(lab.run('64678b4620').state.general.rax, 0x77n);
});

/** LAR, LSL, VERR and VERW at the spare descriptor: ZF, and what LAR and LSL load. */
for (const [title, mode, descriptor, lar, lsl, verr, verw] of [
  ['writable data', 'protected-32', 0x00cf93000000ffffn, 0xcf9300n, 0xffffffffn, true, true],
  ['read-only data', 'protected-32', 0x00409100000000ffn, 0x409100n, 0xffn, true, false],
  ['execute-only code', 'protected-32', 0x00cf99000000ffffn, 0xcf9900n, 0xffffffffn, false, false],
  ['not present', 'protected-32', 0x00cf13000000ffffn, 0xcf1300n, 0xffffffffn, true, true],
  ['32-bit TSS', 'protected-32', 0x0000890000000067n, 0x8900n, 0x67n, false, false],
  ['16-bit TSS', 'protected-32', 0x000081000000002bn, 0x8100n, 0x2bn, false, false],
  ['16-bit TSS in long mode', 'compatibility', 0x000081000000002bn, null, null, false, false],
  ['call gate', 'protected-32', 0x00008c0000188800n, 0x8c00n, null, false, false],
  ['task gate', 'protected-32', 0x0000850000400000n, 0x8500n, null, false, false],
  ['task gate in long mode', 'compatibility', 0x0000850000400000n, null, null, false, false],
  ['interrupt gate', 'protected-32', 0x00008e0000188800n, null, null, false, false],
  ['LDT', 'protected-32', 0x000082000000000fn, 0x8200n, 0xfn, false, false],
] as const)
  test(`LAR, LSL, VERR, VERW: ${title}`, () => {
    const run = (code: string) => {
      const lab = new Lab({ mode: mode as LabMode }).set({ rcx: BigInt(SELECTOR.spare), rax: 0x5555n });
      lab.put(GDT + BigInt(SELECTOR.spare), descriptor, 8);
      const { state } = lab.run(code);
      return { zero: (state.rflags & 0x40n) !== 0n, value: state.general.rax };
    };
    assert.deepEqual(run('0f02c1'), { zero: lar !== null, value: lar ?? 0x5555n });
    assert.deepEqual(run('0f03c1'), { zero: lsl !== null, value: lsl ?? 0x5555n });
    assert.equal(run('0f00e1').zero, verr);
    assert.equal(run('0f00e9').zero, verw);
  });

test('UMIP keeps SGDT, SIDT, SLDT, STR and SMSW from CPL 3', () => {
  for (const [code, expected] of [
    ['0f0106', '#GP(0)'],
    ['0f010e', '#GP(0)'],
    ['0f00c0', '#GP(0)'],
    ['0f00c8', '#GP(0)'],
    ['0f01e0', '#GP(0)'],
  ] as const) {
    const lab = new Lab({ profile: testProfile({ features: { umip: true } }) }).set(
      { rsi: DATA },
      { cr4: 0x800n },
    );
    assert.equal(outcomeText(lab.run(code)), 'ok', `${code} at CPL 0`);
    const user = new Lab({ profile: testProfile({ features: { umip: true } }) }).set(
      { rsi: DATA },
      { cr4: 0x800n },
    );
    user.segment('cs', { selector: SELECTOR.user32 | 3, attributes: 0xc0fb });
    user.segment('ss', { selector: SELECTOR.userData | 3, attributes: 0xc0f3 });
    assert.equal(outcomeText(user.run(code)), expected, `${code} at CPL 3`);
  }
});
