/** The ELF-symbols tag of Multiboot2: the section headers, and in memory the sections that no segment holds (3.6.7). */
import { sectionHeaders, SHF_ALLOC, SHT_NOBITS, SHT_NULL } from '../../machine/image/elfSections';
import type { FreePages } from './freePages';
import type { LoadTarget } from './loader';

export interface PlacedSections {
  readonly count: number;
  /** Bytes of an entry. */
  readonly entrySize: number;
  /** Index of the section with the sections' names. */
  readonly names: number;
  readonly bytes: Uint8Array;
}

/** Offsets of `sh_addr` in a section header, by its size. */
const ADDRESS = { 40: 12, 64: 16 } as const;
const FOUR_GIB = 1n << 32n;

/**
 * The file's section headers; a section that is not loaded with a segment, such as symbols, gets pages of its own and its
 * `sh_addr`. Null for a file that has no such table.
 */
export function placeSections(
  file: Uint8Array,
  pages: FreePages,
  target: Pick<LoadTarget, 'write'>,
): PlacedSections | null {
  const sections = sectionHeaders(file);
  if ('problem' in sections || sections.list.length === 0) return null;
  const { at, entrySize, names, list } = sections;
  const bytes = file.slice(at, at + list.length * entrySize);
  const table = new DataView(bytes.buffer);
  for (const { index, type, flags, offset, size } of list) {
    if ((flags & SHF_ALLOC) !== 0n || type === SHT_NULL || type === SHT_NOBITS || size === 0n) continue;
    if (offset + size > BigInt(file.length)) continue;
    const contents = file.subarray(Number(offset), Number(offset + size));
    const start = pages.high(contents.length, FOUR_GIB - 1n);
    if (start === null || !target.write(start, contents)) continue;
    const address = index * entrySize + ADDRESS[entrySize];
    if (entrySize === 64) table.setBigUint64(address, start, true);
    else table.setUint32(address, Number(start), true);
  }
  return { count: list.length, entrySize, names, bytes };
}
