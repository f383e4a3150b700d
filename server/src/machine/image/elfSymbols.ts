/** Symbols of an ELF file for x86, from `.symtab` or else `.dynsym` (gABI, chapter 4, Sections and Symbol Table). */
import { hex } from '../../address/format';
import { parseElf } from './elf';
import {
  sectionHeaders,
  SHF_ALLOC,
  SHT_DYNSYM,
  SHT_NOBITS,
  SHT_SYMTAB,
  type SectionHeader,
} from './elfSections';
import type { ImageProblem } from './problem';
import { createSymbolTable, type SymbolEntry, type SymbolTable } from './symbolTable';

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

/** Null where the file is right and has no symbols: a stripped one. A header that lies gives a problem that names its field. */
export function elfSymbols(bytes: Uint8Array): SymbolTable | ImageProblem | null {
  const elf = parseElf(bytes);
  if ('problem' in elf) return elf;
  const sections = sectionHeaders(bytes);
  if ('problem' in sections) return sections;
  const { list } = sections;
  const table = list.find(({ type }) => type === SHT_SYMTAB) ?? list.find(({ type }) => type === SHT_DYNSYM);
  if (!table) return null;
  const names = list[sections.names];
  const nameOf = ({ name }: SectionHeader) =>
    names && inFile(names, bytes) ? (textAt(bytes, names, name) ?? '') : '';
  const entries = readSymbols(bytes, elf.bits, list, table, nameOf);
  if ('problem' in entries) return entries;
  const segments = elf.segments.map(({ virtual, physical, memorySize }) => ({
    virtual,
    physical,
    size: memorySize,
  }));
  return createSymbolTable(entries, segments);
}

function readSymbols(
  bytes: Uint8Array,
  bits: 32 | 64,
  sections: readonly SectionHeader[],
  table: SectionHeader,
  nameOf: (section: SectionHeader) => string,
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
      .filter((section) => (section.flags & SHF_ALLOC) === 0n || nameOf(section) === PER_CPU)
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

function inFile({ type, offset, size }: SectionHeader, bytes: Uint8Array): boolean {
  return type !== SHT_NOBITS && offset + size <= BigInt(bytes.length);
}

function outside(title: string, { offset, size }: SectionHeader, bytes: Uint8Array): string {
  return `${title}: sh_offset ${hex(offset)} with sh_size ${hex(size)} ends behind the file's ${hex(bytes.length)} bytes`;
}

const UTF8 = new TextDecoder();

/** A string of a string table, cut off at LONGEST_NAME and at the table's end; null where its offset is behind that. */
function textAt(bytes: Uint8Array, { offset, size }: SectionHeader, at: number): string | null {
  if (BigInt(at) >= size) return null;
  const start = Number(offset) + at;
  const text = bytes.subarray(start, Math.min(Number(offset + size), start + LONGEST_NAME));
  const end = text.indexOf(0);
  return UTF8.decode(end < 0 ? text : text.subarray(0, end));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
