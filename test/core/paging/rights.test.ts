/** Page walks: rights, reserved bits, A and D, error codes (SDM vol. 3, 4.3 to 4.8). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, DATA, Lab, SELECTOR, TABLES, outcomeText, type LabMode } from '../lab';
import { testProfile } from '../oracle/profile';

const PAGE = 0xb000n;
const READ = '8b06'; // mov eax, [rsi]
const WRITE = '8906';

/** Ring 3 with code and data that reach everything. */
function user(lab: Lab): Lab {
  const long = lab.mode === 'long';
  lab.segment('cs', { selector: SELECTOR.user32 | 3, attributes: long ? 0xa0fb : 0xc0fb });
  return lab.segment('ss', { selector: SELECTOR.userData | 3, attributes: 0xc0f3 });
}

interface Case {
  readonly title: string;
  readonly entry: bigint;
  readonly code: string;
  readonly expect: string;
  readonly ring3?: boolean;
  readonly cr0?: bigint;
  readonly cr4?: bigint;
  readonly efer?: bigint;
  readonly rflags?: bigint;
  readonly modes?: readonly LabMode[];
}
const ALL: readonly LabMode[] = ['paging-32', 'pae', 'long'];
const FULL = testProfile({ features: { smep: true, smap: true } });
const SMEP = 1n << 20n;
const SMAP = 1n << 21n;
const NO_NX = 0x500n;

const CASES: readonly Case[] = [
  { title: 'not present, read', entry: 0n, code: READ, expect: '#PF(0)' },
  { title: 'not present, write', entry: 0n, code: WRITE, expect: '#PF(2)' },
  { title: 'not present, user read', entry: 0n, code: READ, ring3: true, expect: '#PF(4)' },
  { title: 'not present, user write', entry: 0n, code: WRITE, ring3: true, expect: '#PF(6)' },
  { title: 'supervisor page, user read', entry: PAGE | 3n, code: READ, ring3: true, expect: '#PF(5)' },
  { title: 'read-only page, user write', entry: PAGE | 5n, code: WRITE, ring3: true, expect: '#PF(7)' },
  { title: 'read-only page, supervisor write with WP', entry: PAGE | 1n, code: WRITE, expect: '#PF(3)' },
  {
    title: 'read-only page, supervisor write without WP',
    entry: PAGE | 1n,
    code: WRITE,
    cr0: 0x80000031n,
    expect: 'ok',
  },
  { title: 'user page, supervisor read', entry: PAGE | 7n, code: READ, expect: 'ok' },
  {
    title: 'user page, supervisor read with SMAP',
    entry: PAGE | 7n,
    code: READ,
    cr4: SMAP,
    expect: '#PF(1)',
  },
  {
    title: 'user page, supervisor write with SMAP',
    entry: PAGE | 7n,
    code: WRITE,
    cr4: SMAP,
    expect: '#PF(3)',
  },
  {
    title: 'user page, SMAP with AC',
    entry: PAGE | 7n,
    code: READ,
    cr4: SMAP,
    rflags: 0x40002n,
    expect: 'ok',
  },
  {
    title: 'XD page, data read',
    entry: PAGE | 7n | (1n << 63n),
    code: READ,
    modes: ['pae', 'long'],
    efer: 0x800n,
    expect: 'ok',
  },
  {
    title: 'XD without NXE is reserved',
    entry: PAGE | 7n | (1n << 63n),
    code: READ,
    modes: ['long'],
    efer: NO_NX,
    expect: '#PF(9)',
  },
  {
    title: 'above MAXPHYADDR',
    entry: PAGE | 7n | (1n << 40n),
    code: READ,
    modes: ['pae', 'long'],
    expect: '#PF(9)',
  },
  { title: 'bit 52 in PAE', entry: PAGE | 7n | (1n << 52n), code: READ, modes: ['pae'], expect: '#PF(9)' },
  {
    title: 'bit 52 in 4-level paging',
    entry: PAGE | 7n | (1n << 52n),
    code: READ,
    modes: ['long'],
    expect: 'ok',
  },
];

for (const { title, entry, code, expect, ring3, cr0, cr4, efer, rflags, modes } of CASES)
  for (const mode of modes ?? ALL)
    test(`${title} (${mode}): ${expect}`, () => {
      const lab = new Lab({ mode, profile: FULL }).set({ rsi: PAGE });
      lab.put(lab.entryOf(PAGE), entry, mode === 'paging-32' ? 4 : 8);
      // Everything the code itself needs belongs to the supervisor, so that SMAP and SMEP leave it alone.
      if (cr4 !== undefined)
        for (const page of [CODE, 0x7000n])
          lab.put(lab.entryOf(page), page | 3n, mode === 'paging-32' ? 4 : 8);
      const state = lab.core.state(0);
      lab.set(
        {},
        {
          cr0: cr0 ?? state.cr0,
          cr4: state.cr4 | (cr4 ?? 0n),
          efer:
            efer === undefined
              ? state.efer
              : mode === 'pae'
                ? efer
                : efer === NO_NX
                  ? NO_NX
                  : state.efer | efer,
          rflags: rflags ?? 2n,
        },
      );
      if (ring3) user(lab);
      const outcome = lab.run(code + (ring3 ? 'ebfe' : ''), 50);
      assert.equal(outcomeText(outcome), expect);
      if (expect !== 'ok') assert.equal(outcome.fault?.cr2, PAGE);
    });

/** Fetches: the code page itself is changed. */
for (const [title, entry, options, expect] of [
  ['XD', CODE | 7n | (1n << 63n), {}, '#PF(11)'],
  ['user page with SMEP', CODE | 7n, { cr4: SMEP }, '#PF(11)'],
  ['not present, no NX and no SMEP', 0n, { efer: NO_NX }, '#PF(0)'],
  ['not present, with NX', 0n, {}, '#PF(10)'],
  ['supervisor page at CPL 3', CODE | 3n, { ring3: true }, '#PF(15)'],
] as const)
  test(`fetch, ${title}: ${expect}`, () => {
    const lab = new Lab({ mode: 'long', profile: FULL });
    lab.put(lab.entryOf(CODE), entry, 8);
    const state = lab.core.state(0);
    lab.set(
      {},
      {
        cr4: state.cr4 | ('cr4' in options ? options.cr4 : 0n),
        efer: 'efer' in options ? options.efer : state.efer,
      },
    );
    if ('ring3' in options) user(lab);
    assert.equal(outcomeText(lab.run('90')), expect);
  });

test('A in all levels, D in the leaf on a write only', () => {
  const lab = new Lab({ mode: 'long' }).set({ rsi: PAGE });
  const top = [TABLES, TABLES + 0x2000n, TABLES + 0x3000n];
  lab.run(READ);
  assert.equal(lab.get(lab.entryOf(PAGE), 8), PAGE | 0x27n);
  for (const table of top) assert.equal(lab.get(table, 8) & 0x60n, 0x20n);
  lab.core.setActivity(0, 'running');
  lab.set({ rsi: PAGE }, { rip: CODE }).run(WRITE);
  assert.equal(lab.get(lab.entryOf(PAGE), 8), PAGE | 0x67n);
});

test('a write through an entry that was cached by a read sets D', () => {
  const lab = new Lab({ mode: 'long' }).set({ rsi: PAGE });
  lab.run(READ + WRITE);
  assert.equal(lab.get(lab.entryOf(PAGE), 8), PAGE | 0x67n);
});

test('a fault on rights sets neither D nor the leaf’s A', () => {
  const lab = new Lab({ mode: 'long' }).set({ rsi: PAGE });
  lab.put(lab.entryOf(PAGE), PAGE | 1n, 8);
  lab.run(WRITE);
  assert.equal(lab.get(lab.entryOf(PAGE), 8), PAGE | 1n);
});

test('4 MiB pages by PSE, ignored without it', () => {
  for (const [cr4, expected] of [
    [0x10n, 'ok'],
    [0n, '#PF(0)'],
  ] as const) {
    const lab = new Lab({ mode: 'paging-32' }).set({ rsi: 0x400000n }, { cr4 });
    // Linear 4 MiB maps onto physical 0; without PSE the entry is a table at 0, whose entries are absent.
    lab.put(TABLES + 4n, 0x87, 4);
    assert.equal(outcomeText(lab.run(READ)), expected);
  }
});

test('bit 21 of a 4 MiB entry is reserved', () => {
  const lab = new Lab({ mode: 'paging-32' }).set({ rsi: 0x400000n }, { cr4: 0x10n });
  lab.put(TABLES + 4n, 0x200087, 4);
  assert.equal(outcomeText(lab.run(READ)), '#PF(9)');
});

test('2 MiB pages: address and reserved bits', () => {
  const lab = new Lab({ mode: 'long' }).set({ rsi: 0x200000n + DATA });
  lab.put(TABLES + 0x3008n, 0x87, 8);
  lab.put(DATA, 0x1234, 4);
  assert.equal(lab.run(READ).state.general.rax, 0x1234n);
  const wrong = new Lab({ mode: 'long' }).set({ rsi: 0x200000n });
  wrong.put(TABLES + 0x3008n, 0x2087, 8);
  assert.equal(outcomeText(wrong.run(READ)), '#PF(9)');
});

test('1 GiB pages exist where CPUID says so, else PS is reserved', () => {
  for (const [pages1g, expected] of [
    [true, 'ok'],
    [false, '#PF(9)'],
  ] as const) {
    const lab = new Lab({ mode: 'long', profile: testProfile({ features: { pages1g } }) });
    lab.put(TABLES + 0x2008n, 0x87, 8);
    assert.equal(outcomeText(lab.set({ rsi: (1n << 30n) + DATA }).run(READ)), expected);
  }
});

test('PS in a PML4 entry is reserved', () => {
  const lab = new Lab({ mode: 'long' }).set({ rsi: 1n << 39n });
  lab.put(TABLES + 8n, (TABLES + 0x2000n) | 0x87n, 8);
  assert.equal(outcomeText(lab.run(READ)), '#PF(9)');
});

test('U/S and R/W are ANDed over the levels', () => {
  const lab = new Lab({ mode: 'long' }).set({ rsi: PAGE });
  lab.put(TABLES + 0x3000n, (TABLES + 0x4000n) | 5n, 8);
  assert.equal(outcomeText(lab.run(WRITE)), '#PF(3)');
});

test('A20 off folds the odd megabytes down', () => {
  const lab = new Lab({ mode: 'protected-32' }).set({ rsi: 0x100000n + DATA });
  lab.put(DATA, 0x55, 1);
  lab.put(0x100000n + DATA, 0xaa, 1);
  lab.core.setA20(false);
  assert.equal(lab.run('8a06').state.general.rax & 0xffn, 0x55n);
  const on = new Lab({ mode: 'protected-32' }).set({ rsi: 0x100000n + DATA });
  on.put(0x100000n + DATA, 0xaa, 1);
  assert.equal(on.run('8a06').state.general.rax & 0xffn, 0xaan);
});

test('page tables in ROM are walked, and their A bits stay as they are', () => {
  const writes: bigint[] = [];
  const lab = new Lab({ mode: 'long', bus: { writeMmio: (address) => void writes.push(address) } });
  lab.core.map(TABLES, TABLES + 0x6000n, 'rom');
  assert.equal(outcomeText(lab.set({ rsi: PAGE }).run(READ)), 'ok');
  assert.deepEqual(writes, []);
  assert.equal(lab.get(lab.entryOf(PAGE), 8), PAGE | 7n);
});
