/** Control registers, EFER and PDPTEs: every illegal write is #GP(0) and changes nothing (SDM vol. 3, 2.5, 4.1, 4.4.1). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VcpuState } from '../../server/src/x86/state';
import { Lab, SELECTOR, TABLES, outcomeText, type LabMode } from './lab';
import { testProfile } from './oracle/profile';

const CR0 = '0f22c0'; // mov cr0, rax
const CR3 = '0f22d8';
const CR4 = '0f22e0';
const CR8 = '440f22c0';
const WRMSR = '0f30';
const EFER = 0xc0000080n;

interface Case {
  readonly title: string;
  readonly mode: LabMode;
  readonly code: string;
  readonly rax: bigint;
  readonly rcx?: bigint;
  readonly rdx?: bigint;
  readonly state?: Partial<VcpuState>;
  readonly expect: string;
}

const CASES: readonly Case[] = [
  { title: 'PG without PE', mode: 'protected-32', code: CR0, rax: 0x80000010n, expect: '#GP(0)' },
  { title: 'NW without CD', mode: 'protected-32', code: CR0, rax: 0x20000011n, expect: '#GP(0)' },
  { title: 'CD without NW', mode: 'protected-32', code: CR0, rax: 0x40000011n, expect: 'ok' },
  { title: 'CR0 bit 32', mode: 'long', code: CR0, rax: 0x180010031n, expect: '#GP(0)' },
  {
    title: 'CR0 reserved bits below 32 are ignored',
    mode: 'protected-32',
    code: CR0,
    rax: 0x1ff80031n,
    expect: 'ok',
  },
  {
    title: 'long mode without PAE',
    mode: 'protected-32',
    code: CR0,
    rax: 0x80000011n,
    state: { efer: 0x100n },
    expect: '#GP(0)',
  },
  { title: 'PG cleared in 64-bit mode', mode: 'long', code: CR0, rax: 0x11n, expect: '#GP(0)' },
  { title: 'PG cleared in compatibility mode', mode: 'compatibility', code: CR0, rax: 0x11n, expect: 'ok' },
  { title: 'CR4 reserved bit', mode: 'protected-32', code: CR4, rax: 0x8000n, expect: '#GP(0)' },
  {
    title: 'CR4 bit of a feature that CPUID lacks',
    mode: 'protected-32',
    code: CR4,
    rax: 1n << 20n,
    expect: '#GP(0)',
  },
  { title: 'PAE cleared in long mode', mode: 'long', code: CR4, rax: 0n, expect: '#GP(0)' },
  { title: 'CR3 beyond MAXPHYADDR in long mode', mode: 'long', code: CR3, rax: 1n << 40n, expect: '#GP(0)' },
  { title: 'CR3 bit 63 without PCIDE', mode: 'long', code: CR3, rax: (1n << 63n) | TABLES, expect: '#GP(0)' },
  {
    title: 'CR3 low ignored bits in 32-bit paging',
    mode: 'paging-32',
    code: CR3,
    rax: TABLES | 0xfffn,
    expect: 'ok',
  },
  { title: 'CR8 above 15', mode: 'long', code: CR8, rax: 0x10n, expect: '#GP(0)' },
  { title: 'CR8 of 15', mode: 'long', code: CR8, rax: 0xfn, expect: 'ok' },
  {
    title: 'EFER reserved bit',
    mode: 'protected-32',
    code: WRMSR,
    rcx: EFER,
    rax: 2n,
    rdx: 0n,
    expect: '#GP(0)',
  },
  {
    title: 'EFER.SVME',
    mode: 'protected-32',
    code: WRMSR,
    rcx: EFER,
    rax: 0x1000n,
    rdx: 0n,
    expect: '#GP(0)',
  },
  {
    title: 'LME changed under paging',
    mode: 'paging-32',
    code: WRMSR,
    rcx: EFER,
    rax: 0x100n,
    rdx: 0n,
    expect: '#GP(0)',
  },
  {
    title: 'LME set without paging',
    mode: 'protected-32',
    code: WRMSR,
    rcx: EFER,
    rax: 0x100n,
    rdx: 0n,
    expect: 'ok',
  },
  {
    title: 'LMA written is ignored',
    mode: 'long',
    code: WRMSR,
    rcx: EFER,
    rax: 0x900n,
    rdx: 0n,
    expect: 'ok',
  },
  { title: 'CR1', mode: 'protected-32', code: '0f22c8', rax: 0n, expect: '#UD' },
  { title: 'CR5', mode: 'protected-32', code: '0f20e8', rax: 0n, expect: '#UD' },
  {
    title: 'DR4 with CR4.DE',
    mode: 'protected-32',
    code: '0f21e0',
    rax: 0n,
    state: { cr4: 8n },
    expect: '#UD',
  },
  { title: 'DR4 without CR4.DE', mode: 'protected-32', code: '0f21e0', rax: 0n, expect: 'ok' },
  { title: 'DR7 upper half', mode: 'long', code: '0f23f8', rax: 1n << 32n, expect: '#GP(0)' },
  { title: 'unknown MSR', mode: 'protected-32', code: '0f32', rcx: 0xdeadn, rax: 0n, expect: '#GP(0)' },
  {
    title: 'non-canonical LSTAR',
    mode: 'long',
    code: WRMSR,
    rcx: 0xc0000082n,
    rax: 0n,
    rdx: 0x8000n,
    expect: '#GP(0)',
  },
  {
    title: 'PAT with a reserved type',
    mode: 'protected-32',
    code: WRMSR,
    rcx: 0x277n,
    rax: 2n,
    rdx: 0n,
    expect: '#GP(0)',
  },
  {
    title: 'MTRRcap is read-only',
    mode: 'protected-32',
    code: WRMSR,
    rcx: 0xfen,
    rax: 0n,
    rdx: 0n,
    expect: '#GP(0)',
  },
];

for (const { title, mode, code, rax, rcx, rdx, state, expect } of CASES) {
  test(`${title} (${mode}): ${expect}`, () => {
    const lab = new Lab({ mode });
    lab.set({ rax, ...(rcx === undefined ? {} : { rcx }), ...(rdx === undefined ? {} : { rdx }) }, state);
    const before = lab.core.state(0);
    const outcome = lab.run(code);
    assert.equal(outcomeText(outcome), expect);
    if (expect === 'ok') return;
    const { cr0, cr3, cr4, efer, rip } = outcome.fault?.state ?? before;
    assert.deepEqual(
      { cr0, cr3, cr4, efer, rip },
      { cr0: before.cr0, cr3: before.cr3, cr4: before.cr4, efer: before.efer, rip: before.rip },
      'nothing has changed',
    );
  });
}

test('paging on with LME and PAE gives compatibility mode, a far jump 64-bit mode', () => {
  const lab = new Lab({ mode: 'compatibility' });
  // Out of long mode first: PG cleared, LME kept.
  lab.set({ rax: 0x31n, rbx: 0x80010031n });
  const outcome = lab.run(`0f22c0 0f22c3 ea 0f800000 2800 eb00`);
  assert.equal(outcomeText(outcome), 'ok');
  assert.equal(outcome.state.efer & 0x500n, 0x500n);
  const modes = lab.trace.flatMap((event) => (event.event === 'mode' ? [event.to] : []));
  assert.deepEqual(modes, ['protected-32', 'compatibility', 'long']);
});

test('WP may not be cleared while CET is on, nor CET set without WP', () => {
  const profile = testProfile({ ibt: true });
  const on = new Lab({ mode: 'long', profile }).set({ rax: 0x80000031n }, { cr4: 0x800020n });
  assert.equal(outcomeText(on.run('0f22c0')), '#GP(0)');
  const off = new Lab({ mode: 'long', profile }).set({ rax: 0x800020n }, { cr0: 0x80000031n });
  assert.equal(outcomeText(off.run('0f22e0')), '#GP(0)');
});

test('long mode with a 16-bit TSS in TR: #GP(0)', () => {
  const lab = new Lab({ mode: 'protected-32' }).set({ rax: 0x80000031n }, { efer: 0x100n, cr4: 0x20n });
  lab.segment('tr', { attributes: 0x83 });
  assert.equal(outcomeText(lab.run(CR0)), '#GP(0)');
});

// PDPTE bits: 1 and 2, 5 to 8, and those above MAXPHYADDR (40 here) are reserved in a present entry.
for (const [bits, expect] of [
  [0n, 'ok'],
  [2n, '#GP(0)'],
  [4n, '#GP(0)'],
  [0x20n, '#GP(0)'],
  [0x100n, '#GP(0)'],
  [1n << 40n, '#GP(0)'],
  [1n << 63n, '#GP(0)'],
  [0x18n, 'ok'],
  [0xe00n, 'ok'],
] as const) {
  test(`a PDPTE with bits 0x${bits.toString(16)} at a MOV to CR3: ${expect}`, () => {
    const lab = new Lab({ mode: 'pae' }).set({ rax: TABLES });
    lab.put(TABLES, (TABLES + 0x3001n) | bits, 8);
    assert.equal(outcomeText(lab.run(CR3)), expect);
  });
}

test('a PDPTE that is not present may have any bits', () => {
  const lab = new Lab({ mode: 'pae' }).set({ rax: TABLES });
  lab.put(TABLES + 8n, 0xfffffffffffffffen, 8);
  assert.equal(outcomeText(lab.run(CR3)), 'ok');
});

test('PAE flipped under 32-bit paging reads the page directory as PDPTEs', () => {
  const lab = new Lab({ mode: 'paging-32' }).set({ rax: 0x20n });
  const outcome = lab.run(CR4);
  assert.equal(outcomeText(outcome), '#GP(0)');
  assert.match(outcome.fault?.reason ?? '', /PDPTE 0/);
});

test('the PDPTE registers keep their value while memory changes', () => {
  const lab = new Lab({ mode: 'pae' }).set({ rax: TABLES });
  // The first entry vanishes from memory behind the load; the code goes on.
  const outcome = lab.run(`0f22d8 c70500000100 00000000 9090`);
  assert.equal(outcomeText(outcome), 'ok');
});

for (const [name, code] of [
  ['mov cr0', CR0],
  ['clts', '0f06'],
  ['hlt', 'f4'],
  ['lgdt', '0f0115 00900000'],
  ['lidt', '0f011d 00900000'],
  ['lldt', '0f00d0'],
  ['ltr', '0f00d8'],
  ['invlpg', '0f013d 00900000'],
  ['wbinvd', '0f09'],
  ['rdmsr', '0f32'],
  ['wrmsr', '0f30'],
  ['mov dr7', '0f23f8'],
] as const) {
  test(`${name} at CPL 3: #GP(0)`, () => {
    const lab = new Lab({ mode: 'protected-32' });
    const user = { base: 0n, limit: 0xffffffff };
    lab.segment('cs', { selector: SELECTOR.user32 | 3, ...user, attributes: 0xc0fb });
    lab.segment('ss', { selector: SELECTOR.userData | 3, ...user, attributes: 0xc0f3 });
    lab.segment('ds', { selector: SELECTOR.userData | 3, ...user, attributes: 0xc0f3 });
    assert.equal(outcomeText(lab.run(code)), '#GP(0)');
  });
}

/** LMSW moves PE, MP, EM and TS only, and never clears PE (SDM vol. 2, LMSW). */
for (const [title, mode, before, operand, after] of [
  ['sets PE in real mode', 'real', 0x60000010n, 1n, 0x60000011n],
  ['sets all four', 'protected-32', 0x31n, 0xfn, 0x3fn],
  ['clears MP, EM and TS, not PE', 'protected-32', 0x3fn, 0n, 0x31n],
  ['leaves ET, NE, WP, AM and the upper half alone', 'protected-32', 0x60050031n, 0xfff1n, 0x60050031n],
  ['keeps PG with PE', 'paging-32', 0x80010031n, 0n, 0x80010031n],
  ['keeps PG in 64-bit mode', 'long', 0x80010031n, 0xen, 0x8001003fn],
] as const)
  test(`LMSW ${title} (${mode})`, () => {
    const lab = new Lab({ mode }).set({ rax: 0xffffffff0000n | operand }, { cr0: before });
    const outcome = lab.run('0f01f0');
    assert.equal(outcomeText(outcome), 'ok');
    assert.equal(outcome.state.cr0, after);
  });
test('LMSW m16 reads two bytes in every mode', () => {
  for (const mode of ['protected-32', 'long'] as const) {
    const lab = new Lab({ mode }).set({ rsi: 0x3fffffn - 1n });
    lab.put(0x3ffffen, 0x0e, 2);
    const { state } = lab.run('0f0136');
    assert.equal(state.cr0 & 0xfn, 0xfn);
  }
});
