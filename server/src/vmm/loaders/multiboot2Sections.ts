/** The ELF-symbols tag of Multiboot2: the section headers, and in memory the sections that no segment holds (3.6.7). */
import { parseElfHeader } from '../../machine/image/elfHeader';
import type { FreePages } from './freePages';
import type { LoadTarget } from './loader';

export interface SectionTable {
  readonly count: number;
  /** Bytes of an entry. */
  readonly entrySize: number;
  /** Index of the section with the sections' names. */
  readonly names: number;
  readonly bytes: Uint8Array;
}

/** Offsets in the ELF header and in a section header (gABI, chapter 4). */
const LAYOUT = {
  32: { table: 32, entrySize: 46, names: 50, size: 40, flags: 8, address: 12 },
  64: { table: 40, entrySize: 58, names: 62, size: 64, flags: 8, address: 16 },
} as const;
const SHT_NULL = 0;
const SHT_NOBITS = 8;
const SHF_ALLOC = 2;
const FOUR_GIB = 1n << 32n;

/**
 * The file's section headers; a section that is not loaded with a segment, such as symbols, gets pages of its own and its
 * `sh_addr`. Null for a file that has no such table.
 */
export function placeSections(
  file: Uint8Array,
  pages: FreePages,
  target: Pick<LoadTarget, 'write'>,
): SectionTable | null {
  const elf = parseElfHeader(file);
  if ('problem' in elf || elf.sectionHeaders.length === 0) return null;
  const layout = LAYOUT[elf.bits];
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const at =
    elf.bits === 64 ? Number(view.getBigUint64(layout.table, true)) : view.getUint32(layout.table, true);
  const bytes = file.slice(at, at + elf.sectionHeaders.length * layout.size);
  const table = new DataView(bytes.buffer);
  for (const { index, type, offset, size } of elf.sectionHeaders) {
    const entry = index * layout.size;
    const loaded = (table.getUint32(entry + layout.flags, true) & SHF_ALLOC) !== 0;
    if (loaded || type === SHT_NULL || type === SHT_NOBITS || size === 0n) continue;
    if (offset + size > BigInt(file.length)) continue;
    const contents = file.subarray(Number(offset), Number(offset + size));
    const start = pages.high(contents.length, FOUR_GIB - 1n);
    if (start === null || !target.write(start, contents)) continue;
    if (elf.bits === 64) table.setBigUint64(entry + layout.address, start, true);
    else table.setUint32(entry + layout.address, Number(start), true);
  }
  return {
    count: elf.sectionHeaders.length,
    entrySize: layout.size,
    names: view.getUint16(layout.names, true),
    bytes,
  };
}
