import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatRange } from '../../../server/src/address/format';
import { shownMachines, type Document } from '../../../server/src/machine/language';
import { memmap } from '../../../server/src/memory-map/language';
import { MAX_ENTRIES } from '../../../server/src/memory-map/mapText';
import { SourceText } from '../../../server/src/text/sourceText';

const FIXTURES = join(process.env.BOOTPATH_ROOT!, 'test/fixtures/memory-map');
const fixture = (name: string): string => readFileSync(join(FIXTURES, name), 'utf8');
const parse = (text: string): Document =>
  memmap.parse(new SourceText('file:///map', text), { files: new Map() });

/** `ram [0x0, 0xa0000) usable`, one a region. */
function rows(document: Document, machine = 0): string[] {
  return document.machines[machine]!.regions.map(
    ({ kind, range, name }) => `${kind} ${formatRange(range)} ${name}`,
  );
}
const codes = (document: Document): string[] => document.problems.map(({ code }) => code);

test('a Linux boot log gives the BIOS map and the user map, and nothing of the swiotlb line', () => {
  const document = parse(fixture('linux-boot.log'));
  assert.deepEqual(
    document.machines.map(({ name }) => name),
    ['BIOS-e820', 'user'],
  );
  assert.deepEqual(rows(document), [
    'ram [0x0, 0x9f800) usable',
    'reserved [0x9f800, 0xa0000) reserved',
    'reserved [0xe8000, 0x100000) reserved',
    'ram [0x100000, 0x7ffda000) usable',
    'acpi [0x7ffda000, 0x7fff2000) ACPI data',
    'nvs [0x7fff2000, 0x80000000) ACPI NVS',
    'reserved [0xffe00000, 0x100000000) reserved',
    'ram [0x100000000, 0x180000000) usable',
  ]);
  assert.equal(document.machines[1]!.regions.length, 4);
  assert.deepEqual(document.problems, []);
  assert.equal(document.language, 'memmap');
  assert.equal(document.machines[0]!.vmm, null);
});

test('updates and removals stand in the outline and are no regions', () => {
  const [bios, user] = parse(fixture('linux-boot.log')).outline;
  assert.ok(bios!.children.some(({ name }) => name === 'remove [0x40000000, 0xffffffffffffffff) usable'));
  assert.ok(user!.children.some(({ name }) => name === 'update [0x0, 0x1000) usable to reserved'));
});

test('a region points at its own line', () => {
  const region = parse(fixture('linux-boot.log')).machines[0]!.regions[1]!;
  assert.equal(region.at!.range.start.line, 4);
  assert.equal(region.at!.range.start.character, '[    0.000000] '.length);
  assert.equal(region.at!.range.end.character, fixture('linux-boot.log').split('\n')[4]!.length);
});

test('the wording of 2026 has gaps, thread columns and longer names', () => {
  assert.deepEqual(rows(parse(fixture('linux-2026.log'))), [
    'ram [0x0, 0x9fc00) System RAM',
    'reserved [0x9fc00, 0xa0000) device reserved',
    'hole [0xa0000, 0xf0000) gap',
    'reserved [0xf0000, 0x100000) device reserved',
    'ram [0x100000, 0x20000000) System RAM',
    'hole [0x20000000, 0x80000000) gap',
    'reserved [0x80000000, 0x90000000) soft reserved',
    'persistent [0x90000000, 0x90100000) persistent RAM (type 12)',
  ]);
});

test('the dash form of kernels before 3.5 prints ends, not last bytes', () => {
  const document = parse(fixture('linux-2.6.log'));
  assert.deepEqual(rows(document), [
    'ram [0x0, 0x9fc00) usable',
    'reserved [0x9fc00, 0xa0000) reserved',
    'ram [0x100000, 0x1fff0000) usable',
    'acpi [0x1fff0000, 0x20000000) ACPI data',
  ]);
});

for (const prefix of [
  '',
  '[    0.000000] ',
  '<6>[    0.000000] ',
  '[    0.000000][    T0] ',
  '> > ',
  'Jan  5 21:23:20 host kernel: [    0.000000] ',
  '(d1) ',
]) {
  test(`the prefix "${prefix}" changes nothing`, () => {
    const document = parse(`${prefix}BIOS-e820: [mem 0x0000000000100000-0x00000000001fffff] usable\r\n`);
    assert.deepEqual(rows(document), ['ram [0x100000, 0x200000) usable']);
  });
}

for (const [type, kind] of [
  ['kernel usable RAM', 'ram'],
  ['ACPI tables', 'acpi'],
  ['ACPI non-volatile storage', 'nvs'],
  ['Unusable memory', 'unusable'],
  ['unusable', 'unusable'],
  ['persistent (type 7)', 'persistent'],
  ['Device reserved', 'reserved'],
  ['type 20', 'reserved'],
  ['Unknown E820 type', 'reserved'],
] as const) {
  test(`type "${type}" is ${kind}`, () => {
    const [region] = parse(`BIOS-e820: [mem 0x1000-0x1fff]   4   KB ${type}`).machines[0]!.regions;
    assert.equal(region!.kind, kind);
    assert.equal(region!.name, type);
  });
}

test('lost newlines do not lose entries', () => {
  const text =
    'BIOS-e820: [mem 0x0-0xfff] usable[    0.000000] BIOS-e820: [mem 0x1000-0x1fff] reserved [    0.0]';
  assert.deepEqual(rows(parse(text)), ['ram [0x0, 0x1000) usable', 'reserved [0x1000, 0x2000) reserved']);
});

test('two boots in one log are two maps, with a heading and without', () => {
  const boot = fixture('linux-2.6.log');
  const bare = boot.split('\n').slice(1).join('\n');
  for (const text of [boot + boot, bare + bare])
    assert.deepEqual(
      parse(text).machines.map(({ name, regions }) => [name, regions.length]),
      [
        ['BIOS-e820', 4],
        ['BIOS-e820 (2)', 4],
      ],
    );
});

test('an unsorted map that starts above 0 stays one map', () => {
  const text = 'BIOS-e820: [mem 0x100000-0x1fffff] usable\nBIOS-e820: [mem 0x0-0x9ffff] usable\n';
  assert.equal(parse(text).machines.length, 1);
});

test('broken entries are named with their line and left out', () => {
  const document = parse(fixture('overlapping.log'));
  assert.deepEqual(
    document.problems.map(({ code, at }) => [at!.range.start.line, code]),
    [
      [4, 'map-empty-entry'],
      [5, 'map-reversed-entry'],
      [6, 'map-unreadable-line'],
      [7, 'map-beyond-64-bit'],
    ],
  );
  assert.equal(document.machines[0]!.regions.length, 4);
});

test('the last byte of the address space is a legal end', () => {
  assert.deepEqual(rows(parse('BIOS-e820: [mem 0x00000000fffc0000-0xffffffffffffffff] reserved')), [
    'reserved [0xfffc0000, 0x10000000000000000) reserved',
  ]);
});

test('prose about e820 is not a map and not a problem', () => {
  const document = parse('The lines of BIOS-e820: are printed early.\nuser: alice\nXen: 4.19\n');
  assert.deepEqual([document.machines, document.problems], [[], []]);
});

test('bhyvectl on illumos: kinds, permissions, and what is known of the lengths', () => {
  const { machines, problems } = parse(fixture('bhyve-illumos.txt'));
  assert.deepEqual(problems, []);
  assert.deepEqual(
    machines[0]!.regions.map(({ kind, range, permissions, approximate }) => [
      kind,
      formatRange(range),
      permissions,
      approximate ?? false,
    ]),
    [
      ['ram', '[0x0, 0xc0000000)', 'rwx', true],
      ['rom', '[0xffe00000, 0x100000000)', 'r-x', false],
      ['ram', '[0x100000000, 0x240000000)', 'rwx', true],
    ],
  );
});

test('bhyvectl on FreeBSD: a NUL before the flags, and the next offset proves the length', () => {
  const { machines } = parse(fixture('bhyve-freebsd.txt'));
  const regions = machines[0]!.regions;
  assert.deepEqual(
    regions.map(({ name, approximate }) => [name, approximate ?? false]),
    [
      ['sysmem', false],
      ['framebuffer', false],
      ['bootrom', false],
      ['sysmem', true],
    ],
  );
  assert.match(regions[0]!.reason, /Flags: wired\./);
  assert.match(regions[1]!.reason, /Flags: wired\/iommu\./);
  assert.equal(regions[2]!.backingOffset, 0xe00000n);
});

test('a rounded length is cut by the next row', () => {
  const text =
    'Address Length Segment Offset Prot Flags\n0 98GB sysmem 0 RWX\n1870000000 1024KB bootrom 0 R-X\n';
  const [first] = parse(text).machines[0]!.regions;
  assert.equal(first!.range.end, 0x1870000000n);
  assert.equal(first!.approximate, true);
});

test('rows are found inside a longer paste, several tables are several maps', () => {
  const table = fixture('bhyve-illumos.txt');
  const document = parse(`# bhyvectl --vm=a --get-all\nlowmem ok\n${table}\ncpu0 rip\t0x1000\n${table}`);
  assert.deepEqual(
    document.machines.map(({ name }) => name),
    ['bhyvectl', 'bhyvectl (2)'],
  );
});

test('a mangled row below a header is pointed out, prose below the table is not', () => {
  const text = fixture('bhyve-illumos.txt') + '180000000   12MB sysmem\nbye\n';
  assert.deepEqual(codes(parse(text)), ['map-unreadable-line']);
});

test('a pragma names the VMM of a bare map, the asked choice is stronger', () => {
  const source = new SourceText(
    'file:///map',
    '# bootpath: bhyve@illumos-2021-08\n' + fixture('bhyve-illumos.txt'),
  );
  const own = memmap.parse(source, { files: new Map() });
  assert.deepEqual([own.choice, own.choiceReason], [{ vmm: 'bhyve', version: 'illumos-2021-08' }, 'pragma']);
  const asked = memmap.parse(source, { files: new Map(), choice: { vmm: 'vmd', version: '7.8' } });
  assert.deepEqual([asked.choice?.vmm, asked.choiceReason], ['vmd', 'asked']);
});

test('only texts with an entry are recognised', () => {
  for (const name of readdirSync(FIXTURES)) assert.ok(memmap.recognise(fixture(name), name), name);
  for (const text of [
    '',
    'vm "a" {\n memory 1G\n}\n',
    'Address     Length      Segment',
    'pr_info("BIOS-e820: [mem %#018Lx-%#018Lx] ")',
    '00000000-0000001f : dma1',
  ])
    assert.equal(memmap.recognise(text, 'x.log'), false, text);
});

test('recognising and parsing leave nothing behind for the next text', () => {
  for (const name of readdirSync(FIXTURES)) {
    const text = fixture(name);
    const first = JSON.stringify(parse(text).outline);
    assert.ok(memmap.recognise(text, name));
    assert.equal(JSON.stringify(parse(text).outline), first, name);
  }
});

test('hover on a line gives the half-open range and the last byte', () => {
  const document = parse(fixture('linux-boot.log'));
  const description = memmap.describe!(document, { line: 3, character: 40 });
  assert.match(description!.markdown, /\[0x0, 0x9f800\)/);
  assert.match(description!.markdown, /last byte `0x9f7ff`/);
  assert.equal(memmap.describe!(document, { line: 0, character: 3 }), null);
});

test('hover on an update says that the map stays as it is', () => {
  const description = memmap.describe!(parse(fixture('linux-boot.log')), { line: 11, character: 30 });
  assert.match(description!.markdown, /remove \[0x40000000, /);
  assert.match(description!.markdown, /stays as it is/);
});

test('more entries than are read end in one finding', () => {
  const line = (index: number): string =>
    `BIOS-e820: [mem 0x${(index * 4096).toString(16)}-0x${(index * 4096 + 4095).toString(16)}] reserved`;
  const document = parse(Array.from({ length: MAX_ENTRIES + 10 }, (_, index) => line(index + 1)).join('\n'));
  assert.deepEqual(codes(document), ['map-too-long']);
  assert.equal(document.machines[0]!.regions.length, MAX_ENTRIES);
});

test('a text cut at any byte is read without an exception', () => {
  for (const name of readdirSync(FIXTURES)) {
    const text = fixture(name);
    let entries = 0;
    for (let length = 0; length <= text.length; length++) {
      const document = parse(text.slice(0, length));
      const count = document.machines.reduce((sum, { regions }) => sum + regions.length, 0);
      assert.ok(count >= entries, `${name} at ${length}`);
      entries = count;
    }
  }
});

test('random changes, NUL and CRLF end in a document', () => {
  const names = readdirSync(FIXTURES);
  const edit = fc.record({
    at: fc.nat(2000),
    cut: fc.nat(4),
    put: fc.oneof(
      fc.string({ maxLength: 4 }),
      fc.constantFrom(
        ...['\0', '\r\n', '\r', 'ffffffffffffffffffff', '[mem 0x', 'BIOS-e820: ', ' : System RAM', ') (0MB)'],
        ...['e820: remove [mem 0x0-0xfffff]', 'e820: update [mem 0x0-0x1fff] usable ==> reserved'],
      ),
    ),
  });
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.array(edit, { maxLength: 6 }), (name, edits) => {
      let text = fixture(name);
      for (const { at, cut, put } of edits) text = text.slice(0, at) + put + text.slice(at + cut);
      const document = parse(text);
      const { lines } = document.source;
      for (const machine of shownMachines(document)) {
        for (const { range, at } of machine.regions) {
          assert.ok(range.start < range.end && range.end <= 1n << 64n);
          const [from, to] = [lines.offsetAt(at!.range.start), lines.offsetAt(at!.range.end)];
          assert.ok(from < to && to <= text.length);
        }
      }
      for (const { at } of document.problems) assert.ok(lines.offsetAt(at!.range.end) <= text.length);
      memmap.recognise(text, name);
    }),
  );
});

for (const [what, text] of [
  ['digits', '0'.repeat(10_000_000)],
  ['blanks', ' '.repeat(10_000_000)],
  ['marks', 'BIOS-e820: [mem 0x'.repeat(500_000)],
  ['almost rows', 'A 1MB a 0 RW '.repeat(700_000)],
  ['headings', 'user-defined physical RAM map:'.repeat(300_000)],
] as const) {
  test(`10 MB of ${what} in one line are read`, () => {
    assert.deepEqual(parse(text).machines, []);
    assert.equal(memmap.recognise(text, ''), false);
  });
}

test('a type without a name had no parentheses in the dash form', () => {
  const text =
    ' BIOS-e820: 0000000000000000 - 000000000009f000 (usable)\n BIOS-e820: 000000000009f000 - 00000000000a0000 type 9\n';
  const document = parse(text);
  assert.deepEqual(rows(document), ['ram [0x0, 0x9f000) usable', 'reserved [0x9f000, 0xa0000) type 9']);
  assert.deepEqual(document.problems, []);
});
