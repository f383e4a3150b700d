/** The section headers of an ELF file for x86 (System V gABI, chapter 4, Sections). */
import { hex } from '../../address/format';
import { elfIdentity, wordAt } from './elfHeader';
import type { ImageProblem } from './problem';

/** A section header as written; nothing of it is checked. */
export interface SectionHeader {
  readonly index: number;
  /** Offset of its name in the section of names. */
  readonly name: number;
  readonly type: number;
  readonly flags: bigint;
  readonly address: bigint;
  readonly offset: bigint;
  readonly size: bigint;
  readonly link: number;
  readonly alignment: bigint;
  readonly entrySize: bigint;
}

export interface SectionTable {
  /** Offset in the file. */
  readonly at: number;
  /** Bytes of an entry. */
  readonly entrySize: 40 | 64;
  /** Index of the section with the sections' names. */
  readonly names: number;
  /** Empty where the file has no table. */
  readonly list: readonly SectionHeader[];
}

export const SHT_NULL = 0;
export const SHT_SYMTAB = 2;
export const SHT_NOTE = 7;
export const SHT_NOBITS = 8;
export const SHT_DYNSYM = 11;
export const SHF_ALLOC = 2n;

/** Offsets of fields of the ELF header. */
const LAYOUT = {
  32: { entrySize: 40, shoff: 32, shentsize: 46 },
  64: { entrySize: 64, shoff: 40, shentsize: 58 },
} as const;

/** The table, or which field of the header lies. */
export function sectionHeaders(bytes: Uint8Array): SectionTable | ImageProblem {
  const identity = elfIdentity(bytes);
  if ('problem' in identity) return identity;
  const { bits, view } = identity;
  const { entrySize, shoff, shentsize } = LAYOUT[bits];
  const at = wordAt(view, shoff, bits);
  const names = view.getUint16(shentsize + 4, true);
  if (at === 0n) return { at: 0, entrySize, names, list: [] };
  const given = view.getUint16(shentsize, true);
  if (given !== entrySize) {
    return { problem: `e_shentsize is ${given}, an ELF${bits} section header has ${entrySize} bytes` };
  }
  const room = BigInt(bytes.length) - at;
  if (room < BigInt(entrySize)) {
    return {
      problem: `e_shoff ${hex(at)} leaves no section header before the file's end at ${hex(bytes.length)}`,
    };
  }
  const read = (index: number) => sectionHeader(view, Number(at) + index * entrySize, index, bits);
  // With more than 0xfeff sections their number is the size of section 0.
  const count = view.getUint16(shentsize + 2, true) || Number(read(0).size);
  const size = BigInt(count) * BigInt(entrySize);
  if (size > room) {
    return {
      problem: `e_shoff ${hex(at)} with e_shnum ${count} ends at ${hex(at + size)}, behind the file's ${hex(bytes.length)} bytes`,
    };
  }
  return { at: Number(at), entrySize, names, list: Array.from({ length: count }, (_, index) => read(index)) };
}

function sectionHeader(view: DataView, at: number, index: number, bits: 32 | 64): SectionHeader {
  const wide = bits === 64;
  const word = (narrow: number, long: number) => wordAt(view, at + (wide ? long : narrow), bits);
  return {
    index,
    name: view.getUint32(at, true),
    type: view.getUint32(at + 4, true),
    flags: word(8, 8),
    address: word(12, 16),
    offset: word(16, 24),
    size: word(20, 32),
    link: view.getUint32(at + (wide ? 40 : 24), true),
    alignment: word(32, 48),
    entrySize: word(36, 56),
  };
}
