/** Maps that are printed one entry a line: Xen, guest firmware, boot loaders and the BSDs. Every text here is our own. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatRange } from '../../../server/src/address/format';
import { ADDRESS_SPACE_END, KIB, PAGE, type AddressRange } from '../../../server/src/address/range';
import { runChecks } from '../../../server/src/checks/catalogue';
import type { Document } from '../../../server/src/machine/language';
import { memmap } from '../../../server/src/memory-map/language';
import { MAX_ENTRIES } from '../../../server/src/memory-map/mapText';
import { SourceText } from '../../../server/src/text/sourceText';

const parse = (text: string): Document =>
  memmap.parse(new SourceText('file:///log', text), { files: new Map() });
const maps = (document: Document): string[] =>
  document.machines.map(({ producer, name }) => `${producer}: ${name}`);
const rows = (document: Document, machine = 0): string[] =>
  document.machines[machine]!.regions.map(
    ({ kind, range, name, approximate }) =>
      `${kind} ${formatRange(range)} ${name}${approximate ? ' about' : ''}`,
  );

const a16 = (value: bigint): string => BigInt.asUintN(64, value).toString(16).padStart(16, '0');
const halves = (value: bigint): string => a16(value).replace(/^(.{8})/, '$1:');

interface Case {
  readonly producer: string;
  readonly text: string;
  /** `PRODUCER: NAME` where the name is not the producer's. */
  readonly name?: string;
  readonly rows: readonly string[];
}

const CASES: Readonly<Record<string, Case>> = {
  'Xen since 4.14 prints the last byte': {
    producer: 'Xen e820',
    name: 'Xen-e820 RAM map',
    text: [
      '(XEN) Xen-e820 RAM map:',
      '(XEN)  [0000000000000000, 000000000009dfff] (usable)',
      '(XEN)  [000000000009e000, 000000000009ffff] (reserved)',
      '(XEN)  [0000000000100000, 000000007ffdffff] (usable)',
      '(XEN)  [000000007ffe0000, 000000007fffefff] (ACPI data)',
      '(XEN)  [000000007ffff000, 000000007fffffff] (ACPI NVS)',
      '(XEN)  [00000000f0000000, 00000000f000ffff] (unusable)',
      '(XEN)  [00000000f8000000, 00000000fbffffff] type 20',
      '(XEN) System RAM: 2047MB',
    ].join('\n'),
    rows: [
      'ram [0x0, 0x9e000) usable',
      'reserved [0x9e000, 0xa0000) reserved',
      'ram [0x100000, 0x7ffe0000) usable',
      'acpi [0x7ffe0000, 0x7ffff000) ACPI data',
      'nvs [0x7ffff000, 0x80000000) ACPI NVS',
      'unusable [0xf0000000, 0xf0010000) unusable',
      'reserved [0xf8000000, 0xfc000000) type 20',
    ],
  },
  'Xen before 4.14 prints the end': {
    producer: 'Xen e820',
    name: 'Physical RAM map',
    text: [
      '(XEN) Physical RAM map:',
      '(XEN)  0000000000000000 - 000000000009e000 (usable)',
      '(XEN)  0000000000100000 - 0000000080000000 (usable)',
      '(XEN)  00000000fec00000 - 0000000100000000 (reserved)',
    ].join('\r\n'),
    rows: [
      'ram [0x0, 0x9e000) usable',
      'ram [0x100000, 0x80000000) usable',
      'reserved [0xfec00000, 0x100000000) reserved',
    ],
  },
  'a time stamp of Xen is no range': {
    producer: 'Xen e820',
    name: 'EFI RAM map',
    text: [
      '> (XEN) [000001b4a3297f3] EFI RAM map:',
      '> (XEN) [000001b4a3298a0]  [0000000000000000, 000000000009ffff] (usable)',
      '> (XEN) [000001b4a3299b1]  [0000000000100000, 00000000001fffff] (usable)',
    ].join('\n'),
    rows: ['ram [0x0, 0xa0000) usable', 'ram [0x100000, 0x200000) usable'],
  },
  'a time stamp before an old line': {
    producer: 'Xen e820',
    text: '(XEN) [    0.000000]  0000000000000000 - 000000000009e000 (usable)',
    rows: ['ram [0x0, 0x9e000) usable'],
  },
  'Xen prints EFI types and attributes': {
    producer: 'Xen EFI',
    text: [
      '(XEN) EFI memory map:',
      '(XEN)  0000000000000-0000000000fff type=3 attr=000000000000000f',
      '(XEN)  0000000001000-000000009ffff type=7 attr=000000000000000f',
      '(XEN)  00000fec00000-00000fec00fff type=11 attr=8000000000000001',
    ].join('\n'),
    rows: [
      'ram [0x0, 0x1000) EFI type 3',
      'ram [0x1000, 0xa0000) EFI type 7',
      'mmio [0xfec00000, 0xfec01000) EFI type 11',
    ],
  },
  'where Dom0 went; the virtual arrangement below it is another space': {
    producer: 'Xen Dom0',
    text: [
      '(XEN) PHYSICAL MEMORY ARRANGEMENT:',
      '(XEN)  Dom0 alloc.:   0000000840000000->0000000844000000 (229376 pages to be allocated)',
      '(XEN)  Init. ramdisk: 000000087e4c8000->000000087ffff5a7',
      '(XEN) VIRTUAL MEMORY ARRANGEMENT:',
      '(XEN)  Loaded kernel: ffffffff81000000->ffffffff8322c000',
      '(XEN)  Init. ramdisk: ffffffff8322c000->ffffffff84000000',
      '(XEN)  Init. ramdisk: 0000000000000000->0000000000000000',
    ].join('\n'),
    rows: ['ram [0x840000000, 0x844000000) Dom0 alloc.', 'ram [0x87e4c8000, 0x87ffff5a7) Init. ramdisk'],
  },
  'hvmloader prints halves of addresses, and the gaps': {
    producer: 'hvmloader',
    text: [
      '(d7) E820 table:',
      '(d7)  [00]: 00000000:00000000 - 00000000:000a0000: RAM',
      '(d7)  HOLE: 00000000:000a0000 - 00000000:000c0000',
      '(d7)  [01]: 00000000:000c0000 - 00000000:00100000: RESERVED',
      '(d7)  [02]: 00000000:00100000 - 00000000:3f800000: RAM',
      '(d7)  HOLE: 00000000:3f800000 - 00000000:fc000000',
      '(d7)  [03]: 00000000:fc000000 - 00000000:fc00b000: NVS',
      '(d7)  OVERLAP!!',
      '(d7)  [04]: 00000000:fc00a000 - 00000001:00000000: UNKNOWN (0000000c)',
      '(d7)  [05]: 00000001:00000000 - 00000002:0f800000: RAM',
    ].join('\n'),
    rows: [
      'ram [0x0, 0xa0000) RAM',
      'hole [0xa0000, 0xc0000) HOLE',
      'reserved [0xc0000, 0x100000) RESERVED',
      'ram [0x100000, 0x3f800000) RAM',
      'hole [0x3f800000, 0xfc000000) HOLE',
      'nvs [0xfc000000, 0xfc00b000) NVS',
      'reserved [0xfc00a000, 0x100000000) UNKNOWN (0000000c)',
      'ram [0x100000000, 0x20f800000) RAM',
    ],
  },
  'SeaBIOS prints ends, in its own log and in Xen’s': {
    producer: 'SeaBIOS',
    text: [
      'Jan  9 01:02:03.456789 (d1) e820 map has 4 items:',
      'Jan  9 01:02:03.456790 (d1)   0: 0000000000000000 - 000000000009fc00 = 1 RAM',
      'Jan  9 01:02:03.456791 (d1)   1: 000000000009fc00 - 00000000000a0000 = 2 RESERVED',
      'Jan  9 01:02:03.456792 (d1)   2: 0000000000100000 - 000000000fffe000 = 1',
      'Jan  9 01:02:03.456793 (d1)   3: 00000000fffc0000 - 0000000100000000 = 12 UNKNOWN',
    ].join('\n'),
    rows: [
      'ram [0x0, 0x9fc00) usable',
      'reserved [0x9fc00, 0xa0000) reserved',
      'ram [0x100000, 0xfffe000) usable',
      'reserved [0xfffc0000, 0x100000000) type 12',
    ],
  },
  'what QEMU gives SeaBIOS is a start and a length': {
    producer: 'QEMU fw_cfg',
    text: [
      'qemu/e820: addr 0x00000000feffc000 len 0x0000000000004000 [reserved]',
      'qemu/e820: addr 0x0000000000000000 len 0x0000000010000000 [RAM]',
    ].join('\n'),
    rows: ['ram [0x0, 0x10000000) RAM', 'reserved [0xfeffc000, 0xff000000) reserved'],
  },
  'bhyve’s own map has ends, although in brackets': {
    producer: 'bhyve e820',
    text: [
      'E820 map:',
      '  (   0) [               0,            a0000] RAM',
      '  (   1) [           c0000,           100000] Reserved',
      '  (   2) [          100000,         80000000] RAM     ',
      '  (   3) [        f0000000,        f0001000] NVS',
    ].join('\n\r'),
    rows: [
      'ram [0x0, 0xa0000) RAM',
      'reserved [0xc0000, 0x100000) Reserved',
      'ram [0x100000, 0x80000000) RAM',
      'nvs [0xf0000000, 0xf0001000) NVS',
    ],
  },
  'OpenBSD’s boot loader cuts lengths to KiB; the next region proves them': {
    producer: 'OpenBSD boot',
    text: [
      'boot> machine memory',
      'Region 0: type 1 at 0x0 for 639KB',
      'Region 1: type 2 at 0x9fc00 for 1KB',
      'Region 2: type 1 at 0x100000 for 523140KB',
      'Region 3: type 3 at 0x1ffe1000 for 0KB',
      'Region 4: type 5 at 0xfffc0000 for 256KB',
      'Low ram: 639KB  High ram: 523140KB',
    ].join('\n'),
    rows: [
      'ram [0x0, 0x9fc00) usable',
      'reserved [0x9fc00, 0xa0000) reserved about',
      'ram [0x100000, 0x1ffe1000) usable',
      'acpi [0x1ffe1000, 0x1ffe1001) ACPI data about',
      'unusable [0xfffc0000, 0x100000000) unusable about',
    ],
  },
  'GRUB lists starts and lengths': {
    producer: 'GRUB lsmmap',
    text: [
      'grub> lsmmap',
      'base_addr = 0x0, length = 0x9fc00, available RAM',
      'base_addr = 0x9fc00, length = 0x400, reserved RAM',
      'base_addr = 0x1ffe0000, length = 0x10000, ACPI reclaimable RAM',
      'base_addr = 0x1fff0000, length = 0x10000, ACPI non-volatile storage RAM',
      'base_addr = 0x20000000, length = 0x1000, faulty RAM (BadRAM)',
      'base_addr = 0x21000000, length = 0x1000, persistent RAM (legacy)',
      'base_addr = 0x22000000, length = 0x1000, type = 0x10',
      'base_addr = 0x23000000, length = 0x1000, Address range not associated with RAM',
    ].join('\n'),
    rows: [
      'ram [0x0, 0x9fc00) available RAM',
      'reserved [0x9fc00, 0xa0000) reserved RAM',
      'acpi [0x1ffe0000, 0x1fff0000) ACPI reclaimable RAM',
      'nvs [0x1fff0000, 0x20000000) ACPI non-volatile storage RAM',
      'unusable [0x20000000, 0x20001000) faulty RAM (BadRAM)',
      'persistent [0x21000000, 0x21001000) persistent RAM (legacy)',
      'reserved [0x22000000, 0x22001000) type 16',
      'hole [0x23000000, 0x23001000) Address range not associated with RAM',
    ],
  },
  'FreeBSD’s SMAP, of the loader, of a verbose boot and of sysctl': {
    producer: 'FreeBSD SMAP',
    text: [
      'SMAP type=01 base=0000000000000000 len=000000000009fc00 attr=01',
      'SMAP type=02 base=000000000009fc00 len=0000000000000400',
      'SMAP type=01, xattr=00, base=0000000000100000, len=000000007fee0000',
      'SMAP type=0c base=0000000100000000 len=0000000000100000',
    ].join('\n'),
    rows: [
      'ram [0x0, 0x9fc00) usable',
      'reserved [0x9fc00, 0xa0000) reserved',
      'ram [0x100000, 0x7ffe0000) usable',
      'reserved [0x100000000, 0x100100000) type 12',
    ],
  },
  'FreeBSD’s EFI map counts pages of 4 KiB; virtual addresses are none of it': {
    producer: 'FreeBSD EFI',
    text: [
      '                   Type     Physical      Virtual   #Pages Attr',
      '       BootServicesCode 000000000000          0x0 00000001 UC WC WT WB ',
      '     ConventionalMemory 000000001000 000000000000 0000009f UC WC WT WB ',
      '    RuntimeServicesData 00007ffe0000 00007ffe0000 00000010 WB RUNTIME',
      'MemoryMappedIOPortSpace 0000fec00000 000000000000 00000001 ',
      '              <INVALID> 0000ff000000 000000000000 00000001 UC',
    ].join('\n'),
    rows: [
      'ram [0x0, 0x1000) BootServicesCode',
      'ram [0x1000, 0xa0000) ConventionalMemory',
      'reserved [0x7ffe0000, 0x7fff0000) RuntimeServicesData',
      'mmio [0xfec00000, 0xfec01000) MemoryMappedIOPortSpace',
      'reserved [0xff000000, 0xff001000) <INVALID>',
    ],
  },
  'FreeBSD’s chunks have a last byte': {
    producer: 'FreeBSD memory chunks',
    text: [
      'real memory  = 536870912 (512 MB)',
      'Physical memory chunk(s):',
      '0x0000000000010000 - 0x0000000000097fff, 557056 bytes (136 pages)',
      '0x0000000000100000 - 0x00000000001fffff, 1048576 bytes (256 pages)',
      'avail memory = 400000000 (381 MB)',
    ].join('\n'),
    rows: ['ram [0x10000, 0x98000) phys_avail', 'ram [0x100000, 0x200000) phys_avail'],
  },
  'NetBSD’s map is read under its heading': {
    producer: 'NetBSD',
    text: [
      'BIOS MEMORY MAP (3 ENTRIES):',
      '    addr 0x0  size 0x9fc00  type 0x1',
      '    addr 0x9fc00  size 0x400  type 0x2',
      '    addr 0x100000  size 0x1fee0000  type 0x1',
    ].join('\n'),
    rows: [
      'ram [0x0, 0x9fc00) usable',
      'reserved [0x9fc00, 0xa0000) reserved',
      'ram [0x100000, 0x1ffe0000) usable',
    ],
  },
  'mdb’s ::memlist prints bytes; virt_avail is of linear addresses': {
    producer: 'illumos memlist',
    name: 'phys_install',
    text: [
      '> ::memlist -i -v',
      'phys_install:',
      '            ADDR             BASE             SIZE',
      'fffffffffbc00000                0            9f000',
      'fffffffffbc00018           100000         7fee0000',
      'virt_avail:',
      '            ADDR             BASE             SIZE',
      'fffffffffbc00090 fffffe0000000000      10000000000',
    ].join('\n'),
    rows: ['ram [0x0, 0x9f000) memory', 'ram [0x100000, 0x7ffe0000) memory'],
  },
  'Propolis logs how much memory is below and from 4 GiB on': {
    producer: 'Propolis log',
    text: 'Jan 02 03:04:05.678 INFO Creating VM with 4 vCPUs, 3221225472 lowmem, 1073741824 highmem',
    rows: ['ram [0x0, 0xc0000000) lowmem', 'ram [0x100000000, 0x140000000) highmem'],
  },
  'lists of a booting illumos kernel': {
    producer: 'illumos memlist',
    name: 'phys_install',
    text: [
      'MEMLIST: phys_install:',
      '\tAddress 0x0, size 0x9f000',
      '\tAddress 0x100000, size 0x7fee0000',
      'startup',
    ].join('\n'),
    rows: ['ram [0x0, 0x9f000) memory', 'ram [0x100000, 0x7ffe0000) memory'],
  },
};

for (const [name, { producer, name: map = producer, text, rows: expected }] of Object.entries(CASES)) {
  test(name, () => {
    const document = parse(text);
    assert.ok(memmap.recognise(text, 'boot.log'));
    assert.deepEqual(maps(document), [`${producer}: ${map}`]);
    assert.deepEqual(rows(document), expected);
    assert.deepEqual(document.problems, []);
    const overlapping = text.includes('OVERLAP!!') ? ['region-overlap'] : [];
    assert.deepEqual(
      runChecks(document).map(({ code }) => code),
      overlapping,
    );
  });

  test(`${name}: cut anywhere it has no more entries than before, and all places are in the text`, () => {
    for (let length = 0; length <= text.length; length++) {
      const part = text.slice(0, length);
      const { machines } = parse(part);
      assert.ok(machines.reduce((sum, { regions }) => sum + regions.length, 0) <= expected.length);
    }
  });
}

test('each row points at its own text', () => {
  const { text } = CASES['SeaBIOS prints ends, in its own log and in Xen’s']!;
  const { at } = parse(text).machines[0]!.regions[1]!;
  const line = text.split('\n')[at!.range.start.line]!;
  assert.equal(
    line.slice(at!.range.start.character, at!.range.end.character),
    '1: 000000000009fc00 - 00000000000a0000 = 2 RESERVED',
  );
});

test('all of them in one log are maps of their own, in the order of the text', () => {
  const texts = Object.values(CASES);
  const document = parse(texts.map(({ text }) => text).join('\n\n'));
  assert.equal(document.machines.length, texts.length);
  assert.deepEqual(
    document.machines.map(({ producer }) => producer),
    texts.map(({ producer }) => producer),
  );
  assert.deepEqual(
    document.machines.map((_, index) => rows(document, index)),
    texts.map(({ rows: expected }) => expected),
  );
});

test('two boots in one log are two maps: by heading, by number, by addresses that start over', () => {
  for (const { text } of [
    CASES['SeaBIOS prints ends, in its own log and in Xen’s']!,
    { text: CASES['OpenBSD’s boot loader cuts lengths to KiB; the next region proves them']!.text },
    { text: CASES['FreeBSD’s SMAP, of the loader, of a verbose boot and of sysctl']!.text },
  ])
    assert.equal(parse(`${text}\n${text}`).machines.length, 2, text);
});

test('lines like these of others are none', () => {
  for (const text of [
    // OpenBSD's acpidmar prints sums of neighbours again and again, and a conflict is one entry: neither is a map.
    'e820: 00000000000a0000 - 0000000000100000\nmemory map conflict 0xffc00000/0x400000\n',
    '0000000000000000 - 000000000009e000 (usable)',
    'addr 0x0  size 0x9fc00  type 0x1',
    'fffffffffbc00000                0            9f000',
    'Address 0x0, size 0x9f000',
    '0x0000000000010000 - 0x0000000000097fff, 557056 bytes (136 pages)',
    'ConventionalMemory 000000001000 000000000000 0000009f UC',
    'base_addr = 0x0, length = 0xA0000, type = Available, 0x32050',
    'printk(" [%016Lx, %016Lx] ", (usable)',
    '(XEN) VIRTUAL MEMORY ARRANGEMENT:\n(XEN)  Init. ramdisk: ffffffff8322c000->ffffffff84000000x\n',
  ])
    assert.equal(memmap.recognise(text, 'x'), false, text);
});

test('a Linux log is not Xen’s, whoever runs it', () => {
  const text = [
    'BIOS-provided physical RAM map:',
    ' BIOS-e820: 0000000000000000 - 000000000009fc00 (usable)',
    ' Xen: 0000000000100000 - 0000000020000000 (usable)',
  ].join('\n');
  assert.deepEqual(
    parse(text).machines.map(({ producer }) => producer),
    ['Linux e820', 'Linux e820'],
  );
});

test('broken entries are named and left out', () => {
  const text = [
    'SMAP type=01 base=0000000000000000 len=0000000000000000',
    'SMAP type=01 base=fffffffffffff000 len=0000000000002000',
    '(XEN)  [0000000000002000, 0000000000000fff] (usable)',
    'SMAP type=01 base=fffffffffffff000 len=0000000000001000',
  ].join('\n');
  const document = parse(text);
  assert.deepEqual(document.problems.map(({ code }) => code).sort(), [
    'map-beyond-64-bit',
    'map-empty-entry',
    'map-reversed-entry',
  ]);
  assert.deepEqual(rows(document), ['ram [0xfffffffffffff000, 0x10000000000000000) usable']);
});

test('more entries than are read end in one finding', () => {
  const line = (index: number): string =>
    `SMAP type=01 base=${a16(BigInt(index + 1) * PAGE)} len=0000000000001000`;
  const document = parse(Array.from({ length: MAX_ENTRIES + 5 }, (_, index) => line(index)).join('\n'));
  assert.deepEqual(
    document.problems.map(({ code }) => code),
    ['map-too-long'],
  );
  assert.equal(document.machines[0]!.regions.length, MAX_ENTRIES);
});

/** What each dialect prints of a half-open range, to the byte that it can say. */
const PRINTED: Readonly<Record<string, (range: AddressRange) => string>> = {
  'Xen in brackets': ({ start, end }) => `(XEN)  [${a16(start)}, ${a16(end - 1n)}] (usable)`,
  'Xen with a dash': ({ start, end }) => `(XEN)  ${a16(start)} - ${a16(end)} (usable)`,
  'Xen EFI': ({ start, end }) => `(XEN)  ${a16(start)}-${a16(end - 1n)} type=7 attr=000000000000000f`,
  hvmloader: ({ start, end }) => ` [00]: ${halves(start)} - ${halves(end)}: RAM`,
  SeaBIOS: ({ start, end }) => `  0: ${a16(start)} - ${a16(end)} = 1 RAM`,
  fw_cfg: ({ start, end }) => `qemu/e820: addr 0x${a16(start)} len 0x${a16(end - start)} [RAM]`,
  bhyve: ({ start, end }) =>
    `  (   0) [${start.toString(16).padStart(16)}, ${BigInt.asUintN(64, end).toString(16).padStart(16)}] RAM`,
  OpenBSD: ({ start, end }) => `Region 0: type 1 at 0x${start.toString(16)} for ${(end - start) / KIB}KB`,
  GRUB: ({ start, end }) =>
    `base_addr = 0x${start.toString(16)}, length = 0x${(end - start).toString(16)}, available RAM`,
  SMAP: ({ start, end }) => `SMAP type=01 base=${a16(start)} len=${a16(end - start)}`,
  'FreeBSD EFI': ({ start, end }) =>
    `                   Type     Physical      Virtual   #Pages Attr\n     ConventionalMemory ${a16(start)}          0x0 ${((end - start) / PAGE).toString(16).padStart(8, '0')} WB`,
  chunks: ({ start, end }) =>
    `Physical memory chunk(s):\n0x${a16(start)} - 0x${a16(end - 1n)}, ${end - start} bytes (${(end - start) / PAGE} pages)`,
  NetBSD: ({ start, end }) =>
    `BIOS MEMORY MAP (1 ENTRIES):\n    addr 0x${start.toString(16)}  size 0x${(end - start).toString(16)}  type 0x1`,
  memlist: ({ start, end }) =>
    `MEMLIST: phys_avail:\n\tAddress 0x${start.toString(16)}, size 0x${(end - start).toString(16)}`,
};

const pages = fc
  .record({
    start: fc.oneof(
      fc.bigInt({ min: 0n, max: 1n << 36n }),
      fc.bigInt({ min: (1n << 52n) - 64n, max: (1n << 52n) - 1n }),
    ),
    size: fc.bigInt({ min: 1n, max: 1n << 19n }),
  })
  .map(({ start, size }) => {
    const from = start * PAGE;
    const end = from + size * PAGE;
    return { start: from, end: end < ADDRESS_SPACE_END ? end : ADDRESS_SPACE_END };
  });

for (const [name, print] of Object.entries(PRINTED))
  test(`every half-open range comes back from what is printed of it: ${name}`, () => {
    fc.assert(
      fc.property(pages, (range) => {
        const document = parse(print(range));
        assert.deepEqual(document.problems, []);
        assert.deepEqual(document.machines[0]?.regions[0]?.range, range);
      }),
    );
  });

test('random changes end in a document whose places are in the text', () => {
  const all = Object.values(CASES)
    .map(({ text }) => text)
    .join('\n');
  const edit = fc.record({
    at: fc.nat(all.length),
    cut: fc.nat(40),
    put: fc.constantFrom('', '\0', '\r\n', ' ', 'ffffffffffffffff', '[', '): ', '(XEN) ', '0: ', ' - '),
  });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 8 }), (edits) => {
      let text = all;
      for (const { at, cut, put } of edits) text = text.slice(0, at) + put + text.slice(at + cut);
      const document = parse(text);
      const { lines } = document.source;
      for (const { regions } of document.machines)
        for (const { range, at } of regions) {
          assert.ok(range.start < range.end && range.end <= ADDRESS_SPACE_END);
          assert.ok(lines.offsetAt(at!.range.start) < lines.offsetAt(at!.range.end));
          assert.ok(lines.offsetAt(at!.range.end) <= text.length);
        }
    }),
    { numRuns: 60 },
  );
});

test('a long log without a map costs little', () => {
  const line =
    'Jan  9 01:02:03.456789 host kernel: [  123.456789] something = 5 [0123456789abcdef, (XEN) 0: 1 - 2\n';
  const text = line.repeat(40_000);
  const start = performance.now();
  assert.deepEqual(parse(text).machines, []);
  assert.ok(performance.now() - start < 3000);
});
