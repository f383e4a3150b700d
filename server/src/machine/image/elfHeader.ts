/** The ELF header and the program headers (System V ABI, gABI chapters 4 and 5), for x86. */
import { hex } from '../../address/format';
import type { ImageProblem } from './problem';

/** What the header says before anything is looked for by it. */
export interface ElfIdentity {
  readonly bits: 32 | 64;
  /** `e_type` as written. */
  readonly type: number;
  readonly machine: typeof EM_386 | typeof EM_X86_64;
  readonly view: DataView;
}

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

/** An executable. */
export interface ElfHeader {
  readonly bits: 32 | 64;
  readonly entry: bigint;
  readonly programHeaders: readonly ProgramHeader[];
}

export const ET_CORE = 4;
const EM_386 = 3;
export const EM_X86_64 = 62;
export const PT_LOAD = 1;
export const PT_NOTE = 4;
/** `e_phnum` where the number is `sh_info` of section 0 (gABI, PN_XNUM). */
const PN_XNUM = 0xffff;

/** True where the bytes start with the ELF magic, whatever follows. */
export function isElf(bytes: Uint8Array): boolean {
  return (
    bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46
  );
}

/** Offsets of the header's fields and of `sh_info`, and sizes of the header and of a program header in bytes. */
const LAYOUT = {
  32: { header: 52, program: 32, phoff: 28, shoff: 32, phentsize: 42, phnum: 44, sectionInfo: 28 },
  64: { header: 64, program: 56, phoff: 32, shoff: 40, phentsize: 54, phnum: 56, sectionInfo: 44 },
} as const;

/** The class and the machine; a problem for what is no whole header, or none of x86. */
export function elfIdentity(bytes: Uint8Array): ElfIdentity | ImageProblem {
  if (!isElf(bytes)) return problem('the file does not start with 0x7f "ELF"');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bits = bytes[4] === 1 ? 32 : bytes[4] === 2 ? 64 : null;
  if (bits === null)
    return problem(`EI_CLASS is ${bytes[4] ?? 'missing'}, neither 1 (32-bit) nor 2 (64-bit)`);
  if (bytes[5] !== 1) return problem(`EI_DATA is ${bytes[5] ?? 'missing'}, not 1 (little endian)`);
  const { header } = LAYOUT[bits];
  if (bytes.length < header) {
    return problem(`the file has ${bytes.length} bytes, the ELF${bits} header alone has ${header}`);
  }
  const machine = view.getUint16(18, true);
  if (machine !== EM_386 && machine !== EM_X86_64) {
    return problem(`e_machine is ${machine}, neither 3 (80386) nor 62 (x86-64)`);
  }
  return { bits, type: view.getUint16(16, true), machine, view };
}

/** Reads an executable's header and program headers. Every field that lies gives a problem that names it; nothing is thrown. */
export function parseElfHeader(bytes: Uint8Array): ElfHeader | ImageProblem {
  const identity = elfIdentity(bytes);
  if ('problem' in identity) return identity;
  const { bits, type, view } = identity;
  if (type !== 2 && type !== 3)
    return problem(`e_type is ${type}, neither 2 (executable) nor 3 (shared object)`);
  const headers = programHeaders(identity);
  if ('problem' in headers) return headers;
  if (headers.list.length === 0) return problem('e_phnum is 0: there is nothing to load');
  return { bits, entry: wordAt(view, 24, bits), programHeaders: headers.list };
}

/** All program headers, of cores too. */
export function programHeaders({
  bits,
  view,
}: ElfIdentity): { readonly list: readonly ProgramHeader[] } | ImageProblem {
  const layout = LAYOUT[bits];
  const entrySize = view.getUint16(layout.phentsize, true);
  const count = programHeaderCount(view, bits);
  if (typeof count !== 'number') return count;
  if (count > 0 && entrySize !== layout.program) {
    return problem(`e_phentsize is ${entrySize}, an ELF${bits} program header has ${layout.program} bytes`);
  }
  const tableAt = wordAt(view, layout.phoff, bits);
  const tableEnd = tableAt + BigInt(count * layout.program);
  if (tableEnd > BigInt(view.byteLength)) {
    return problem(
      `e_phoff ${hex(tableAt)} with e_phnum ${count} ends at ${hex(tableEnd)}, behind the file's ${hex(view.byteLength)} bytes`,
    );
  }
  const list = Array.from({ length: count }, (_, index) =>
    programHeader(view, Number(tableAt) + index * layout.program, index, bits),
  );
  return { list };
}

function programHeaderCount(view: DataView, bits: 32 | 64): number | ImageProblem {
  const layout = LAYOUT[bits];
  const count = view.getUint16(layout.phnum, true);
  if (count !== PN_XNUM) return count;
  const sections = wordAt(view, layout.shoff, bits);
  const info = Number(sections) + layout.sectionInfo;
  return sections === 0n || info + 4 > view.byteLength
    ? problem(`e_phnum is 0xffff, and e_shoff ${hex(sections)} has no section 0 that tells the number`)
    : view.getUint32(info, true);
}

function programHeader(view: DataView, at: number, index: number, bits: 32 | 64): ProgramHeader {
  const wide = bits === 64;
  const word = (index64: number, at32: number) => wordAt(view, at + (wide ? 8 * index64 : at32), bits);
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

/** A field as wide as an address of the class. */
export function wordAt(view: DataView, at: number, bits: 32 | 64): bigint {
  return bits === 64 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
}

function problem(text: string): ImageProblem {
  return { problem: text };
}
