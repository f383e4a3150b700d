/** The ELF header and its two tables (System V ABI, gABI chapters 4 and 5), for x86. */
import { hex } from '../../address/format';
import type { ImageProblem } from './problem';

/** A program header as written; nothing of it is checked. */
export interface ProgramHeader {
  readonly index: number;
  readonly type: number;
  readonly flags: number;
  readonly offset: bigint;
  readonly virtual: bigint;
  readonly physical: bigint;
  readonly fileSize: bigint;
  readonly memorySize: bigint;
  readonly alignment: bigint;
}

/** A section header as written; nothing of it is checked. */
export interface SectionHeader {
  readonly index: number;
  readonly type: number;
  readonly offset: bigint;
  readonly size: bigint;
  readonly alignment: bigint;
}

export interface ElfHeader {
  readonly bits: 32 | 64;
  readonly entry: bigint;
  readonly programHeaders: readonly ProgramHeader[];
  /** Empty where there is no table within the file: a loader does not need one. */
  readonly sectionHeaders: readonly SectionHeader[];
}

export const PT_LOAD = 1;
export const PT_NOTE = 4;
export const SHT_NOTE = 7;

const EM_386 = 3;
const EM_X86_64 = 62;

/** True where the bytes start with the ELF magic, whatever follows. */
export function isElf(bytes: Uint8Array): boolean {
  return (
    bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46
  );
}

/** Offsets of the header's fields, and sizes of header and table entries in bytes. */
const LAYOUT = {
  32: {
    header: 52,
    program: 32,
    section: 40,
    at: { phoff: 28, shoff: 32, phentsize: 42, phnum: 44, shentsize: 46, shnum: 48 },
  },
  64: {
    header: 64,
    program: 56,
    section: 64,
    at: { phoff: 32, shoff: 40, phentsize: 54, phnum: 56, shentsize: 58, shnum: 60 },
  },
} as const;

/** Reads an executable's header and tables. Every field that lies gives a problem that names it; nothing is thrown. */
export function parseElfHeader(bytes: Uint8Array): ElfHeader | ImageProblem {
  if (!isElf(bytes)) return problem('the file does not start with 0x7f "ELF"');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bits = bytes[4] === 1 ? 32 : bytes[4] === 2 ? 64 : null;
  if (bits === null)
    return problem(`EI_CLASS is ${bytes[4] ?? 'missing'}, neither 1 (32-bit) nor 2 (64-bit)`);
  if (bytes[5] !== 1) return problem(`EI_DATA is ${bytes[5] ?? 'missing'}, not 1 (little endian)`);
  const layout = LAYOUT[bits];
  if (bytes.length < layout.header) {
    return problem(`the file has ${bytes.length} bytes, the ELF${bits} header alone has ${layout.header}`);
  }
  const type = view.getUint16(16, true);
  if (type !== 2 && type !== 3)
    return problem(`e_type is ${type}, neither 2 (executable) nor 3 (shared object)`);
  const machine = view.getUint16(18, true);
  if (machine !== EM_386 && machine !== EM_X86_64) {
    return problem(`e_machine is ${machine}, neither 3 (80386) nor 62 (x86-64)`);
  }
  const word = (at: number) => (bits === 64 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true)));
  const tableAt = word(layout.at.phoff);
  const entrySize = view.getUint16(layout.at.phentsize, true);
  const count = view.getUint16(layout.at.phnum, true);
  if (count === 0) return problem('e_phnum is 0: there is nothing to load');
  if (entrySize !== layout.program) {
    return problem(`e_phentsize is ${entrySize}, an ELF${bits} program header has ${layout.program} bytes`);
  }
  const tableEnd = tableAt + BigInt(count * layout.program);
  if (tableEnd > BigInt(bytes.length)) {
    return problem(
      `e_phoff ${hex(tableAt)} with e_phnum ${count} ends at ${hex(tableEnd)}, behind the file's ${hex(bytes.length)} bytes`,
    );
  }
  return {
    bits,
    entry: word(24),
    programHeaders: Array.from({ length: count }, (_, index) =>
      programHeader(view, Number(tableAt) + index * layout.program, index, bits),
    ),
    sectionHeaders: sectionHeaders(view, word(layout.at.shoff), bits),
  };
}

function programHeader(view: DataView, at: number, index: number, bits: 32 | 64): ProgramHeader {
  const wide = bits === 64;
  const word = (index64: number, at32: number) =>
    wide ? view.getBigUint64(at + 8 * index64, true) : BigInt(view.getUint32(at + at32, true));
  return {
    index,
    type: view.getUint32(at, true),
    flags: view.getUint32(at + (wide ? 4 : 24), true),
    offset: word(1, 4),
    virtual: word(2, 8),
    physical: word(3, 12),
    fileSize: word(4, 16),
    memorySize: word(5, 20),
    alignment: word(6, 28),
  };
}

function sectionHeaders(view: DataView, tableAt: bigint, bits: 32 | 64): SectionHeader[] {
  const { at, section } = LAYOUT[bits];
  const count = view.getUint16(at.shnum, true);
  if (view.getUint16(at.shentsize, true) !== section) return [];
  if (tableAt === 0n || tableAt + BigInt(count * section) > BigInt(view.byteLength)) return [];
  return Array.from({ length: count }, (_, index) => {
    const start = Number(tableAt) + index * section;
    const word = (at64: number, at32: number) =>
      bits === 64 ? view.getBigUint64(start + at64, true) : BigInt(view.getUint32(start + at32, true));
    const type = view.getUint32(start + 4, true);
    return { index, type, offset: word(24, 16), size: word(32, 20), alignment: word(48, 32) };
  });
}

function problem(text: string): ImageProblem {
  return { problem: text };
}
