import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { runChecks } from '../../../server/src/checks/catalogue';
import { attributeNames, efiTypeNumber } from '../../../server/src/memory-map/efiTypes';
import { memmap } from '../../../server/src/memory-map/language';
import { fixture, parse, rowsOf } from './read';

test('a square bracket closes the range with its last byte', () => {
  const { machines, problems } = parse(fixture('efi-new.log'));
  assert.deepEqual(problems, []);
  assert.deepEqual(rowsOf(machines[0]!), [
    'ram [0x0, 0x1000) Boot Code',
    'ram [0x1000, 0xa0000) Conventional',
    'reserved [0x100000, 0x800000) Conventional',
    'nvs [0x800000, 0x808000) ACPI Mem NVS',
    'reserved [0x7f8ed000, 0x7fb6d000) Runtime Data',
    'reserved [0x7fb6d000, 0x7fb6e000) type=2147483648',
    'mmio [0xffc00000, 0x100000000) MMIO',
    'ram [0x100000000, 0x180000000) Unaccepted',
  ]);
});

test('a round bracket closes it with its end', () => {
  const { machines, problems } = parse(fixture('efi-old.log'));
  assert.deepEqual(problems, []);
  assert.deepEqual(rowsOf(machines[0]!), [
    'ram [0x0, 0x8000) type=3',
    'ram [0x8000, 0x4f000) type=7',
    'reserved [0x9f000, 0xa0000) type=0',
    'mmio [0xfed1c000, 0xfed20000) type=11',
  ]);
});

test('the bracket decides, not the wording: 3.19 to 4.5 had names and ends', () => {
  const line = (bracket: string): string =>
    `efi: mem00: [Conventional Memory|   |  |  |  |   |WB|WT|WC|UC] range=[0x0000000000001000-0x0000000000003000${bracket} (0MB)`;
  const end = (text: string): bigint => parse(text).machines[0]!.regions[0]!.range.end;
  assert.equal(end(line(')')), 0x3000n);
  assert.equal(end(line(']')), 0x3001n);
});

for (const name of ['uefi-shell.txt', 'lsefimmap.txt'])
  test(`${name} has last bytes`, () => {
    const text = fixture(name);
    assert.ok(memmap.recognise(text, name));
    const { machines, problems } = parse(text);
    assert.deepEqual(problems, []);
    assert.equal(machines.length, 1);
    const rows = rowsOf(machines[0]!);
    assert.match(rows[1]!, /^ram \[0x1000, 0xa0000\) /);
    assert.match(rows.at(-1)!, /^mmio \[0xffc00000, 0x100000000\) MMIO$/);
    assert.equal(rows.length, text.split('\n').filter((line) => /^\S+ .*[0-9a-f]{16}-/i.test(line)).length);
  });

test('kernels on other processors print a line without a number', () => {
  const { machines } = parse(
    '[    0.000000] efi: Processing EFI memory map:\n[    0.000000] efi:   0x000040000000-0x00004000ffff [Loader Code  |   |  |  |  |  |  |  |   |WB|WT|WC|UC]\n',
  );
  assert.deepEqual(rowsOf(machines[0]!), ['ram [0x40000000, 0x40010000) Loader Code']);
});

test('a truncated number of MB is never a size, and lines about the e820 map are no entries', () => {
  const [machine] = parse(fixture('efi-new.log')).machines;
  assert.equal(machine!.regions.length, 8);
  assert.ok(!machine!.regions.some(({ range }) => range.start === 0xe0000000n));
});

test('a map out of order is the firmware’s own and no finding', () => {
  const lines = fixture('efi-old.log').split('\n').slice(1, 4);
  const swapped = [lines[1], lines[0], lines[2]].map((line, index) =>
    line!.replace(/mem\d+/, `mem0${index}`),
  );
  assert.deepEqual(runChecks(parse(swapped.join('\n'))), []);
});

test('descriptors without a page are the firmware’s filling and no finding', () => {
  const document = parse(
    'EFI: mem00: type=7, attr=0xf, range=[0x0000000000000000-0x0000000000001000) (0MB)\n' +
      'EFI: mem01: type=0, attr=0x0, range=[0x0000000000000000-0x0000000000000000) (0MB)\n',
  );
  assert.deepEqual(document.problems, []);
  assert.equal(document.machines[0]!.regions.length, 1);
});

test('a second boot, whose numbers start over, is a second map', () => {
  const text = fixture('efi-new.log');
  assert.deepEqual(
    parse(text + text).machines.map(({ name, regions }) => [name, regions.length]),
    [
      ['EFI', 8],
      ['EFI (2)', 8],
    ],
  );
});

for (const [spelling, number] of [
  ['Conventional Memory', 7],
  ['conv-mem', 7],
  ['Available', 7],
  ['available', 7],
  ['ACPI_Recl', 9],
  ['ACPI-nvs', 10],
  ['MMIO_Port', 12],
  ['Memory Mapped I/O', 11],
  ['Unk 0e', 14],
  ['80000000', 0x80000000],
  ['type=15', 15],
  ['Something', null],
] as const)
  test(`"${spelling}" is type ${number}`, () => assert.equal(efiTypeNumber(spelling), number));

test('attributes are named as Linux names them', () =>
  assert.deepEqual(attributeNames(0x800000000004400fn), ['RUN', 'SP', 'XP', 'WB', 'WT', 'WC', 'UC']));
