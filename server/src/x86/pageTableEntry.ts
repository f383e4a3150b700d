/** Entries of the paging structures. SDM vol. 3, 4.3 to 4.5 (tables 4-4 to 4-20); software bits as Linux uses them are not named. */
import { hex } from '../address/format';
import {
  bit,
  bits,
  choice,
  explainFields,
  field,
  flag,
  setFlags,
  type BitField,
  type Explanation,
} from './bitField';

/** Where an entry stands in 4-level, 5-level or PAE paging. */
export type TableLevel = 'pml5' | 'pml4' | 'pdpt' | 'pd' | 'pt';

/** Bytes that one entry covers in 4- and 5-level paging. */
const ENTRY_REACH: Readonly<Record<TableLevel, bigint>> = {
  pml5: 1n << 48n,
  pml4: 1n << 39n,
  pdpt: 1n << 30n,
  pd: 1n << 21n,
  pt: 1n << 12n,
};

const LEVEL_WORDS: Readonly<Record<string, TableLevel>> = {
  pml5: 'pml5',
  pml5e: 'pml5',
  '5': 'pml5',
  pml4: 'pml4',
  pml4e: 'pml4',
  '4': 'pml4',
  pdpt: 'pdpt',
  pdpte: 'pdpt',
  '3': 'pdpt',
  pd: 'pd',
  pde: 'pd',
  '2': 'pd',
  pt: 'pt',
  pte: 'pt',
  '1': 'pt',
};

/** `pd`, `pde` or `2`; null for any other word. */
export function parseLevel(word: string): TableLevel | null {
  return LEVEL_WORDS[word.toLowerCase()] ?? null;
}

/** True for an entry that maps a page: any PTE, and a PDE or PDPTE with PS. */
export function isLeaf(entry: bigint, level: TableLevel): boolean {
  return level === 'pt' || ((level === 'pd' || level === 'pdpt') && bit(entry, 7));
}

/** Physical address of the page or the next table. The frame of a large page is aligned to its size. */
export function frameOf(entry: bigint, level: TableLevel): bigint {
  const frame = bits(entry, 51, 12) << 12n;
  return isLeaf(entry, level) ? frame & ~(ENTRY_REACH[level] - 1n) : frame;
}

function fieldsOf(entry: bigint, level: TableLevel | null): BitField[] {
  const leaf = level === null || isLeaf(entry, level);
  const large = leaf && level !== null && level !== 'pt';
  const ignored = leaf ? '' : ' (ignored: this entry points to a table)';
  const seventh =
    level === null
      ? choice(7, 'PS/PAT', 'a small page, or a table', 'a large page (PDE, PDPTE), or PAT (PTE)')
      : level === 'pt'
        ? flag(7, 'PAT', 'PAT index bit 2')
        : level === 'pd' || level === 'pdpt'
          ? choice(7, 'PS', 'points to a table', level === 'pd' ? 'maps a 2 MiB page' : 'maps a 1 GiB page')
          : choice(7, 'PS', 'points to a table', 'reserved at this level');
  return [
    choice(0, 'P', 'not present', 'present'),
    choice(1, 'RW', 'read only', 'writable'),
    choice(2, 'US', 'supervisor', 'user'),
    flag(3, 'PWT', 'write-through'),
    flag(4, 'PCD', 'cache disable'),
    flag(5, 'A', 'accessed'),
    flag(6, 'D', 'dirty' + ignored),
    seventh,
    flag(8, 'G', 'global' + ignored),
    field(11, 9, 'AVL', () => 'available to software'),
    ...(large ? [flag(12, 'PAT', 'PAT index bit 2')] : []),
    field(51, 12, leaf ? 'frame' : 'table', () =>
      level === null
        ? `physical address ${hex(bits(entry, 51, 12) << 12n)}`
        : `physical address ${hex(frameOf(entry, level))}`,
    ),
    field(58, 52, 'AVL', () => 'available to software'),
    field(62, 59, 'PKEY', (value) => (leaf ? `protection key ${value}` : 'ignored')),
    choice(63, 'NX', 'executable', 'not executable (reserved if EFER.NXE is 0)'),
  ];
}

/**
 * Explains an entry of PAE, 4-level or 5-level paging. Without a level it is read as a page-table entry, and the two
 * readings of bit 7 are named.
 */
export function explainPageTableEntry(entry: bigint, level: TableLevel | null = null): Explanation {
  const fields = fieldsOf(entry, level);
  const problems: string[] = [];
  const present = bit(entry, 0);
  if (present && bit(entry, 7) && (level === 'pml4' || level === 'pml5'))
    problems.push(
      'PS is 1 in a PML4 or PML5 entry: the bit is reserved there, and a walk raises #PF with RSVD.',
    );
  if (present && level !== null && level !== 'pt' && isLeaf(entry, level)) {
    const low = (bits(entry, 51, 13) << 13n) & (ENTRY_REACH[level] - 1n);
    if (low !== 0n)
      problems.push(
        `Address bits below the page size are set (${hex(low)}): they are reserved, and a walk raises #PF with RSVD.`,
      );
  }
  const leaf = level === null || isLeaf(entry, level);
  const where = leaf ? 'frame' : 'table';
  const address = hex(level === null ? bits(entry, 51, 12) << 12n : frameOf(entry, level));
  const rights = `${bit(entry, 1) ? 'writable' : 'read only'} · ${bit(entry, 2) ? 'user' : 'supervisor'}${bit(entry, 63) ? ' · NX' : ''}`;
  return {
    kind: 'pte',
    value: hex(entry),
    summary: present
      ? `present · ${rights} · ${where} ${address}`
      : 'not present: the other 63 bits belong to software',
    fields: explainFields(entry, fields),
    set: setFlags(entry, fields),
    problems,
  };
}
