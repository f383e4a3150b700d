/** Page tables of a boot plan: where they lie, what their entries hold, and mappings that they cannot hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findings, read, told } from './read';

const plan = (map: string, mode = '4-level', tables = '0x9000') =>
  `[paging]\nmode = "${mode}"\ntables = ${tables}\n[[map]]\n${map}\n[[vcpu]]\n`;

function tables(text: string): { name: string; at: string; bytes: Uint8Array }[] {
  const document = read(text);
  const names = document.machines[0]!.boot!.structures.filter(({ kind }) => kind === 'page-tables');
  return document.plan.structures.map(({ address, bytes }, index) => ({
    name: names[index]!.name,
    at: address.toString(16),
    bytes,
  }));
}

const entry = (bytes: Uint8Array, index: number) =>
  new DataView(bytes.buffer).getBigUint64(8 * index, true).toString(16);

test('the first GiB in 2 MiB pages is what Firecracker, libkrun and Cloud Hypervisor write', () => {
  const [pml4, pdpt, directory, ...others] = tables(plan('linear = 0\nsize = "1G"'));
  assert.deepEqual(others, []);
  assert.deepEqual([pml4!.at, pdpt!.at, directory!.at], ['9000', 'a000', 'b000']);
  assert.deepEqual([pml4!.name, pdpt!.name, directory!.name], ['PML4', 'PDPT', 'page directory']);
  assert.equal(entry(pml4!.bytes, 0), 'a003');
  assert.equal(entry(pdpt!.bytes, 0), 'b003');
  for (const index of [0, 1, 511]) {
    assert.equal(entry(directory!.bytes, index), ((BigInt(index) << 21n) | 0x83n).toString(16));
  }
});

test('tables go where the list says, then on behind its last', () => {
  const found = tables(plan('linear = 0\nsize = "4K"', '4-level', '[0x9000, 0x20000]'));
  assert.deepEqual(
    found.map(({ at }) => at),
    ['9000', '20000', '21000', '22000'],
  );
});

test('a PDPT of PAE paging takes 32 bytes, and its entries have no rights', () => {
  const [pdpt, directory] = tables(plan('linear = 0xc0000000\nsize = "2M"', 'pae', '0x9020'));
  assert.equal(pdpt!.bytes.length, 32);
  assert.equal(entry(pdpt!.bytes, 3), 'a001');
  assert.equal(directory!.at, 'a000');
});

test('rights of leaves and of the entries above', () => {
  const [pml4, pdpt, directory, leaves] = tables(
    plan('linear = 0\nphysical = 0x5000\nsize = "8K"\npermissions = "r--"\nuser = true\nglobal = true'),
  );
  assert.equal(entry(leaves!.bytes, 0), '8000000000005105');
  assert.equal(entry(leaves!.bytes, 1), '8000000000006105');
  // Without a word of them they take no right away.
  assert.deepEqual(
    [pml4, pdpt, directory].map((table) => entry(table!.bytes, 0)),
    ['a007', 'b007', 'c007'],
  );
  const [root] = tables(plan('linear = 0\nsize = "4K"\nupper = { permissions = "r-x" }'));
  assert.equal(entry(root!.bytes, 0), 'a001');
});

test('the entries of one level may have rights of their own', () => {
  const values = (upper: string) =>
    tables(plan(`linear = 0\nsize = "2M"\nuser = true\nupper = ${upper}`))
      .slice(0, 2)
      .map(({ bytes }) => entry(bytes, 0));
  // As vmd had them for ELF64 kernels.
  assert.deepEqual(values('{ pml4e = { permissions = "r-x", user = false } }'), ['a001', 'b007']);
  assert.deepEqual(values('{ permissions = "r-x", pdpte = { user = false } }'), ['a005', 'b003']);
});

test('an entry without RW above writable leaves is on the Machine', () => {
  const text = plan('linear = 0\nsize = "2M"\nupper = { permissions = "r-x" }');
  const [mapping] = read(text).machines[0]!.mappings!;
  assert.deepEqual(
    [mapping!.writable, mapping!.readOnlyAbove!.level, mapping!.readOnlyAbove!.value],
    [true, 'PML4E', 0xa001n],
  );
  assert.equal(read(plan('linear = 0\nsize = "2M"')).machines[0]!.mappings![0]!.readOnlyAbove, undefined);
});

test('the page size is the largest that fits, but for 1 GiB, which not every processor has', () => {
  const cases: readonly [string, string, bigint][] = [
    ['linear = 0\nsize = "1G"', '4-level', 0x200000n],
    ['linear = 0\nsize = "1G"\npage = "1G"', '4-level', 1n << 30n],
    ['linear = 0\nsize = "6M"', '4-level', 0x200000n],
    ['linear = 0\nsize = "3M"', '4-level', 0x1000n],
    ['linear = 0\nphysical = 0x1000\nsize = "4M"', '4-level', 0x1000n],
    ['linear = 0\nsize = "8M"', '32-bit', 0x400000n],
    ['linear = 0\nsize = "6M"', '32-bit', 0x1000n],
  ];
  for (const [map, mode, page] of cases) {
    assert.equal(read(plan(map, mode)).plan.paging!.mappings[0]!.page, page, map);
  }
});

test('a mapping that cannot be written is told at its address, with the reason', () => {
  const cases: readonly [string, string, string, RegExp][] = [
    ['linear = 0\nsize = "512M"\npage = "1G"', '4-level', '0', /size 0x20000000 is no multiple of 1 GiB/],
    [
      'linear = 0\nsize = "4M"\npage = "4M"',
      '4-level',
      '0',
      /4-level paging has no pages of 4 MiB: it has 4 KiB, 2 MiB, 1 GiB/,
    ],
    ['linear = 0\nsize = "1G"\npage = "1G"', 'pae', '0', /PAE paging has no pages of 1 GiB/],
    ['linear = 0x1800\nsize = "4K"', '4-level', '0x1800', /linear address 0x1800 is no multiple of 4 KiB/],
    ['linear = "0x800000000000"\nsize = "4K"', '4-level', '"0x800000000000"', /not canonical/],
    ['linear = "0x7ffffffff000"\nsize = "8K"', '4-level', '"0x7ffffffff000"', /not canonical/],
    ['linear = "4G"\nphysical = 0\nsize = "4K"', 'pae', '"4G"', /beyond the 4 GiB/],
    ['linear = 0\nphysical = "4G"\nsize = "4K"', '32-bit', '0', /32 bits of a physical address/],
    ['linear = 0\nphysical = "1024G"\nsize = "4M"', '32-bit', '0', /40 bits of a physical address/],
    ['linear = 0\nsize = "4K"\npermissions = "rw-"', '32-bit', '0', /no NX bit/],
    ['linear = 0\nsize = 0', '4-level', '0', /size is 0/],
    ['linear = "0xfffffffffffff000"\nsize = "8K"', '4-level', '"8K"', /beyond the 64-bit address space/],
    ['linear = 0\nsize = "1024G"\npage = "4K"', '4-level', '0', /more than 4096 page tables/],
  ];
  for (const [map, mode, at, message] of cases) {
    const text = plan(map, mode);
    assert.deepEqual(told(text), [`boot-plan-page-tables: ${at}`], map);
    assert.match(findings(text)[0]!.message, message);
  }
});

test('the upper half and 5 levels are canonical too', () => {
  assert.deepEqual(told(plan('linear = "0xffffffff80000000"\nphysical = 0\nsize = "1G"')), []);
  assert.deepEqual(told(plan('linear = "0xff00000000000000"\nphysical = 0\nsize = "2M"', '5-level')), []);
  assert.deepEqual(told(plan('linear = 0\nphysical = "512G"\nsize = "4M"', '32-bit')), []);
});

test('a linear address that is mapped twice is told with the other mapping', () => {
  const text = plan('linear = 0\nsize = "4M"\n[[map]]\nlinear = 0x200000\nphysical = 0\nsize = "2M"');
  assert.deepEqual(told(text), ['boot-plan-page-tables: 0x200000']);
  const [finding] = findings(text);
  assert.equal(finding!.related![0]!.message, 'The other mapping.');
  // The first one stays.
  assert.equal(read(text).plan.structures.length, 3);
});

test('entries that two mappings share have one set of rights', () => {
  const shared = plan(
    'linear = 0\nsize = "2M"\nupper = { permissions = "r-x" }\n[[map]]\nlinear = 0x200000\nsize = "2M"\nupper = { permissions = "rwx" }',
  );
  assert.deepEqual(told(shared), ['boot-plan-page-tables: 0x200000']);
  const apart = plan(
    'linear = 0\nsize = "2M"\nupper = { permissions = "r-x" }\n[[map]]\nlinear = 0x200000\nsize = "2M"',
  );
  assert.deepEqual(told(apart), []);
});

test('tables that start where CR3 and entries have no bits, or in one place', () => {
  assert.deepEqual(told(plan('linear = 0\nsize = "2M"', '4-level', '0x9010')), [
    'boot-plan-page-tables: 0x9010',
  ]);
  assert.deepEqual(told(plan('linear = 0\nsize = "2M"', 'pae', '0x9010')), ['boot-plan-page-tables: 0x9010']);
  assert.deepEqual(told(plan('linear = 0\nsize = "2M"', '4-level', '[0x9000, 0x9000]')), [
    'boot-plan-page-tables: [0x9000, 0x9000]',
  ]);
});

test('a mapping without [paging] is of no use', () => {
  assert.deepEqual(told('[[map]]\nlinear = 0\nsize = "2M"\n[[vcpu]]\n'), ['boot-plan-unused: [']);
});

test('CR3 is the top table where the plan does not say', () => {
  const [vcpu] = read(plan('linear = 0\nsize = "2M"')).plan.registers;
  assert.equal(vcpu!.control.cr3, 0x9000n);
  const [given] = read(`${plan('linear = 0\nsize = "2M"')}cr3 = 0x1000\n`).plan.registers;
  assert.equal(given!.control.cr3, 0x1000n);
});
