/** QEMU's `info mtree`: what a tree of memory regions shows. The same on real machines: test/core/oracle/memoryTree.test.ts. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatRange } from '../../../server/src/address/format';
import { ADDRESS_SPACE_END } from '../../../server/src/address/range';
import { runChecks } from '../../../server/src/checks/catalogue';
import type { Document } from '../../../server/src/machine/language';
import { memmap } from '../../../server/src/memory-map/language';
import { SourceText } from '../../../server/src/text/sourceText';

const parse = (text: string): Document =>
  memmap.parse(new SourceText('file:///monitor.txt', text), { files: new Map() });
const rows = (document: Document, machine = 0): string[] =>
  document.machines[machine]!.regions.map(
    ({ kind, range, name, backingOffset }) =>
      `${kind} ${formatRange(range)} ${name}${backingOffset ? ` @${backingOffset.toString(16)}` : ''}`,
  );

const a16 = (value: bigint): string => BigInt.asUintN(64, value).toString(16).padStart(16, '0');
/** A row as QEMU prints it; `last` is the last byte. */
const row = (level: number, start: bigint, last: bigint, type: string, words: string, priority = 0): string =>
  `${'  '.repeat(level)}${a16(start)}-${a16(last)} (prio ${priority}, ${type}): ${words}`;
const ALL = 0xffff_ffff_ffff_ffffn;

/** A small PC: RAM through aliases, a VGA window over it, a BIOS below 4 GiB and its copy below 1 MiB. */
const PC = [
  'address-space: cpu-memory-0',
  'address-space: memory',
  row(1, 0n, ALL, 'i/o', 'system'),
  row(2, 0n, 0x7ffffffn, 'ram', 'alias ram-below-4g @board.ram 0000000000000000-0000000007ffffff'),
  row(2, 0n, ALL, 'i/o', 'pci', -1),
  row(3, 0xa0000n, 0xbffffn, 'i/o', 'vga-window', 1),
  row(3, 0xfffe0000n, 0xffffffffn, 'rom', 'board.bios'),
  row(2, 0xa0000n, 0xbffffn, 'i/o', 'alias smram-region @pci 00000000000a0000-00000000000bffff', 1),
  row(2, 0xe0000n, 0xfffffn, 'ram', 'alias pam-rom @board.ram 00000000000e0000-00000000000fffff', 1),
  row(2, 0xfec00000n, 0xfec00fffn, 'i/o', 'ioapic'),
  row(2, 0x1_0000_0000n, 0x1_0fff_ffffn, 'ram', 'alias high @board.ram 0000000008000000-0000000017ffffff'),
  '',
  'address-space: I/O',
  row(1, 0n, 0xffffn, 'i/o', 'io'),
  row(2, 0x60n, 0x60n, 'i/o', 'i8042-data'),
  '',
  'memory-region: board.ram',
  row(1, 0n, 0x17ff_ffffn, 'ram', 'board.ram'),
  '',
  'memory-region: pci',
  row(1, 0n, ALL, 'i/o', 'pci', -1),
  row(2, 0xa0000n, 0xbffffn, 'i/o', 'vga-window', 1),
  row(2, 0xfffe0000n, 0xffffffffn, 'rom', 'board.bios'),
  '',
].join('\n');

const PC_ROWS = [
  'ram [0x0, 0xa0000) board.ram',
  'mmio [0xa0000, 0xc0000) vga-window',
  'ram [0xc0000, 0xe0000) board.ram @c0000',
  'rom [0xe0000, 0x100000) board.ram @e0000',
  'ram [0x100000, 0x8000000) board.ram @100000',
  'mmio [0xfec00000, 0xfec01000) ioapic',
  'rom [0xfffe0000, 0x100000000) board.bios',
  'ram [0x100000000, 0x110000000) board.ram @8000000',
];

test('the machine is what the tree shows: aliases, priorities, holes of containers; port space is no memory', () => {
  const document = parse(PC);
  assert.deepEqual(
    document.machines.map(({ name, producer }) => [name, producer]),
    [['QEMU memory', 'QEMU info mtree']],
  );
  assert.deepEqual(rows(document), PC_ROWS);
  assert.deepEqual(document.problems, []);
  assert.deepEqual(runChecks(document), []);
});

test('a region points at the line of the memory region that answers, and says through which alias', () => {
  const region = parse(PC).machines[0]!.regions[3]!;
  assert.equal(PC.split('\n')[region.at!.range.start.line], row(1, 0n, 0x17ff_ffffn, 'ram', 'board.ram'));
  assert.match(
    region.reason,
    /board\.ram answers here, from offset 0xe0000 of it, through the alias pam-rom/,
  );
});

test('hover on a memory region lists every place in which it answers', () => {
  const line = PC.split('\n').lastIndexOf(row(1, 0n, 0x17ff_ffffn, 'ram', 'board.ram'));
  const { markdown } = memmap.describe!(parse(PC), { line, character: 10 })!;
  assert.deepEqual(
    [...markdown.matchAll(/`(\[.*?\))`/g)].map(([, range]) => range),
    PC_ROWS.filter((words) => words.includes('board.ram')).map((words) => /\[.*\)/.exec(words)![0]),
  );
});

for (const [name, change] of [
  ['CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
  ['a prompt before it and after it', (text: string) => `(qemu) info mtree\n${text}\n(qemu) quit\n`],
  ['quoted mail', (text: string) => text.replace(/^/gm, '> ')],
  ['a log with a prefix', (text: string) => text.replace(/^/gm, '2026-01-02 10:11:12 qemu[77]: ')],
  [
    'four columns a level',
    (text: string) => text.replace(/^( +)/gm, (spaces) => spaces.slice(2).repeat(2) + '  '),
  ],
  ['owners', (text: string) => text.replace(/\): (?!alias)(\S+)$/gm, '): $1 owner:{dev id=a1}')],
  [
    'drawn branches',
    (text: string) =>
      text.replace(/^ {2}( +)/gm, (spaces) => `  ${'│ '.repeat((spaces.length - 2) / 2 - 1)}├─`),
  ],
] as const)
  test(`${name} changes nothing`, () => assert.deepEqual(rows(parse(change(PC))), PC_ROWS));

test('a disabled region is not there, nor is what is in it', () => {
  const text = [
    'address-space: memory',
    row(1, 0n, ALL, 'i/o', 'system'),
    `${row(2, 0n, 0xfffn, 'ram', 'low')} [disabled]`,
    row(3, 0n, 0xffn, 'i/o', 'in-low'),
    row(2, 0x1000n, 0x1fffn, 'ram', 'high'),
  ].join('\n');
  assert.deepEqual(rows(parse(text)), ['ram [0x1000, 0x2000) high']);
});

test('QEMU prints what is in a disabled region without the region: one level too deep, and still not there', () => {
  const text = [
    'address-space: memory',
    row(1, 0n, ALL, 'i/o', 'system'),
    row(2, 0n, 0xffffn, 'ram', 'low'),
    row(2, 0x20000n, 0x2ffffn, 'i/o', 'alias window @smram 0000000000000000-000000000000ffff', 1),
    row(3, 0x1000n, 0x1fffn, 'i/o', 'of-nobody', 9),
    '',
    'memory-region: smram',
    row(2, 0xa000n, 0xafffn, 'ram', 'of-a-disabled-root'),
  ].join('\n');
  assert.deepEqual(rows(parse(text)), ['ram [0x0, 0x10000) low']);
});

test('the end of the address space is a legal end', () => {
  const text = `address-space: memory\n${row(1, 0xffff_0000_0000_0000n, ALL, 'ram', 'top')}`;
  assert.equal(parse(text).machines[0]!.regions[0]!.range.end, ADDRESS_SPACE_END);
});

test('what QEMU warns of as an overflow is cut at 2^64', () => {
  const text = [
    'address-space: memory',
    row(1, 0n, ALL, 'i/o', 'system'),
    row(2, 0xffff_ffff_0000_0000n, ALL, 'i/o', 'pci'),
    `[DETECTED OVERFLOW!] ${row(3, 0xffff_ffff_ffff_0000n, 0xffffn, 'ram', 'wraps')}`,
    `[DETECTED OVERFLOW!] ${row(3, 0x1000n, 0x1fffn, 'ram', 'beyond')}`,
  ].join('\n');
  assert.deepEqual(rows(parse(text)), ['ram [0xffffffffffff0000, 0x10000000000000000) wraps']);
});

test('a region that grew beyond 2^64 is cut, one without a byte is not there, wherever the warning stands', () => {
  const warned = (text: string): string => text.replace(/^( *)/, '$1[DETECTED OVERFLOW!] ');
  const text = [
    'address-space: memory',
    row(1, 0n, ALL, 'i/o', 'system'),
    row(2, 0x8000_0000n, 0x17fff_ffffn, 'i/o', 'ram-container'),
    row(3, 0x8000_0000n, 0x13fff_ffffn, 'ram', 'ram'),
    warned(row(3, 0x14000_0000n, 0xbfff_ffffn, 'rom', 'max-ram')),
    `[DETECTED OVERFLOW!] ${row(2, 0x6_0000_0000n, 0x5_ffff_ffffn, 'rom', 'window')}`,
  ].join('\n');
  assert.deepEqual(rows(parse(text)), [
    'ram [0x80000000, 0x140000000) ram',
    'rom [0x140000000, 0x180000000) max-ram',
  ]);
});

test('rows that a mail program broke are joined again', () => {
  const text = [
    '>> address-space: memory',
    '>>   0000000000000000-ffffffffffffffff (prio 0, i/o): system',
    '>>     0000000000000000-000000000fffffff (prio 0, ram): alias',
    '>> ram-below-4g',
    '>> @board.ram 0000000000000000-000000000fffffff',
    '>>     0000000010000000-0000000010000fff (prio 0,',
    '>> i/o): registers',
    '>>     0000000020000000-0000000020000fff (prio 0,=',
    '>>  rom): read-=',
    '>> only',
  ].join('\n');
  assert.deepEqual(rows(parse(text)), [
    'ram [0x0, 0x10000000) board.ram',
    'mmio [0x10000000, 0x10001000) registers',
    'rom [0x20000000, 0x20001000) read-only',
  ]);
});

test('an address space that several share has its names in a list', () => {
  const text = [
    'address-space: I/O',
    row(1, 0n, 0xffffn, 'i/o', 'io'),
    '',
    'address-space shared 2 times:',
    '  - cpu-memory-0',
    '  - memory',
    row(1, 0n, ALL, 'i/o', 'system'),
    row(2, 0n, 0xffffn, 'ram', 'low'),
  ].join('\n');
  assert.deepEqual(
    parse(text).machines.map(({ name }) => name),
    ['QEMU memory'],
  );
});

test('of one priority the one that is printed first hides the others at its address', () => {
  const text = [
    'address-space: memory',
    row(1, 0n, ALL, 'i/o', 'system'),
    row(2, 0n, 0xfffn, 'ram', 'later'),
    row(2, 0n, 0x1fffn, 'ram', 'earlier'),
  ].join('\n');
  assert.deepEqual(rows(parse(text)), ['ram [0x0, 0x1000) later', 'ram [0x1000, 0x2000) earlier @1000']);
});

test('an alias of a container that the text lacks is a finding, one of memory is that memory', () => {
  const text = [
    'address-space: memory',
    row(1, 0n, ALL, 'i/o', 'system'),
    row(2, 0n, 0xffffn, 'ram', 'alias low @board.ram 0000000000040000-000000000004ffff'),
    row(2, 0n, ALL, 'i/o', 'alias pci-hole @pci 0000000000000000-ffffffffffffffff', -1),
  ].join('\n');
  const document = parse(text);
  assert.deepEqual(rows(document), ['ram [0x0, 0x10000) board.ram @40000']);
  assert.deepEqual(
    document.problems.map(({ code, at }) => [code, at!.range.start.line]),
    [['map-unreadable-line', 3]],
  );
});

test('regions of one name are told apart by their turn and by what fits the alias', () => {
  const text = [
    'address-space: memory',
    row(1, 0n, ALL, 'i/o', 'system'),
    row(2, 0x0n, 0xfffn, 'ram', 'alias one @bank 0000000000000000-0000000000000fff'),
    row(2, 0x1000n, 0x2fffn, 'ram', 'alias two @bank 0000000000000000-0000000000001fff'),
    '',
    'memory-region: bank',
    row(1, 0n, 0xfffn, 'ram', 'bank'),
    '',
    'memory-region: bank',
    row(1, 0n, 0x1fffn, 'ram', 'bank'),
  ].join('\n');
  const lines = parse(text).machines[0]!.regions.map(({ at }) => at!.range.start.line);
  assert.deepEqual(lines, [6, 9]);
});

test('aliases in a circle end', () => {
  const text = [
    'address-space: memory',
    row(1, 0n, 0xffffn, 'i/o', 'system'),
    row(2, 0n, 0xffffn, 'i/o', 'alias a @a 0000000000000000-000000000000ffff'),
    row(2, 0n, 0xffffn, 'i/o', 'alias b @a 0000000000000000-000000000000ffff'),
    'memory-region: a',
    row(1, 0n, 0xffffn, 'i/o', 'a'),
    row(2, 0n, 0xffffn, 'i/o', 'alias back @a 0000000000000000-000000000000ffff'),
    row(2, 0n, 0xffffn, 'i/o', 'alias again @a 0000000000000000-000000000000ffff'),
  ].join('\n');
  assert.deepEqual(
    parse(text).problems.map(({ code }) => code),
    ['map-too-long'],
  );
});

test('the SMM view is a map of its own where it differs, and the same ones of several vCPUs are one', () => {
  const smm = (index: number, words: string): string =>
    [
      `address-space: cpu-smm-${index}`,
      row(1, 0n, ALL, 'i/o', 'memory'),
      row(2, 0n, 0xffffn, 'ram', words),
      '',
    ].join('\n');
  const text = [
    smm(0, 'smram'),
    smm(1, 'smram'),
    'address-space: memory',
    row(1, 0n, ALL, 'i/o', 'system'),
    row(2, 0n, 0xffffn, 'ram', 'low'),
    '',
    'address-space: a-device',
    row(1, 0n, ALL, 'i/o', 'bus master container'),
    row(2, 0n, 0xffffn, 'ram', 'remapped'),
  ].join('\n');
  assert.deepEqual(
    parse(text).machines.map(({ name }) => name),
    ['QEMU cpu-smm-0 and 1 more', 'QEMU memory'],
  );
});

test('QEMU before 2.8 prints letters: memory is known by its name only', () => {
  const text = [
    'address-space: memory',
    row(1, 0n, ALL, 'RW', 'system').replace('RW', 'i/o'),
    row(2, 0n, 0xffffn, 'RW', 'alias low @pc.ram 0000000000000000-000000000000ffff'),
    row(2, 0xf0000n, 0xfffffn, 'R-', 'pc.bios'),
    row(2, 0xfec00000n, 0xfec00fffn, 'RW', 'ioapic'),
    'memory-region: pc.ram',
    row(1, 0n, 0xffffn, 'RW', 'pc.ram'),
  ].join('\n');
  assert.deepEqual(rows(parse(text)), [
    'ram [0x0, 0x10000) pc.ram',
    'rom [0xf0000, 0x100000) pc.bios',
    'mmio [0xfec00000, 0xfec01000) ioapic',
  ]);
});

const FLAT = [
  'FlatView #0',
  ' AS "a-device", root: bus master container',
  ' Root memory region: (none)',
  '  No rendered FlatView',
  '',
  'FlatView #1',
  ' AS "memory", root: system',
  ' AS "cpu-memory-0", root: system',
  ' Root memory region: system',
  `${row(1, 0n, 0x9ffffn, 'ram', 'board.ram')} kvm:tcg`,
  row(1, 0xa0000n, 0xbffffn, 'i/o', 'vga-window', 1),
  `${row(1, 0xe0000n, 0xfffffn, 'rom', 'board.ram @00000000000e0000')} owner:{obj path=/objects/ram} KVM KVM`,
  row(1, 0xf0000000n, 0xf0ffffffn, 'ram', 'vga.vram', 1),
  row(1, 0xffff_ffff_ffff_f000n, ALL, 'nv-ram', 'top'),
  '',
  'FlatView #2',
  ' AS "I/O", root: io',
  ' Root memory region: io',
  row(1, 0n, 0xffffn, 'i/o', 'io'),
].join('\n');

test('a flat view is read as it stands: offsets, KVM, owners, a BAR, the end of the address space', () => {
  const document = parse(FLAT);
  assert.deepEqual(
    document.machines.map(({ name, producer }) => [name, producer]),
    [['QEMU memory (flat view)', 'QEMU info mtree -f']],
  );
  assert.deepEqual(rows(document), [
    'ram [0x0, 0xa0000) board.ram',
    'mmio [0xa0000, 0xc0000) vga-window',
    'rom [0xe0000, 0x100000) board.ram @e0000',
    'mmio [0xf0000000, 0xf1000000) vga.vram',
    'persistent [0xfffffffffffff000, 0x10000000000000000) top',
  ]);
  assert.match(document.machines[0]!.regions[2]!.reason, /Its owner is obj path=\/objects\/ram\./);
  // The last page of 2^64 is no address of an x86-64: the one finding of this made-up machine.
  assert.deepEqual(
    runChecks(document).map(({ code }) => code),
    ['beyond-physical-width'],
  );
});

test('a micro machine’s BIOS is RAM to QEMU, so RAM at the reset vector is no finding', () => {
  const text = [
    'address-space: memory',
    row(1, 0n, ALL, 'i/o', 'system'),
    row(2, 0xffff0000n, 0xffffffffn, 'ram', 'a.bios'),
  ];
  const document = parse(text.join('\n'));
  assert.deepEqual(rows(document), ['ram [0xffff0000, 0x100000000) a.bios']);
  assert.deepEqual(runChecks(document), []);
});

test('tree and flat view of one text are two maps, and none takes the other’s lines', () => {
  const document = parse(`(qemu) info mtree\n${PC}\n(qemu) info mtree -f\n${FLAT}\n`);
  assert.deepEqual(
    document.machines.map(({ name, regions }) => [name, regions.length]),
    [
      ['QEMU memory', PC_ROWS.length],
      ['QEMU memory (flat view)', 5],
    ],
  );
});

test('two outputs of one command are two maps', () => {
  assert.deepEqual(
    [...parse(`${PC}\n${PC}`).machines, ...parse(`${FLAT}\n${FLAT}`).machines].map(({ name }) => name),
    ['QEMU memory', 'QEMU memory (2)', 'QEMU memory (flat view)', 'QEMU memory (flat view) (2)'],
  );
});

test('rows without a heading stand for themselves', () => {
  const text = PC.split('\n').slice(11, 12).join('\n') + row(0, 0n, 0xfffn, 'rom', 'a @0000000000002000');
  assert.deepEqual(rows(parse(text)), ['rom [0x0, 0x1000) a @2000']);
});

test('texts that speak of trees are none', () => {
  for (const text of [
    'address-space: memory',
    'FlatView #0\n AS "memory", root: system\n',
    'qemu_printf(HWADDR_FMT_plx "-" HWADDR_FMT_plx " (prio %d, %s%s): %s%s")',
    '0000000000000000-00000000ffffffff (prio 0): a',
  ])
    assert.equal(memmap.recognise(text, 'x'), false, text);
});

/** Any tree, with aliases to anything and half the numbers near the ends. */
const address = fc.oneof(
  fc.bigInt({ min: 0n, max: 0x40_0000n }),
  fc.bigInt({ min: ALL - 0x1_0000n, max: ALL }),
);
const line = fc
  .record({
    level: fc.nat(4),
    start: address,
    size: fc.bigInt({ min: 1n, max: 0x1_0000n }),
    type: fc.constantFrom('ram', 'rom', 'romd', 'ramd', 'i/o', 'nv-ram'),
    name: fc.constantFrom('a', 'b', 'system', 'alias x @a 0000000000000000-0000000000000fff', 'alias y @c 0'),
    priority: fc.integer({ min: -2, max: 2 }),
    heading: fc.constantFrom(
      '',
      '',
      '',
      'address-space: memory\n',
      'memory-region: a\n',
      '(qemu) x\n',
      '[DETECTED OVERFLOW!] ',
    ),
  })
  .map(
    ({ level, start, size, type, name, priority, heading }) =>
      heading + row(level, start, start + size - 1n, type, name, priority),
  );

test('any tree becomes regions that do not overlap, lie in the address space and point into the text', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 25 }), fc.nat(), (lines, cut) => {
      const text = lines.join('\n');
      for (const part of [text, text.slice(0, cut % (text.length + 1))]) {
        const document = parse(part);
        for (const { regions, producer } of document.machines) {
          assert.equal(producer, 'QEMU info mtree');
          let reach = 0n;
          for (const { range, at } of regions) {
            assert.ok(range.start >= reach && range.end > range.start && range.end <= ADDRESS_SPACE_END);
            reach = range.end;
            const { start, end } = at!.range;
            assert.ok(document.source.lines.offsetAt(start) < document.source.lines.offsetAt(end));
          }
        }
        assert.ok(document.outline.length === document.machines.length);
      }
    }),
  );
});

test('every half-open range comes back from what a flat view prints of it', () => {
  fc.assert(
    fc.property(address, fc.bigInt({ min: 1n, max: 1n << 33n }), (start, size) => {
      const end = start + size < ADDRESS_SPACE_END ? start + size : ADDRESS_SPACE_END;
      const text = `FlatView #0\n AS "memory", root: system\n${row(1, start, end - 1n, 'ram', 'a')}\n`;
      assert.deepEqual(parse(text).machines[0]!.regions[0]!.range, { start, end });
    }),
  );
});
