import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { elfSymbols } from '../../../server/src/machine/image/elfSymbols';
import { symbolFileNames, symbolsFor } from '../../../server/src/machine/image/symbolFiles';
import { isSymbolListing, parseSymbolListing } from '../../../server/src/machine/image/symbolListing';
import {
  linkedAddress,
  symbolAt,
  symbolText,
  type SymbolTable,
} from '../../../server/src/machine/image/symbolTable';
import { kernelSlide, slideOfHandlers } from '../../../server/src/simulation/kernelSlide';
import { createSymbolizer } from '../../../server/src/simulation/symbolizer';
import type { TimelineEvent } from '../../../server/src/simulation/report';
import { flatProtected32 } from '../../../server/src/vmm/loaders/entryState';
import { elfFile } from './elfFile';
import { withSymbols, type SymbolFileOptions } from './elfSymbolsFile';

const BASE = 0xffffffff81000000n;
const TEXT = { name: '.text', address: BASE, size: 0x1000n };

function kernel(options: Partial<SymbolFileOptions> & { code?: Uint8Array } = {}): Uint8Array {
  const { code = new Uint8Array(64).fill(0x90) } = options;
  const elf = elfFile({
    entry: 0x1000000n,
    segments: [{ physical: 0x1000000n, virtual: BASE, bytes: code, memorySize: 0x3000n }],
  });
  return withSymbols(elf, {
    sections: [TEXT, { name: '.data', address: BASE + 0x2000n, size: 0x100n }],
    symbols: [
      { name: 'start', value: BASE, size: 0x20n },
      { name: 'label', value: BASE + 0x100n, type: 0, bind: 0 },
      { name: 'main', value: BASE + 0x200n, size: 0x40n },
      { name: '_alias', value: BASE + 0x200n, size: 0x40n },
      { name: 'static_alias', value: BASE + 0x200n, size: 0x40n, bind: 0 },
      { name: '.L3', value: BASE + 0x210n, type: 0, bind: 0 },
      { name: 'variable', value: BASE + 0x2000n, size: 8n, type: 1, section: '.data' },
      { name: 'number', value: BASE + 0x208n, section: 0xfff1 },
    ],
    ...options,
  });
}

function tableOf(bytes: Uint8Array): SymbolTable {
  const table = elfSymbols(bytes);
  assert.ok(table && !('problem' in table), 'the file is right');
  return table;
}

const at = (table: SymbolTable, address: bigint): string | null => {
  const named = symbolAt(table, address);
  return named && symbolText(named);
};

for (const [address, expected, why] of [
  [BASE, 'start', 'its first byte'],
  [BASE + 0x1fn, 'start+0x1f', 'its last byte'],
  [BASE + 0x20n, null, 'behind a symbol with a size there is none'],
  [BASE + 0x180n, 'label+0x80', 'a label goes on to the next symbol'],
  [BASE + 0x20cn, 'main+0xc', 'global before local, fewer underscores, no .L label, no SHN_ABS number'],
  [BASE + 0x1000n, null, 'behind the section'],
  [BASE + 0x2004n, 'variable+0x4', 'data'],
  [BASE - 1n, null, 'below everything'],
  [0n, null, 'far below'],
  [0xffffffffffffffffn, null, 'far above'],
] as const) {
  test(`an ELF file names 0x${address.toString(16)} ${expected ?? 'by nothing'}: ${why}`, () => {
    assert.equal(at(tableOf(kernel()), address), expected);
  });
}

test('a label at the end of its section does not reach beyond it', () => {
  const table = tableOf(kernel({ symbols: [{ name: 'last', value: BASE + 0xff0n, type: 0 }] }));
  assert.equal(at(table, BASE + 0xfffn), 'last+0xf');
  assert.equal(at(table, BASE + 0x1000n), null);
});

test('an ELF32 file and .dynsym are read by their own layout', () => {
  const elf = elfFile({
    bits: 32,
    entry: 0x100000n,
    segments: [{ physical: 0x100000n, virtual: 0xc0100000n, bytes: new Uint8Array(64) }],
  });
  const table = tableOf(
    withSymbols(elf, {
      bits: 32,
      sections: [{ name: '.text', address: 0xc0100000n, size: 0x40n }],
      symbols: [{ name: 'start', value: 0xc0100000n, size: 0x10n }],
      tableType: 11,
    }),
  );
  assert.equal(at(table, 0xc0100004n), 'start+0x4');
  assert.equal(linkedAddress(table, 0x100004n), 0xc0100004n);
  assert.equal(linkedAddress(table, 0x100040n), null);
});

test('per-CPU symbols, which are offsets, name nothing', () => {
  const table = tableOf(
    kernel({
      sections: [TEXT, { name: '.data..percpu', address: 0n, size: 0x1000n }],
      symbols: [
        { name: 'start', value: BASE },
        { name: 'gdt_page', value: 0x40n, section: '.data..percpu', type: 1 },
      ],
    }),
  );
  assert.equal(at(table, 0x48n), null);
  assert.equal(at(table, BASE + 1n), 'start+0x1');
});

test('a stripped file has no symbols, which is no error', () => {
  const elf = elfFile({
    entry: 0x1000n,
    segments: [{ physical: 0x1000n, virtual: 0x1000n, bytes: TEXT_BYTES }],
  });
  assert.equal(elfSymbols(elf), null);
});
const TEXT_BYTES = Uint8Array.of(0xf4);

/** Section 3 is the symbol table, 4 its strings. */
for (const [name, patch, message] of [
  ['e_shoff', (v) => v.setBigUint64(40, 0x99999n, true), /e_shoff 0x99999 leaves no section header/],
  ['e_shnum', (v) => v.setUint16(60, 999, true), /e_shoff 0x[0-9a-f]+ with e_shnum 999 ends at/],
  ['e_shentsize', (v) => v.setUint16(58, 40, true), /e_shentsize is 40, an ELF64 section header has 64/],
  [
    'sh_offset',
    (v, at) => v.setBigUint64(at(3) + 24, 0x99999n, true),
    /section 3 \(\.symtab\): sh_offset 0x99999 with sh_size/,
  ],
  [
    'sh_size',
    (v, at) => v.setBigUint64(at(3) + 32, 25n, true),
    /sh_size 0x19 is no multiple of sh_entsize 24/,
  ],
  [
    'sh_entsize',
    (v, at) => v.setBigUint64(at(3) + 56, 16n, true),
    /sh_entsize is 16, an ELF64 symbol has 24 bytes/,
  ],
  ['sh_link', (v, at) => v.setUint32(at(3) + 40, 77, true), /sh_link is 77, and there are 6 sections/],
  [
    'the string table',
    (v, at) => v.setBigUint64(at(4) + 32, 4n, true),
    /symbol 1 has st_name 0x[0-9a-f]+, behind the 0x4 bytes|symbol 2 has st_name/,
  ],
] as const satisfies readonly (readonly [
  string,
  (view: DataView, at: (index: number) => number) => void,
  RegExp,
])[]) {
  test(`a lying ${name} is named with its numbers`, () => {
    const wrong = elfSymbols(
      kernel({
        patch: (view, { sections, headerSize }) => patch(view, (index) => sections + index * headerSize),
      }),
    );
    assert.ok(wrong && 'problem' in wrong, 'it is refused');
    assert.match(wrong.problem, message);
  });
}

test('a name without an end stops with its string table, or after 4096 bytes', () => {
  const long = 'x'.repeat(5000);
  const table = tableOf(kernel({ symbols: [{ name: long, value: BASE, size: 0x20n }] }));
  assert.equal(at(table, BASE), long.slice(0, 4096));
});

test('a file that ends anywhere, or has any byte changed, gives symbols or a sentence', () => {
  const whole = kernel();
  fc.assert(
    fc.property(fc.nat(whole.length), fc.nat(whole.length - 1), fc.nat(255), (length, place, value) => {
      const bytes = whole.slice(0, length);
      if (place < length) bytes[place] = value;
      const result = elfSymbols(bytes);
      return result === null || ('problem' in result ? result.problem.length > 0 : true);
    }),
    { numRuns: 2000 },
  );
});

const MAP = [
  '0000000000000000 D __per_cpu_start',
  '0000000000000000 D fixed_percpu_data',
  '0000000000001000 A cpu_debug_store',
  '0000000000030000 D __per_cpu_end',
  '0000000001000000 A phys_startup_64',
  'ffffffff81000000 T _stext',
  'ffffffff81000000 T startup_64',
  'ffffffff81000040 t verify_cpu',
  'ffffffff81e00000 T entry_SYSCALL_64',
  'ffffffff81e01000 T entry_SYSENTER_compat',
  'ffffffff81e02000 t syscall_init',
  'ffffffff82e00000 B _end',
  '',
].join('\n');

function mapTable(text = MAP): SymbolTable {
  const table = parseSymbolListing(text);
  assert.ok(!('problem' in table), 'the file is right');
  return table;
}

for (const [address, expected] of [
  [0xffffffff81000010n, 'startup_64+0x10'],
  [0xffffffff81000050n, 'verify_cpu+0x10'],
  [0xffffffff81100040n, null],
  [0xffffffff82e00000n, '_end'],
  [0xffffffff82e00001n, null],
  [0x20n, null],
  [0x1000000n, null],
] as const) {
  test(`System.map names 0x${address.toString(16)} ${expected ?? 'by nothing'}`, () => {
    assert.equal(at(mapTable(), address), expected);
  });
}

test('nm -S and kallsyms with modules are lists too', () => {
  const table = mapTable('c0100000 00000010 T start\n         U missing\nc0200000 t probe\t[virtio]\n');
  assert.equal(at(table, 0xc010000fn), 'start+0xf');
  assert.equal(at(table, 0xc0100010n), null);
  assert.equal(at(table, 0xc0200000n), 'probe [virtio]');
});

for (const [name, text, message] of [
  [
    'Debian’s placeholder',
    'ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n',
    /placeholder with one line: "The real System\.map is in the linux-image-<version>-dbg package"/,
  ],
  ['hidden kallsyms', '0000000000000000 T _text\n0000000000000000 t f\n', /all its 2 addresses are 0/],
  ['an empty list', '\n', /no line with an address/],
] as const) {
  test(`${name} is told as such`, () => {
    const wrong = parseSymbolListing(text);
    assert.ok('problem' in wrong, 'it is refused');
    assert.match(wrong.problem, message);
  });
}

test('a list is recognised by its lines', () => {
  assert.equal(isSymbolListing(MAP), true);
  assert.equal(isSymbolListing('vm "a" {\n\tmemory 512M\n}\n'), false);
});

for (const [image, expected] of [
  ['vmlinuz-6.1.0', ['vmlinux-6.1.0', 'System.map-6.1.0', 'vmlinux', 'System.map', 'vmlinuz-6.1.0.debug']],
  ['bzImage', ['vmlinux', 'System.map', 'bzImage.debug']],
  ['bsd', ['bsd.gdb', 'bsd.debug']],
  ['vmlinux', ['System.map', 'vmlinux.debug']],
  ['kernel.elf', ['kernel.elf.debug']],
] as const) {
  test(`beside ${image} symbols are looked for in ${expected.join(', ')}`, () => {
    assert.deepEqual(symbolFileNames(image), expected);
  });
}

test('the symbols of a stripped image come from a file with the same code, and from no other', () => {
  const symbols = kernel();
  const stripped = elfFile({
    entry: 0x1000000n,
    segments: [
      { physical: 0x1000000n, virtual: BASE, bytes: new Uint8Array(64).fill(0x90), memorySize: 0x3000n },
    ],
  });
  const same = symbolsFor(stripped, 'vmlinux', symbols);
  assert.ok(!('problem' in same) && same.loadedAsLinked, 'the file is right');
  const code = new Uint8Array(64).fill(0x90);
  code[5] = 0xcc;
  const other = symbolsFor(stripped, 'vmlinux', kernel({ code }));
  assert.ok('problem' in other, 'it is refused');
  assert.match(
    other.problem,
    /another build: its byte at physical 0x1000005 is 0xcc, that of the image 0x90/,
  );
});

test('a list must name the entry point of an ELF image', () => {
  const image = kernel();
  const right = symbolsFor(image, 'System.map', new TextEncoder().encode('ffffffff81000000 T start\n'));
  assert.ok(!('problem' in right) && right.loadedAsLinked, 'the file is right');
  assert.equal(linkedAddress(right.table, 0x1000000n), BASE);
  const wrong = symbolsFor(image, 'System.map', new TextEncoder().encode('ffffffff81000040 T start\n'));
  assert.ok('problem' in wrong, 'it is refused');
  assert.match(wrong.problem, /no symbol at the image's entry point 0x1000000/);
});

const NO_EVIDENCE = { timeline: [], states: [], read: () => null };
const SLIDE = 0x1a200000n;
const write = (index: number, value: bigint, rip: bigint): TimelineEvent => ({
  event: 'msr-write',
  at: 1,
  vcpu: 0,
  index,
  value,
  rip,
});
const LSTAR = 0xc0000082;
const ENTRY = 0xffffffff81e00000n;

for (const [name, events, expected] of [
  [
    'LSTAR and SYSENTER_EIP agree',
    [write(LSTAR, ENTRY + SLIDE, 1n), write(0x176, ENTRY + 0x1000n + SLIDE, 1n)],
    SLIDE,
  ],
  ['LSTAR is written by syscall_init', [write(LSTAR, ENTRY + SLIDE, 0xffffffff81e02010n + SLIDE)], SLIDE],
  ['the kernel did not move', [write(LSTAR, ENTRY, 0xffffffff81e02010n)], 0n],
  ['LSTAR alone proves nothing', [write(LSTAR, ENTRY + SLIDE, 1n)], null],
  [
    'LSTAR is not on 2 MiB from the symbol',
    [write(LSTAR, ENTRY + SLIDE + 0x40n, 0xffffffff81e02050n + SLIDE)],
    null,
  ],
  [
    'the kernel would have moved too far',
    [write(LSTAR, ENTRY + (1n << 31n), 0xffffffff81e02010n + (1n << 31n))],
    null,
  ],
  [
    'two boots moved differently',
    [write(LSTAR, ENTRY, 0xffffffff81e02010n), write(LSTAR, ENTRY + SLIDE, 0xffffffff81e02010n + SLIDE)],
    null,
  ],
  ['nothing was written', [], null],
] as const) {
  test(`KASLR: ${name}: ${expected === null ? 'unknown' : `0x${expected.toString(16)}`}`, () => {
    assert.equal(kernelSlide(mapTable(), events), expected);
  });
}

test('a kernel that moved by an unknown distance gets no names, and the reason is told', () => {
  const none = createSymbolizer(
    { file: 'System.map', table: mapTable(), loadedAsLinked: false },
    NO_EVIDENCE,
  );
  assert.ok(typeof none === 'string', 'it is refused');
  assert.match(none, /System\.map: the kernel may have moved itself \(KASLR\)/);
});

test('a timeline names physical addresses only until the kernel has run where it is linked', () => {
  const table = tableOf(kernel());
  const symbolizer = createSymbolizer({ file: 'vmlinux', table, loadedAsLinked: true }, NO_EVIDENCE);
  assert.ok(typeof symbolizer !== 'string');
  const halt = (rip: bigint): TimelineEvent => ({ event: 'halt', at: 1, vcpu: 0, rip });
  const events: TimelineEvent[] = [
    halt(0x1000004n),
    { event: 'mode', at: 2, vcpu: 0, from: 'protected-32', to: 'long', rip: 0x1000008n, paging: '4-level' },
    halt(0x1000010n),
    halt(BASE + 0x204n),
    halt(0x1000010n),
    { event: 'sipi', at: 3, vcpu: 0, vector: 1 },
    halt(0x1000010n),
  ];
  assert.deepEqual(
    symbolizer.ofTimeline(events, ['long']).map(({ symbol }) => symbol ?? null),
    ['start+0x4', 'start+0x8', 'start+0x10', 'main+0x4', null, null, null],
  );
});

/** A page of an IDT at physical 0, linear as `idtr` says, with gates to these addresses. */
function withHandlers(handlers: Readonly<Record<number, bigint>>) {
  const memory = new Uint8Array(0x10000);
  const view = new DataView(memory.buffer);
  for (const [vector, address] of Object.entries(handlers)) {
    const at = Number(vector) * 16;
    view.setUint16(at, Number(address & 0xffffn), true);
    view.setUint16(at + 2, 0x10, true);
    view.setUint16(at + 4, 0x8e00, true);
    view.setUint16(at + 6, Number((address >> 16n) & 0xffffn), true);
    view.setUint32(at + 8, Number(address >> 32n), true);
  }
  // Paging: 0xfffffe0000000000 is physical 0, by large pages.
  [0x2000, 0x3000, 0x4000].forEach((table, level) => {
    const index = Number((0xfffffe0000000000n >> BigInt(39 - 9 * level)) & 0x1ffn);
    view.setBigUint64(table + index * 8, level === 2 ? 0x83n : BigInt(table) + 0x1003n, true);
  });
  const state = {
    ...flatProtected32(0n, {}),
    cr0: 0x80000011n,
    cr3: 0x2000n,
    cr4: 0x20n,
    efer: 0x500n,
    idtr: { base: 0xfffffe0000000000n, limit: 0xfff },
  };
  return { state, read: (at: bigint, length: number) => memory.slice(Number(at), Number(at) + length) };
}

const HANDLERS = mapTable(
  [
    'ffffffff81e00a00 T asm_exc_divide_error',
    'ffffffff81e00a40 T asm_exc_int3',
    'ffffffff81e00a80 T asm_exc_general_protection',
    'ffffffff81e00ac0 T asm_exc_page_fault',
  ].join('\n'),
);
const HANDLER = 0xffffffff81e00a00n;

for (const [name, handlers, expected] of [
  [
    'all moved as far',
    { 0: HANDLER + SLIDE, 3: HANDLER + 0x40n + SLIDE, 14: HANDLER + 0xc0n + SLIDE },
    SLIDE,
  ],
  ['none moved', { 0: HANDLER, 3: HANDLER + 0x40n, 13: HANDLER + 0x80n }, 0n],
  [
    'one moved differently',
    { 0: HANDLER, 3: HANDLER + 0x40n, 13: HANDLER + 0x80n, 14: HANDLER + 0xc0n + SLIDE },
    null,
  ],
  ['two are too few', { 0: HANDLER, 3: HANDLER + 0x40n }, null],
  ['of another kernel', { 0: HANDLER + 0x40n, 3: HANDLER + 0x80n, 13: HANDLER + 0xc0n }, null],
] as const) {
  test(`the handlers of the IDT: ${name}: ${expected === null ? 'unknown' : `0x${expected.toString(16)}`}`, () => {
    const { state, read } = withHandlers(handlers);
    assert.equal(slideOfHandlers(HANDLERS, state, read), expected);
  });
}

test('an IDT and an IA32_LSTAR that disagree prove nothing', () => {
  const table = mapTable(
    `${MAP}ffffffff81e00a00 T asm_exc_divide_error\nffffffff81e00a40 T asm_exc_int3\nffffffff81e00a80 T asm_exc_invalid_op\n`,
  );
  const handlers = { 0: HANDLER + SLIDE, 3: HANDLER + 0x40n + SLIDE, 6: HANDLER + 0x80n + SLIDE };
  const { state, read } = withHandlers(handlers);
  const symbols = { file: 'System.map', table, loadedAsLinked: false };
  const lstar = (slide: bigint) => [write(LSTAR, ENTRY + slide, 0xffffffff81e02010n + slide)];
  const create = (slide: bigint) =>
    createSymbolizer(symbols, { timeline: lstar(slide), states: [state], read });
  assert.equal(typeof create(0n), 'string');
  const agreeing = create(SLIDE);
  assert.ok(typeof agreeing !== 'string', 'both agree');
  assert.equal(
    agreeing.ofState(
      {
        ...state,
        rip: 0xffffffff81000010n + SLIDE,
        segments: { ...state.segments, cs: { ...state.segments.cs, attributes: 0xa09b } },
      },
      read,
    ),
    'startup_64+0x10',
  );
});

test('a file of any size can be told from a list of symbols, and a list has an end', () => {
  const huge = new Uint8Array(600 * 1024 * 1024);
  const problemOf = (bytes: Uint8Array) => {
    const found = symbolsFor(null, 'disk.img', bytes);
    return 'problem' in found ? found.problem : null;
  };
  assert.equal(problemOf(huge), 'it is neither an ELF file nor a list of symbols such as System.map');
  huge.set(new TextEncoder().encode('ffffffff81000000 T _text\n'));
  assert.equal(problemOf(huge), 'the list has 629145600 bytes, more than 67108864 (64 MiB)');
});
