/** What the CPU itself reads and writes: descriptors, page tables in odd places, the CR3 of a new task (SDM vol. 3, 4.6.1). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DATA, GDT, Lab, SELECTOR, TABLES, TSS, bytesOf, outcomeText } from '../lab';
import { testProfile } from '../oracle/profile';
import { pagingProfile } from './machine';

const CPU = { width: 40, amd: false, pages1g: false, pse36: true };

/** A data segment that nobody has loaded yet: its load writes the accessed bit into the GDT. */
for (const [title, cr0, ring3, expected] of [
  ['WP set', 0x80010031n, false, '#PF(3)'],
  ['WP clear', 0x80000031n, false, 'ok'],
  // Supervisor mode whatever the CPL is: U is clear in the error code.
  ['WP set, at CPL 3', 0x80010031n, true, '#PF(3)'],
  ['WP clear, at CPL 3', 0x80000031n, true, 'ok'],
] as const)
  test(`the accessed bit of a descriptor in a read-only page, ${title}: ${expected}`, () => {
    const lab = new Lab({ mode: 'paging-32' }).set({ rax: BigInt(SELECTOR.spare) }, { cr0 });
    lab.put(GDT + BigInt(SELECTOR.spare), 0x00cff2000000ffffn, 8);
    lab.put(lab.entryOf(GDT), GDT | 1n, 4);
    if (ring3) {
      lab.segment('cs', { selector: SELECTOR.user32 | 3, attributes: 0xc0fb });
      lab.segment('ss', { selector: SELECTOR.userData | 3, attributes: 0xc0f3 });
    }
    // mov ds, ax
    const outcome = lab.run(`8ed8 ${ring3 ? 'ebfe' : ''}`, 50);
    assert.equal(outcomeText(outcome).replace('deadline', 'ok'), expected);
    if (expected !== 'ok') assert.equal(outcome.fault?.cr2, GDT + BigInt(SELECTOR.spare) + 5n);
    else assert.equal(lab.get(GDT + BigInt(SELECTOR.spare) + 5n, 1), 0xf3n);
  });

test('a descriptor table on a user page under SMAP: AC does not help an implicit access', () => {
  const lab = new Lab({ mode: 'long', profile: pagingProfile(CPU) }).set({ rax: BigInt(SELECTOR.data) });
  lab.put(lab.entryOf(0x8000n), 0x8003n, 8);
  lab.set({}, { cr4: 0x20n | (1n << 21n), rflags: 0x40002n });
  const outcome = lab.run('8ed8');
  assert.equal(outcomeText(outcome), '#PF(1)');
  assert.equal(outcome.fault?.cr2, GDT + BigInt(SELECTOR.data));
});

test('a page table in device memory is read from the bus, and gets A and D there', () => {
  const entry = DATA | 7n;
  const written: [bigint, number, bigint][] = [];
  const lab = new Lab({
    mode: 'long',
    bus: {
      readMmio: (address) => (address === 0x800048n ? entry : 0n),
      writeMmio: (address, size, value) => void written.push([address, size, value]),
    },
  }).set({ rsi: 0x200000n + DATA });
  lab.put(TABLES + 0x3008n, 0x800007n, 8);
  assert.equal(outcomeText(lab.run('8906')), 'ok');
  assert.deepEqual(written, [[0x800048n, 8, entry | 0x60n]]);
  assert.equal(lab.get(DATA, 4), lab.core.state(0).general.rax & 0xffffffffn);
});

/** SDM vol. 3, 4.4.1: a task switch that changes CR3 loads the PDPTE registers. */
for (const [title, pdpte, expected] of [
  ['legal', TABLES + 0x3001n, 'ok'],
  ['with a reserved bit', TABLES + 0x3003n, '#GP(0)'],
] as const)
  test(`a task switch under PAE to a table whose second entry is ${title}: ${expected}`, () => {
    const tss = 0x3200n;
    const lab = new Lab({ mode: 'pae' });
    lab.put(GDT + BigInt(SELECTOR.spare), 0x0000890032000067n, 8);
    lab.put(TABLES + 0x20n, TABLES + 0x3001n, 8);
    lab.put(TABLES + 0x28n, pdpte, 8);
    lab.put(tss + 28n, TABLES + 0x20n, 4);
    lab.put(tss + 32n, 0x8800n, 4);
    lab.put(tss + 36n, 2n, 4);
    lab.put(tss + 76n, SELECTOR.code32, 4);
    for (const offset of [72n, 80n, 84n, 88n, 92n]) lab.put(tss + offset, SELECTOR.data, 4);
    // mov edx, [1 GiB + DATA]
    lab.core.write(0x8800n, Uint8Array.from(bytesOf('8b1500900040 f4')));
    lab.put(DATA, 0x4321, 4);
    lab.set({});
    // jmp spare:0
    const outcome = lab.run('ea000000005000');
    assert.equal(outcomeText(outcome), expected);
    if (expected === 'ok') assert.equal(outcome.state.general.rdx, 0x4321n);
  });

test('LGDT and LIDT check the widest form of the CPU, whatever CR4.LA57 says', () => {
  for (const [base, profile, expected] of [
    [0x0080000000000000n, pagingProfile(CPU), 'ok'],
    [0x0100000000000000n, pagingProfile(CPU), '#GP(0)'],
    [0x0080000000000000n, undefined, '#GP(0)'],
  ] as const)
    for (const code of ['0f0116', '0f011e']) {
      const lab = new Lab({ mode: 'long', ...(profile ? { profile } : {}) }).set({ rsi: DATA });
      lab.put(DATA + 2n, base, 8);
      assert.equal(outcomeText(lab.run(code)), expected, `${code} of 0x${base.toString(16)}`);
    }
});

test('WRFSBASE and WRGSBASE do so too', () => {
  for (const [value, wide, expected] of [
    [0x0080000000000000n, true, 'ok'],
    [0x0100000000000000n, true, '#GP(0)'],
    [0x0080000000000000n, false, '#GP(0)'],
  ] as const)
    for (const code of ['f3480faed0', 'f3480faed8']) {
      const profile = testProfile({ with: wide ? ['FSGSBASE', 'LA57'] : ['FSGSBASE'] });
      const lab = new Lab({ mode: 'long', profile }).set({ rax: value }, { cr4: 0x10020n });
      assert.equal(outcomeText(lab.run(code)), expected, `${code} of 0x${value.toString(16)}`);
    }
});

test('a task switch to a TSS whose descriptor cannot be marked busy changes nothing of the old task', () => {
  // The table lies over the end of a page: the new descriptor is the first of the next one, which is read-only.
  const table = DATA - 0x60n;
  const lab = new Lab({ mode: 'paging-32' });
  for (let offset = 0n; offset < 0x60n; offset += 8n) lab.put(table + offset, lab.get(GDT + offset, 8), 8);
  lab.put(table + BigInt(SELECTOR.tss) + 5n, 0x8b, 1);
  lab.put(table + 0x60n, 0x0000890032000067n, 8);
  lab.put(lab.entryOf(DATA), DATA | 1n, 4);
  lab.set({}, { gdtr: { base: table, limit: 0x6f } });
  // jmp 0x60:0
  const outcome = lab.run('ea000000006000');
  assert.equal(outcomeText(outcome), '#PF(3)');
  assert.equal(outcome.fault?.cr2, DATA + 5n);
  assert.equal(lab.get(table + BigInt(SELECTOR.tss) + 5n, 1), 0x8bn);
  for (let offset = 32n; offset < 96n; offset += 4n) assert.equal(lab.get(TSS + offset, 4), 0n);
});
