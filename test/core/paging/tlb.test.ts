/** What stays cached and what is dropped (SDM vol. 3, 4.10): a stale translation is legal, and a guest may count on a drop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DATA, IDT, Lab, SELECTOR, TABLES, bytesOf, outcomeText } from '../lab';
import { pagingProfile } from './machine';

const PAGE = 0xb000n;
const OTHER = 0xc000n;
const CPU = { width: 40, amd: false, pages1g: true, pse36: true };
const PGE = 0x80n;
const PCIDE = 0x20000n;
const OLD = 0x1111n;
const NEW = 0x2222n;

/** Long mode; RSI names PAGE, RDI its entry, RBX the entry that leads to OTHER, RAX CR3. */
function lab(cr4 = 0n, bits = 0n): Lab {
  const made = new Lab({ mode: 'long', profile: pagingProfile(CPU) });
  made.set({ rsi: PAGE, rdi: made.entryOf(PAGE), rbx: OTHER | 7n | bits, rax: TABLES }, { cr4: 0x20n | cr4 });
  made.put(made.entryOf(PAGE), PAGE | 7n | bits, 8);
  made.put(PAGE, OLD, 4);
  made.put(OTHER, NEW, 4);
  // An INVPCID descriptor: PCID 0, address PAGE.
  made.put(DATA, 0n, 8);
  made.put(DATA + 8n, PAGE, 8);
  return made;
}
const READ_IT = '8b0e'; // mov ecx, [rsi]
const REMAP = '48891f'; // mov [rdi], rbx
const THEN = '8b16'; // mov edx, [rsi]
const invpcid = (type: number): string =>
  `bd${type.toString(16).padStart(2, '0')}000000 660f38822c2500900000`;

interface Row {
  readonly title: string;
  readonly code: string;
  readonly cr4?: bigint;
  readonly global?: boolean;
  readonly expect: bigint;
}
const ROWS: readonly Row[] = [
  { title: 'nothing', code: '', expect: OLD },
  { title: 'INVLPG', code: '0f013e', expect: NEW },
  { title: 'INVLPG in the middle of the page', code: '0f01be7b0e0000', expect: NEW },
  { title: 'INVLPG of another page', code: '0f01be00100000', expect: OLD },
  { title: 'INVLPG of a non-canonical address', code: '48b90000000000008000 0f0139', expect: OLD },
  { title: 'INVLPG of a global page', code: '0f013e', cr4: PGE, global: true, expect: NEW },
  { title: 'MOV CR3', code: '0f22d8', expect: NEW },
  { title: 'MOV CR3, CR4.PGE set', code: '0f22d8', cr4: PGE, expect: NEW },
  { title: 'MOV CR3, global page', code: '0f22d8', cr4: PGE, global: true, expect: OLD },
  { title: 'MOV CR3, global page, CR4.PGE clear', code: '0f22d8', global: true, expect: NEW },
  { title: 'MOV CR3 with bit 63, same PCID', code: '480fbae83f 0f22d8', cr4: PCIDE, expect: OLD },
  // The kept entry of another PCID must not answer.
  {
    title: 'MOV CR3 with bit 63, another PCID',
    code: '480fbae83f 480fbae800 0f22d8',
    cr4: PCIDE,
    expect: NEW,
  },
  { title: 'MOV CR4 that clears PGE', code: '0f20e0 480fbaf007 0f22e0', cr4: PGE, global: true, expect: NEW },
  { title: 'MOV CR4 that sets PGE', code: '0f20e0 480fbae807 0f22e0', expect: NEW },
  { title: 'MOV CR4 that sets SMEP', code: '0f20e0 480fbae814 0f22e0', expect: NEW },
  { title: 'MOV CR4 that clears PCIDE', code: '0f20e0 480fbaf011 0f22e0', cr4: PCIDE, expect: NEW },
  { title: 'MOV CR4 that changes nothing', code: '0f20e0 0f22e0', expect: OLD },
  { title: 'INVPCID type 0', code: invpcid(0), expect: NEW },
  { title: 'INVPCID type 0, global page', code: invpcid(0), cr4: PGE, global: true, expect: OLD },
  { title: 'INVPCID type 1', code: invpcid(1), expect: NEW },
  { title: 'INVPCID type 1, global page', code: invpcid(1), cr4: PGE, global: true, expect: OLD },
  { title: 'INVPCID type 2, global page', code: invpcid(2), cr4: PGE, global: true, expect: NEW },
  { title: 'INVPCID type 3', code: invpcid(3), expect: NEW },
  { title: 'INVPCID type 3, global page', code: invpcid(3), cr4: PGE, global: true, expect: OLD },
];
for (const { title, code, cr4 = 0n, global = false, expect } of ROWS)
  test(`the entry changes in memory, then ${title}: ${expect === OLD ? 'the old page' : 'the new page'}`, () => {
    const made = lab(cr4, global ? 0x100n : 0n);
    // SMEP must find its own code on a supervisor page.
    if (title.includes('SMEP')) made.put(made.entryOf(0x8000n), 0x8003n, 8);
    const outcome = made.run(READ_IT + REMAP + code + THEN);
    assert.equal(outcomeText(outcome), 'ok');
    assert.equal(outcome.state.general.rdx, expect);
    if (!title.includes('non-canonical')) assert.equal(outcome.state.general.rcx, OLD);
  });

test('INVPCID of another PCID drops nothing of the current one', () => {
  for (const type of [0, 1]) {
    const made = lab(PCIDE);
    made.put(DATA, 5n, 8);
    assert.equal(made.run(READ_IT + REMAP + invpcid(type) + THEN).state.general.rdx, OLD, `type ${type}`);
  }
});

/** SDM vol. 2, INVPCID: what it refuses. */
for (const [title, type, descriptor, linear, cr4, expected] of [
  ['type 4', 4, 0n, 0n, 0n, '#GP(0)'],
  ['reserved bits of the descriptor', 3, 0x1000n, 0n, 0n, '#GP(0)'],
  ['a PCID with CR4.PCIDE clear, type 0', 0, 1n, 0n, 0n, '#GP(0)'],
  ['a PCID with CR4.PCIDE clear, type 1', 1, 1n, 0n, 0n, '#GP(0)'],
  ['a PCID with CR4.PCIDE clear, type 2', 2, 1n, 0n, 0n, 'ok'],
  ['a PCID with CR4.PCIDE set', 0, 1n, 0n, PCIDE, 'ok'],
  // This CPU has LA57, so 57 bits count although CR4.LA57 is clear.
  ['canonical in 57 bits only', 0, 0n, 0x800000000000n, 0n, 'ok'],
  ['not canonical, type 0', 0, 0n, 1n << 60n, 0n, '#GP(0)'],
  ['not canonical, type 1', 1, 0n, 1n << 60n, 0n, 'ok'],
] as const)
  test(`INVPCID, ${title}: ${expected}`, () => {
    const made = lab(cr4);
    made.put(DATA, descriptor, 8);
    made.put(DATA + 8n, linear, 8);
    assert.equal(outcomeText(made.run(invpcid(type))), expected);
  });

test('INVPCID: #UD where CPUID lacks it, in its register form and with LOCK; #GP(0) at CPL 3', () => {
  assert.equal(outcomeText(new Lab({ mode: 'long' }).run('660f38822e')), '#UD');
  assert.equal(outcomeText(lab().run('660f3882ee')), '#UD');
  assert.equal(outcomeText(lab().run('f0660f38822e')), '#UD');
  assert.equal(outcomeText(lab().run('0f38822e')), '#UD');
  const user = lab();
  user.segment('cs', { selector: 0x33, attributes: 0xa0fb }).segment('ss', { attributes: 0xc0f3 });
  assert.equal(outcomeText(user.run(invpcid(3))), '#GP(0)');
});

test('INVLPG drops a large page whole, and no other', () => {
  for (const [invalidate, expected] of [
    ['0f013e', NEW], // [rsi]: the same 2 MiB page, another 4 KiB of it
    ['0f013f', OLD], // [rdi]: elsewhere
  ] as const) {
    const made = lab();
    // Linear 2 MiB to 4 MiB: a large page on 0, later on 2 MiB.
    const directory = TABLES + 0x3008n;
    made.put(directory, 0x87n, 8);
    made.put(0x123450n, OLD, 4);
    made.put(0x323450n, NEW, 4);
    made.set({ rsi: 0x200000n, rdi: directory, rbx: 0x200087n });
    // mov ecx,[0x323450]; mov [rdi],rbx; invlpg; mov edx,[0x323450]
    const { state } = made.run(`8b0c2550343200 48891f ${invalidate} 8b142550343200`);
    assert.deepEqual([state.general.rcx, state.general.rdx], [OLD, expected]);
  }
});

test('a store through an entry that a load has cached walks again and sets D; the next store does not', () => {
  const made = lab();
  // load, store, look at the entry; clear A and D in memory and store again: nobody looks.
  const { state } = made.run(`${READ_IT} 890e 8b17 48c70707b00000 890e`);
  assert.equal(state.general.rdx & 0x60n, 0x60n);
  assert.equal(made.get(made.entryOf(PAGE), 8), PAGE | 7n);
});

test('a not-present entry is never cached: the handler of the fault sets P and needs no INVLPG', () => {
  const made = lab();
  made.put(made.entryOf(PAGE), 0n, 8);
  made.put(IDT + 14n * 16n, (0x8e00n << 32n) | (BigInt(SELECTOR.code64) << 16n) | 0x8800n, 8);
  // mov [rdi],rbx; add rsp,8; iretq
  made.core.write(0x8800n, Uint8Array.from(bytesOf('48891f 4883c408 48cf')));
  made.set({}, { idtr: { base: IDT, limit: 0xfff } });
  assert.equal(made.run('8b16').state.general.rdx, NEW);
});

test('raising rights needs no INVLPG: the fault walks again', () => {
  const made = lab();
  made.put(made.entryOf(PAGE), PAGE | 5n, 8);
  // load through the read-only entry; make it writable; store.
  made.set({ rbx: PAGE | 7n });
  assert.equal(outcomeText(made.run(`${READ_IT} ${REMAP} 890e`)), 'ok');
});

/** Rights that depend on control bits are never taken from an entry made under others. */
for (const [title, cr0, change, entry, use, expected] of [
  ['CR0.WP is set', 0x80000031n, '0f20c0 480fbae810 0f22c0', PAGE | 1n, '890e', '#PF(3)'],
  [
    'EFER.NXE is cleared',
    0x80010031n,
    'b9800000c0 0f32 0fbaf00b 0f30',
    PAGE | 7n | (1n << 63n),
    '8b16',
    '#PF(9)',
  ],
] as const)
  test(`${title}: what was cached before no longer counts`, () => {
    const made = lab();
    made.put(made.entryOf(PAGE), entry, 8);
    made.set({}, { cr0 });
    const outcome = made.run(use + change + use);
    assert.equal(outcomeText(outcome), expected);
    assert.ok((outcome.fault?.state.rip ?? 0n) > 0x8002n, 'the first access went through');
  });

test('STAC and CLAC take effect at once under SMAP, for loads and stores', () => {
  const made = lab(1n << 21n);
  for (const page of [0x8000n, 0x7000n]) made.put(made.entryOf(page), page | 3n, 8);
  const outcome = made.run('0f01cb 8b06 8906 0f01ca 8b06');
  assert.equal(outcomeText(outcome), '#PF(1)');
  assert.equal(outcome.fault?.state.rip, 0x800an);
});
