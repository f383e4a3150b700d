/** What the builder of page tables refuses, and where it puts the tables. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPageTables, pageSizes, type PageRun, type Paging } from '../../../server/src/x86/pageTables';

const MIB2 = 0x200000n;
const run = (change: Partial<PageRun> = {}): PageRun => ({
  linear: 0n,
  physical: 0n,
  length: 4096n,
  pageSize: 4096n,
  leaf: 3n,
  upper: 3n,
  ...change,
});

function built(paging: Paging, ...runs: PageRun[]) {
  const tables = buildPageTables(paging, runs, 0x9000n);
  if ('problem' in tables) throw new Error(tables.problem);
  return tables;
}

const entry = (bytes: Uint8Array, index: number) => new DataView(bytes.buffer).getBigUint64(8 * index, true);

test('the root comes first, the other tables in the order in which the runs need them', () => {
  const tables = built('4-level', run({ linear: 1n << 39n }), run({ linear: MIB2 }), run());
  assert.deepEqual(
    tables.map(({ level, at }) => `${level} ${at.toString(16)}`),
    ['pml4 9000', 'pdpt a000', 'pd b000', 'pt c000', 'pdpt d000', 'pd e000', 'pt f000', 'pt 10000'],
  );
});

test('the run that needs a table first says what the entry above it allows', () => {
  const tables = built('4-level', run({ upper: 1n }), run({ linear: MIB2, upper: 7n }));
  assert.equal(entry(tables[0]!.bytes, 0), 0xa001n);
  assert.equal(entry(tables[2]!.bytes, 0), 0xc001n);
  assert.equal(entry(tables[2]!.bytes, 1), 0xd007n);
});

test('page sizes by kind of paging', () => {
  assert.deepEqual(pageSizes('32-bit'), [4096n, 0x400000n]);
  assert.deepEqual(pageSizes('pae'), [4096n, MIB2]);
  assert.deepEqual(pageSizes('4-level'), [4096n, MIB2, 1n << 30n]);
});

test('a run that cannot be mapped is named with the reason', () => {
  const refused: readonly [Paging, PageRun[], number, RegExp][] = [
    [
      'pae',
      [run({ pageSize: 1n << 30n, length: 1n << 30n })],
      0,
      /pae paging has pages of 0x1000 and 0x200000 bytes/,
    ],
    [
      '4-level',
      [run({ physical: 0x1800n })],
      0,
      /physical address 0x1800 is no multiple of its page size 0x1000/,
    ],
    ['4-level', [run({ length: 0n })], 0, /maps nothing/],
    ['32-bit', [run({ linear: 1n << 32n })], 0, /not all within the 32-bit linear addresses/],
    ['4-level', [run({ linear: 0x7ffffffff000n, length: 8192n })], 0, /48-bit linear/],
    ['32-bit', [run({ physical: 1n << 32n })], 0, /more than the 32 bits/],
    ['32-bit', [run({ leaf: 3n | (1n << 63n) })], 0, /no NX/],
    ['4-level', [run(), run({ physical: 0x1000n })], 1, /mapped twice, by the entries 0x3 and 0x1003/],
    ['4-level', [run(), run({ pageSize: MIB2, length: MIB2 })], 1, /0x0 is mapped by smaller pages, too/],
    ['4-level', [run({ pageSize: MIB2, length: MIB2 }), run()], 1, /0x0 is mapped by a larger page, too/],
    ['4-level', [run({ length: 1n << 40n })], 0, /268435456 pages to map, more than the 4194304/],
  ];
  for (const [paging, runs, index, message] of refused) {
    const tables = buildPageTables(paging, runs, 0x9000n);
    assert.ok('problem' in tables, String(message));
    assert.equal(tables.run, index);
    assert.match(tables.problem, message);
  }
});

test('the same page twice is one page', () => {
  assert.equal(built('4-level', run(), run()).length, 4);
});
