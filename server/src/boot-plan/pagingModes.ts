/** The forms of page tables and what each can map. SDM vol. 3, 4.3 (32-bit paging), 4.4 (PAE), 4.5 (4 and 5 levels). */
import { formatRange, formatSize, hex } from '../address/format';
import { fromLength, GIB, KIB, MIB, PAGE, sizeOf } from '../address/range';
import type { PlannedMapping, PlannedPaging } from './plan';

export type PagingModeName = PlannedPaging['mode'];

interface Level {
  /** Of its entries: `PDE`. */
  readonly entry: string;
  readonly table: string;
  /** Bits of the linear address below those that index this table. */
  readonly shift: number;
  /** Bytes of the table and of an entry of it. */
  readonly bytes: number;
  readonly width: 4 | 8;
  /** RW and US are reserved in the entries (PDPTEs of PAE paging). */
  readonly noRights?: true;
}

const wide = (table: string, entry: string, shift: number): Level => ({
  table,
  entry,
  shift,
  bytes: 4096,
  width: 8,
});
const narrow = (table: string, entry: string, shift: number): Level => ({
  table,
  entry,
  shift,
  bytes: 4096,
  width: 4,
});
const FOUR: readonly Level[] = [
  wide('PML4', 'PML4E', 39),
  wide('PDPT', 'PDPTE', 30),
  wide('page directory', 'PDE', 21),
  wide('page table', 'PTE', 12),
];

export interface ModeRow {
  /** The top first. */
  readonly levels: readonly Level[];
  /** Bytes of a page, by the index of the level whose entries are its leaves. */
  readonly pages: ReadonlyMap<bigint, number>;
  /** Bits of a linear address; canonical above 32. */
  readonly linear: number;
  /** Bits of a physical address that an entry has room for. */
  readonly physical: number;
  /** What the top table must be aligned to. */
  readonly rootAlignment: bigint;
  /** There is an NX bit. */
  readonly nx: boolean;
}

export const PAGING_MODES: Readonly<Record<PagingModeName, ModeRow>> = {
  '32-bit': {
    levels: [narrow('page directory', 'PDE', 22), narrow('page table', 'PTE', 12)],
    pages: new Map([
      [4n * KIB, 1],
      [4n * MIB, 0],
    ]),
    linear: 32,
    physical: 32,
    rootAlignment: PAGE,
    nx: false,
  },
  pae: {
    levels: [
      { table: 'PDPT', entry: 'PDPTE', shift: 30, bytes: 32, width: 8, noRights: true },
      ...FOUR.slice(2),
    ],
    pages: new Map([
      [4n * KIB, 2],
      [2n * MIB, 1],
    ]),
    linear: 32,
    physical: 52,
    rootAlignment: 32n,
    nx: true,
  },
  '4-level': {
    levels: FOUR,
    pages: new Map([
      [4n * KIB, 3],
      [2n * MIB, 2],
      [GIB, 1],
    ]),
    linear: 48,
    physical: 52,
    rootAlignment: PAGE,
    nx: true,
  },
  '5-level': {
    levels: [wide('PML5', 'PML5E', 48), ...FOUR],
    pages: new Map([
      [4n * KIB, 4],
      [2n * MIB, 3],
      [GIB, 2],
    ]),
    linear: 57,
    physical: 52,
    rootAlignment: PAGE,
    nx: true,
  },
};

/** Bits 20:13 of the entry of a 4 MiB page are address bits 39:32 (PSE-36, SDM vol. 3, table 4-4). */
const PSE36 = 40;

/** What is wrong with one mapping alone, in words; null where it can be written. */
export function mappingProblem(
  mode: PagingModeName,
  { linear, physical, page, leaf }: PlannedMapping,
): string | null {
  const row = PAGING_MODES[mode];
  const title = mode === 'pae' ? 'PAE' : mode;
  const size = sizeOf(linear);
  if (!row.pages.has(page)) {
    const sizes = [...row.pages.keys()].map(formatSize).join(', ');
    return `${title} paging has no pages of ${formatSize(page)}: it has ${sizes}`;
  }
  for (const [what, value] of [
    ['linear address', linear.start],
    ['physical address', physical],
    ['size', size],
  ] as const) {
    if (value % page !== 0n)
      return `the ${what} ${hex(value)} is no multiple of ${formatSize(page)}, the size of its pages`;
  }
  if (row.linear === 32) {
    if (linear.end > 1n << 32n)
      return `${formatRange(linear)} goes beyond the 4 GiB that ${title} paging translates`;
  } else {
    const half = 1n << BigInt(row.linear - 1);
    const low = linear.end <= half;
    const high = linear.start >= (1n << 64n) - half;
    if (!low && !high)
      return `${formatRange(linear)} is not canonical: ${title} paging translates below ${hex(half)} and from ${hex((1n << 64n) - half)} on`;
  }
  const width = mode === '32-bit' && page > 4n * KIB ? PSE36 : row.physical;
  if (physical + size > 1n << BigInt(width))
    return `${formatRange(fromLength(physical, size))} goes beyond the ${width} bits of a physical address that an entry holds`;
  if (!row.nx && !leaf.executable)
    return `${title} paging has no NX bit, so nothing can be made non-executable`;
  return null;
}
