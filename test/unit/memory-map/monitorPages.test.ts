/** QEMU's `info mem` and `info tlb`. The same on real page tables: test/core/oracle/pageTables.test.ts. */
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
  document.machines[machine]!.mappings!.map(
    ({ linear, physical, pageSize, user, writable, executable }) =>
      `${formatRange(linear)} ${physical === null ? '?' : physical.toString(16)} ${pageSize} ${user ? 'u' : '-'}${writable ? 'w' : '-'}${executable === null ? '?' : executable ? 'x' : '-'}`,
  );
const a16 = (value: bigint): string => BigInt.asUintN(64, value).toString(16).padStart(16, '0');
const page = (linear: bigint, physical: bigint, flags: string): string =>
  `${a16(linear)}: ${a16(physical)} ${flags}`;

test('info mem has half-open linear ranges, no physical address and no right to execute', () => {
  const text = [
    '(qemu) info mem',
    '0000000000000000-0000000000403000 0000000000403000 -rw',
    '00007fffc0000000-00007fffc0001000 0000000000001000 ur-',
    '(qemu)',
  ].join('\n');
  const document = parse(text);
  assert.deepEqual(
    document.machines.map(({ name, producer, regions }) => [name, producer, regions]),
    [['QEMU info mem', 'QEMU info mem', []]],
  );
  assert.deepEqual(rows(document), [
    '[0x0, 0x403000) ? null -w?',
    '[0x7fffc0000000, 0x7fffc0001000) ? null u-?',
  ]);
  assert.equal(document.machines[0]!.mappings![1]!.at!.range.start.line, 2);
  assert.deepEqual(runChecks(document), []);
});

for (const [name, line, ranges] of [
  [
    'a range across the middle of the space is two: the hole between its halves is no address',
    '00007fffc0000000-ffff800040000000 0000000080000000 urw',
    ['[0x7fffc0000000, 0x800000000000)', '[0xffff800000000000, 0xffff800040000000)'],
  ],
  [
    'the end of the upper half is 2^64, which is printed as 2^48',
    'ffffffffc0000000-0001000000000000 0000000040000000 -rw',
    ['[0xffffffffc0000000, 0x10000000000000000)'],
  ],
  [
    'a size of half the space is sign-extended like an address',
    '0000000000000000-ffff800000000000 ffff800000000000 -rw',
    ['[0x0, 0x800000000000)'],
  ],
  [
    'all of the space',
    '0000000000000000-0001000000000000 0001000000000000 -rw',
    ['[0x0, 0x800000000000)', '[0xffff800000000000, 0x10000000000000000)'],
  ],
  [
    'five levels',
    '00f0000000000000-00f0000000001000 0000000000001000 -rw',
    ['[0xf0000000000000, 0xf0000000001000)'],
  ],
  ['addresses of 32 bits', 'ef000000-ef021000 00021000 ur-', ['[0xef000000, 0xef021000)']],
  [
    'the end of 32 bits',
    '00000000ffc00000-0000000100000000 0000000000400000 -rw',
    ['[0xffc00000, 0x100000000)'],
  ],
] as const)
  test(`info mem: ${name}`, () => {
    const document = parse(line);
    assert.deepEqual(document.problems, []);
    assert.deepEqual(
      document.machines[0]!.mappings!.map(({ linear }) => formatRange(linear)),
      ranges,
    );
  });

test('a range whose size is not its size is named', () => {
  const document = parse('0000000000001000-0000000000002000 0000000000002000 -rw');
  assert.deepEqual(
    [document.machines, document.problems.map(({ code }) => code)],
    [[], ['map-unreadable-line']],
  );
});

test('two outputs are two maps: the addresses start over', () => {
  const text =
    '0000000000000000-0000000000001000 0000000000001000 -rw\n0000000000000000-0000000000002000 0000000000002000 -rw\n';
  assert.deepEqual(
    parse(text).machines.map(({ name }) => name),
    ['QEMU info mem', 'QEMU info mem (2)'],
  );
});

test('info tlb joins neighbours of one size and the same rights; dirty and accessed do not part them', () => {
  const text = [
    page(0x400000n, 0x5000n, '----A--UW'),
    page(0x401000n, 0x6000n, '---DA--UW'),
    page(0x402000n, 0x8000n, '----A--UW'),
    page(0x403000n, 0x9000n, 'X---A--U-'),
    page(0x404000n, 0xa000n, 'XG--ACT--'),
  ].join('\r\n');
  const document = parse(text);
  assert.deepEqual(rows(document), [
    '[0x400000, 0x402000) 5000 4096 uwx',
    '[0x402000, 0x403000) 8000 4096 uwx',
    '[0x403000, 0x404000) 9000 4096 u--',
    '[0x404000, 0x405000) a000 4096 ---',
  ]);
  const [first] = document.machines[0]!.mappings!;
  assert.deepEqual([first!.at!.range.start.line, first!.at!.range.end.line], [0, 1]);
});

test('hover on a line says where its linear addresses lead, and with which rights', () => {
  const hover = (text: string): string =>
    memmap.describe!(parse(text), { line: 0, character: 20 })?.markdown ?? 'nothing';
  assert.equal(
    hover(page(0x400000n, 0x5000n, 'X---A--UW')),
    'Linear addresses `[0x400000, 0x401000)`, 4 KiB, lead to `0x5000` and on, by pages of 4 KiB: user, writable, not executable.',
  );
  assert.equal(
    hover('00007fffc0000000-ffff800040000000 0000000080000000 -r-'),
    [
      'Linear addresses `[0x7fffc0000000, 0x800000000000)`, 1 GiB: supervisor only, read-only.',
      'Linear addresses `[0xffff800000000000, 0xffff800040000000)`, 1 GiB: supervisor only, read-only.',
    ].join('\n\n'),
  );
});

for (const [name, pages, expected] of [
  [
    'pages of 2 MiB',
    [
      [0n, 0n],
      [0x200000n, 0x200000n],
      [0x40000000n, 0x40000000n],
      [0x40200000n, 0x40200000n],
    ],
    ['[0x0, 0x400000) 0 2097152 -wx', '[0x40000000, 0x40400000) 40000000 2097152 -wx'],
  ],
  [
    'neighbours of 1 GiB on both sides',
    [
      [0x40000000n, 0x80000000n],
      [0x80000000n, 0xc0000000n],
    ],
    ['[0x40000000, 0xc0000000) 80000000 1073741824 -wx'],
  ],
  [
    'neighbours of 4 MiB, all aligned to it',
    [
      [0n, 0n],
      [0x400000n, 0x400000n],
      [0xc0000000n, 0n],
    ],
    ['[0x0, 0x800000) 0 4194304 -wx', '[0xc0000000, 0xc0400000) 0 4194304 -wx'],
  ],
  [
    'one large page at the start of a gigabyte may be of either size: at least 2 MiB are mapped',
    [[0x40000000n, 0n]],
    ['[0x40000000, 0x40200000) 0 null -wx'],
  ],
  ['one large page elsewhere is of 2 MiB', [[0x600000n, 0n]], ['[0x600000, 0x800000) 0 2097152 -wx']],
] as const)
  test(`info tlb: ${name}`, () => {
    const text = pages.map(([linear, physical]) => page(linear, physical, '--PDA---W')).join('\n');
    assert.deepEqual(rows(parse(text)), expected);
  });

test('the NX bit that QEMU leaves in physical addresses with PAE is none of them', () => {
  assert.deepEqual(rows(parse(page(0x400000n, 0x8000000000005000n, 'X-------W'))), [
    '[0x400000, 0x401000) 5000 4096 -w-',
  ]);
});

test('lines like these in other texts are none', () => {
  for (const text of [
    'PG disabled',
    '00400000-0040b000 r-xp 00000000 08:02 173521 /bin/cat',
    '0000000000001000: 0000000000001000',
    'deadbeef: 00000000 --------W-more',
    '%c%c%c\n',
  ])
    assert.equal(memmap.recognise(text, 'x'), false, text);
});

const space = fc.bigInt({ min: 0n, max: (1n << 36n) - 1n }).map((value) => value << 12n);

test('every range of four-level page tables comes back from what info mem prints of it', () => {
  const canonical = (address: bigint): bigint => BigInt.asUintN(64, BigInt.asIntN(48, address));
  fc.assert(
    fc.property(space, space, (one, other) => {
      const [low, high] = one < other ? [one, other] : [other, one];
      const end = high + 0x1000n;
      // mem_print sign-extends each of the three; 2^48 has a bit of its own and stays.
      const print = (value: bigint): string => a16(value === 1n << 48n ? value : canonical(value));
      const document = parse(`${print(low)}-${print(end)} ${print(end - low)} -rw`);
      const half = 1n << 47n;
      const expected = [
        { start: low, end: end < half ? end : half },
        { start: low > half ? low : half, end },
      ]
        .filter((range) => range.start < range.end)
        .map((range) =>
          range.start < half
            ? range
            : {
                start: range.start + ADDRESS_SPACE_END - 2n * half,
                end: range.end + ADDRESS_SPACE_END - 2n * half,
              },
        );
      assert.deepEqual(
        document.machines[0]!.mappings!.map(({ linear }) => linear),
        expected,
      );
    }),
  );
});

test('every run of small pages comes back from what info tlb prints of it', () => {
  fc.assert(
    fc.property(space, fc.integer({ min: 1, max: 20 }), fc.boolean(), (start, count, user) => {
      const from = BigInt.asUintN(47, start);
      const lines = Array.from({ length: count }, (_, index) =>
        page(
          from + BigInt(index) * 0x1000n,
          0x7000n + BigInt(index) * 0x1000n,
          `-------${user ? 'U' : '-'}W`,
        ),
      );
      const { mappings } = parse(lines.join('\n')).machines[0]!;
      assert.equal(mappings!.length, 1);
      assert.deepEqual(mappings![0]!.linear, { start: from, end: from + BigInt(count) * 0x1000n });
      assert.equal(mappings![0]!.user, user);
    }),
  );
});
