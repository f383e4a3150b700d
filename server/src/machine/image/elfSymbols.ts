/** Symbols of an ELF file for x86, from `.symtab` or else `.dynsym` (gABI, chapter 4, Sections and Symbol Table). */
import { hex } from '../../address/format';
import { parseElf } from './elf';
import type { ImageProblem } from './problem';
import { createSymbolTable, type SymbolEntry, type SymbolTable } from './symbolTable';

const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;
const SHT_DYNSYM = 11;
const SHF_ALLOC = 2;
const SHN_LORESERVE = 0xff00;
/** STT_NOTYPE, STT_OBJECT, STT_FUNC and STT_GNU_IFUNC: the others are sections, files and offsets of threads. */
const TYPES: ReadonlySet<number> = new Set([0, 1, 2, 10]);
const BINDINGS = ['local', 'global', 'weak'] as const;
/** Labels of assemblers and of other machines' ABIs. */
const NOT_NAMES = /^(\$[a-z]|\.L)/;
/** A kernel with everything in it has about a million. */
const MOST_SYMBOLS = 4_000_000;
/** Bytes of a name that are read: a string table may lack its zeros. */
const LONGEST_NAME = 4096;
/** Linux's per-CPU data before 6.15 lies at 0 in the file, and at no fixed address in memory. */
const PER_CPU = '.data..percpu';

interface Section {
  readonly index: number;
  readonly name: number;
  readonly type: number;
  readonly flags: bigint;
  readonly address: bigint;
  readonly offset: bigint;
  readonly size: bigint;
  readonly link: number;
  readonly entrySize: bigint;
}

/** Null where the file is right and has no symbols: a stripped one. A header that lies gives a problem that names its field. */
export function elfSymbols(bytes: Uint8Array): SymbolTable | ImageProblem | null {
  const elf = parseElf(bytes);
  if ('problem' in elf) return elf;
  const sections = readSections(bytes, elf.bits);
  if ('problem' in sections) return sections;
  const table =
    sections.list.find(({ type }) => type === SHT_SYMTAB) ??
    sections.list.find(({ type }) => type === SHT_DYNSYM);
  if (!table) return null;
  const entries = readSymbols(bytes, elf.bits, sections.list, table, sections.nameOf);
  if ('problem' in entries) return entries;
  const segments = elf.segments.map(({ virtual, physical, memorySize }) => ({
    virtual,
    physical,
    size: memorySize,
  }));
  return createSymbolTable(entries, segments);
}

interface Sections {
  readonly list: readonly Section[];
  readonly nameOf: (section: Section) => string;
}

function readSections(bytes: Uint8Array, bits: 32 | 64): Sections | ImageProblem {
  const wide = bits === 64;
  const view = viewOf(bytes);
  const tableAt = wide ? view.getBigUint64(40, true) : BigInt(view.getUint32(32, true));
  if (tableAt === 0n) return { list: [], nameOf: () => '' };
  const [sizeAt, expected] = wide ? [58, 64] : [46, 40];
  const entrySize = view.getUint16(sizeAt, true);
  if (entrySize !== expected) {
    return { problem: `e_shentsize is ${entrySize}, an ELF${bits} section header has ${expected} bytes` };
  }
  const read = (index: number) => readSection(view, Number(tableAt) + index * expected, index, wide);
  const room = BigInt(bytes.length) - tableAt;
  if (room < BigInt(expected)) {
    return {
      problem: `e_shoff ${hex(tableAt)} leaves no section header before the file's end at ${hex(bytes.length)}`,
    };
  }
  // With more than 0xfeff sections their number is the size of section 0.
  const count = view.getUint16(sizeAt + 2, true) || Number(read(0).size);
  if (BigInt(count) * BigInt(expected) > room) {
    const end = tableAt + BigInt(count) * BigInt(expected);
    return {
      problem: `e_shoff ${hex(tableAt)} with e_shnum ${count} ends at ${hex(end)}, behind the file's ${hex(bytes.length)} bytes`,
    };
  }
  const list = Array.from({ length: count }, (_, index) => read(index));
  const names = list[view.getUint16(sizeAt + 4, true)];
  return {
    list,
    nameOf: ({ name }) => (names && inFile(names, bytes) ? (textAt(bytes, names, name) ?? '') : ''),
  };
}

function readSection(view: DataView, at: number, index: number, wide: boolean): Section {
  const word = (narrow: number, long: number) =>
    wide ? view.getBigUint64(at + long, true) : BigInt(view.getUint32(at + narrow, true));
  return {
    index,
    name: view.getUint32(at, true),
    type: view.getUint32(at + 4, true),
    flags: word(8, 8),
    address: word(12, 16),
    offset: word(16, 24),
    size: word(20, 32),
    link: view.getUint32(at + (wide ? 40 : 24), true),
    entrySize: word(36, 56),
  };
}

function readSymbols(
  bytes: Uint8Array,
  bits: 32 | 64,
  sections: readonly Section[],
  table: Section,
  nameOf: (section: Section) => string,
): SymbolEntry[] | ImageProblem {
  const title = `section ${table.index}${nameOf(table) ? ` (${nameOf(table)})` : ''}`;
  const expected = bits === 64 ? 24 : 16;
  if (table.entrySize !== BigInt(expected)) {
    return {
      problem: `${title}: sh_entsize is ${table.entrySize}, an ELF${bits} symbol has ${expected} bytes`,
    };
  }
  if (!inFile(table, bytes)) return { problem: outside(title, table, bytes) };
  if (table.size % table.entrySize !== 0n) {
    return { problem: `${title}: sh_size ${hex(table.size)} is no multiple of sh_entsize ${expected}` };
  }
  const count = Number(table.size / table.entrySize);
  if (count > MOST_SYMBOLS) {
    return { problem: `${title}: it has ${count} symbols, more than the ${MOST_SYMBOLS} that are read` };
  }
  const strings = sections[table.link];
  if (!strings) {
    return { problem: `${title}: sh_link is ${table.link}, and there are ${sections.length} sections` };
  }
  if (!inFile(strings, bytes)) return { problem: outside(`section ${strings.index}`, strings, bytes) };
  const view = viewOf(bytes);
  const entries: SymbolEntry[] = [];
  const outsideMemory = new Set(
    sections
      .filter((section) => (section.flags & BigInt(SHF_ALLOC)) === 0n || nameOf(section) === PER_CPU)
      .map(({ index }) => index),
  );
  for (let index = 1; index < count; index++) {
    const at = Number(table.offset) + index * expected;
    const symbol = bits === 64 ? symbol64(view, at) : symbol32(view, at);
    const { section, info } = symbol;
    if (section === 0 || section >= SHN_LORESERVE || outsideMemory.has(section)) continue;
    if (!TYPES.has(info & 15)) continue;
    const home = sections[section];
    if (!home) {
      return {
        problem: `${title}: symbol ${index} has st_shndx ${section}, and there are ${sections.length} sections`,
      };
    }
    const name = textAt(bytes, strings, symbol.name);
    if (name === null) {
      return {
        problem: `${title}: symbol ${index} has st_name ${hex(symbol.name)}, behind the ${hex(strings.size)} bytes of its string table`,
      };
    }
    const limit = home.address + home.size;
    // An end marker of a section covers nothing.
    if (name === '' || NOT_NAMES.test(name) || symbol.value < home.address || symbol.value >= limit) continue;
    entries.push({
      name,
      start: symbol.value,
      size: symbol.size,
      limit,
      binding: BINDINGS[info >> 4] ?? 'global',
    });
  }
  return entries;
}

interface RawSymbol {
  readonly name: number;
  readonly info: number;
  readonly section: number;
  readonly value: bigint;
  readonly size: bigint;
}

function symbol64(view: DataView, at: number): RawSymbol {
  return {
    name: view.getUint32(at, true),
    info: view.getUint8(at + 4),
    section: view.getUint16(at + 6, true),
    value: view.getBigUint64(at + 8, true),
    size: view.getBigUint64(at + 16, true),
  };
}

function symbol32(view: DataView, at: number): RawSymbol {
  return {
    name: view.getUint32(at, true),
    info: view.getUint8(at + 12),
    section: view.getUint16(at + 14, true),
    value: BigInt(view.getUint32(at + 4, true)),
    size: BigInt(view.getUint32(at + 8, true)),
  };
}

function inFile({ type, offset, size }: Section, bytes: Uint8Array): boolean {
  return type !== SHT_NOBITS && offset + size <= BigInt(bytes.length);
}

function outside(title: string, { offset, size }: Section, bytes: Uint8Array): string {
  return `${title}: sh_offset ${hex(offset)} with sh_size ${hex(size)} ends behind the file's ${hex(bytes.length)} bytes`;
}

const UTF8 = new TextDecoder();

/** A string of a string table, cut off at LONGEST_NAME and at the table's end; null where its offset is behind that. */
function textAt(bytes: Uint8Array, { offset, size }: Section, at: number): string | null {
  if (BigInt(at) >= size) return null;
  const start = Number(offset) + at;
  const text = bytes.subarray(start, Math.min(Number(offset + size), start + LONGEST_NAME));
  const end = text.indexOf(0);
  return UTF8.decode(end < 0 ? text : text.subarray(0, end));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
