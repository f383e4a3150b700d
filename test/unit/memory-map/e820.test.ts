import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { memmap } from '../../../server/src/memory-map/language';
import { fixture, parse, rowsOf } from './read';

const ENTRY = 'BIOS-e820: [mem 0x0000000000100000-0x00000000001fffff] usable';

for (const [what, text] of [
  ['journald', `Oct 31 20:09:54 host kernel: ${ENTRY}`],
  ['dmesg -T', `[Fri Nov 20 20:33:00 2026] ${ENTRY}`],
  ['ISO time', `2026-11-20T20:33:00,123456+00:00 ${ENTRY}`],
  ['the cpu column', `[    0.000000][    C0] ${ENTRY}`],
  ['a log level', `<6>[    0.000000] ${ENTRY}`],
  ['facility and level of dmesg -x', `kern  :info  : [    0.000000] ${ENTRY}`],
  ['a mail quote', `> > >> [    0.000000] ${ENTRY}`],
  ['a CI time', `2026-11-20T20:33:00.1234567Z [    0.000000] ${ENTRY}`],
  ['docker’s JSON', `{"log":"[    0.000000] ${ENTRY}\\r\\n","stream":"stdout"}`],
  ['a container’s name', `vm-1  | [    0.000000] ${ENTRY}`],
  [
    'colours of dmesg',
    `\u001b[32m[    0.000000] \u001b[0m\u001b[33mBIOS-e820:\u001b[0m [mem 0x0000000000100000-0x00000000001fffff] usable`,
  ],
  ['carriage returns', `[    0.000000] ${ENTRY}\r\r\n`],
  ['a mail that broke the line', ENTRY.replace(' usable', '  \n>  usable')],
] as const) {
  test(`an entry is read behind ${what}`, () => {
    assert.ok(memmap.recognise(text, 'x.log'));
    const { machines, problems } = parse(text);
    assert.deepEqual(problems, []);
    assert.deepEqual(rowsOf(machines[0]!), ['ram [0x100000, 0x200000) usable']);
  });
}

for (const who of ['BIOS-e820', 'BIOS-e801', 'BIOS-88', 'Xen', 'user', 'modified', 'extended', 'e820']) {
  test(`the map of ${who} is named after it`, () =>
    assert.equal(parse(`${who}: [mem 0x0000000000000000-0x000000000009ffff] usable`).machines[0]!.name, who));
}

test('the lines of reserve setup_data are the extended map, under its heading', () => {
  const { machines } = parse(
    'extended physical RAM map:\nreserve setup_data: [mem 0x0000000000000000-0x000000000009ffff] usable\n',
  );
  assert.deepEqual(
    machines.map(({ name }) => name),
    ['extended'],
  );
});

test('lines of the kernel that have the same prefix or brackets are no entries', () => {
  const text = [
    'e820: [mem 0xc0000000-0xfebfffff] available for PCI devices',
    'e820: last_pfn = 0x220000 max_arch_pfn = 0x400000000',
    '[gap 0xc0000000-0xfebfffff] available for PCI devices',
    'software IO TLB: mapped [mem 0x0000000082b68000-0x0000000086b68000] (64MB)',
    'reserve RAM buffer: 0000000000002000 - 000000000000ffff',
    'PM: Registered nosave memory: [mem 0x00000000-0x00000fff]',
  ].join('\n');
  assert.equal(memmap.recognise(text, 'x.log'), false);
  const { machines, problems } = parse(text);
  assert.deepEqual([machines, problems], [[], []]);
});

test('a size column and the dots of a gap line of 2025 are no part of the type', () => {
  const { machines } = parse(
    'BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff]  639   KB kernel usable RAM\n' +
      'BIOS-e820: [gap 0x00000000000a0000-0x00000000000effff]  320   KB ...\n' +
      'BIOS-e820: [mem 0x0000000000100000-0x000000007ffdbfff]    1.9 GB kernel usable RAM\n',
  );
  assert.deepEqual(rowsOf(machines[0]!), [
    'ram [0x0, 0x9fc00) kernel usable RAM',
    'hole [0xa0000, 0xf0000) gap',
    'ram [0x100000, 0x7ffdc000) kernel usable RAM',
  ]);
});

test('before 3.5 changes print their end, a RAM buffer its last byte, and a change of the saved copy is none', () => {
  const { machines, amended, outline } = parse(fixture('linux-3.4.log'));
  assert.deepEqual(rowsOf(machines[0]!), [
    'ram [0x0, 0x9f800) usable',
    'reserved [0x9f800, 0xa0000) reserved',
    'ram [0x100000, 0x3fff0000) usable',
    'reserved [0xd0000000, 0xd0001000) type 20',
  ]);
  const names = outline[0]!.children.map(({ name }) => name);
  assert.ok(names.includes('update [0x0, 0x10000) usable to reserved'));
  assert.ok(names.includes('remove [0xa0000, 0x100000) usable'));
  assert.ok(names.includes('reserve RAM buffer [0x9f800, 0xa0000)'));
  assert.equal(amended![0]!.name, 'BIOS-e820 as amended');
  assert.deepEqual(rowsOf(amended![0]!), [
    'reserved [0x0, 0x10000) reserved',
    'ram [0x10000, 0x9f800) usable',
    'reserved [0x9f800, 0xa0000) reserved',
    'ram [0x100000, 0x3fff0000) usable',
    'reserved [0xd0000000, 0xd0001000) type 20',
  ]);
});

const BIOS =
  'BIOS-e820: [mem 0x0000000000000000-0x00000000000fffff] usable\nBIOS-e820: [mem 0x0000000000100000-0x00000000001fffff] reserved\n';

for (const [what, lines, expected] of [
  [
    'an update in the middle leaves three pieces',
    'e820: update [mem 0x00001000-0x00001fff] usable ==> reserved',
    [
      'ram [0x0, 0x1000) usable',
      'reserved [0x1000, 0x2000) reserved',
      'ram [0x2000, 0x100000) usable',
      'reserved [0x100000, 0x200000) reserved',
    ],
  ],
  [
    'a removal of RAM leaves reserved memory alone',
    'e820: remove [mem 0x000f0000-0xfffffffffffffffe] usable',
    ['ram [0x0, 0xf0000) usable', 'reserved [0x100000, 0x200000) reserved'],
  ],
  [
    'a removal without a type takes all',
    'e820: remove [mem 0x000f0000-0x0017ffff] ',
    ['ram [0x0, 0xf0000) usable', 'reserved [0x180000, 0x200000) reserved'],
  ],
  [
    'the new wording amends its own names only',
    'e820: update [mem 0x00000000-0x00000fff]  System RAM ==>  device reserved',
    null,
  ],
  [
    'a change of nothing is no amended map',
    'e820: update [mem 0x00001000-0x00001fff] usable ==> usable',
    null,
  ],
  ['a RAM buffer changes no e820 entry', 'e820: reserve RAM buffer [mem 0x000ff000-0x000fffff]', null],
  [
    'a change of the copy for kexec is none of the map',
    'e820: update [mem 0x00001000-0x00001fff] usable ==> reserved\n[    0.1] e820: update e820_table_kexec for e820__memblock_alloc_reserved()',
    null,
  ],
  [
    'a later map of the same boot has the changes in it',
    'e820: remove [mem 0x00080000-0xfffffffffffffffe] usable\nuser-defined physical RAM map:\nuser: [mem 0x0000000000000000-0x000000000007ffff] usable',
    null,
  ],
] as const) {
  test(what, () => {
    const { amended, problems } = parse(BIOS + lines + '\n');
    assert.deepEqual(problems, []);
    assert.deepEqual(amended!.map(rowsOf), expected === null ? [] : [expected]);
  });
}

test('an amended piece points at the line that made it, and the map as printed stays', () => {
  const { machines, amended } = parse(BIOS + 'e820: update [mem 0x0-0xfff] usable ==> reserved\n');
  const [made, left] = amended![0]!.regions;
  assert.equal(made!.at!.range.start.line, 2);
  assert.equal(left!.at!.range.start.line, 0);
  assert.match(made!.reason, /from usable to reserved/);
  assert.equal(machines[0]!.regions.length, 2);
});

test('two boots of one log are amended each by its own lines', () => {
  const boot = `BIOS-provided physical RAM map:\n${BIOS}e820: update [mem 0x0-0xfff] usable ==> reserved\n`;
  const { amended } = parse(boot + boot.replace('0xfff]', '0x1fff]'));
  assert.deepEqual(
    amended!.map(({ name, regions }) => [name, regions[0]!.range.end]),
    [
      ['BIOS-e820 as amended', 0x1000n],
      ['BIOS-e820 (2) as amended', 0x2000n],
    ],
  );
});

test('a log whose head is cut off has no map and no problem', () => {
  const { machines, amended, problems } = parse(
    'e820: update [mem 0x0-0xfff] usable ==> reserved\ne820: reserve RAM buffer [mem 0x0009f000-0x0009ffff]\n',
  );
  assert.deepEqual([machines, amended, problems], [[], [], []]);
});
