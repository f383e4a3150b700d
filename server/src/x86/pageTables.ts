/** Builds paging structures: from mappings to the bytes of the tables. SDM vol. 3, 4.3 to 4.5 (tables 4-4 to 4-20). */
import { hex } from '../address/format';
import type { PagingMode } from './controlRegisters';
import type { TableLevel } from './pageTableEntry';

export type Paging = Exclude<PagingMode, 'none'>;

/** A run of pages, contiguous in linear and in physical addresses. */
export interface PageRun {
  /** Of the first page, a multiple of `pageSize`. */
  readonly linear: bigint;
  readonly physical: bigint;
  /** In bytes, a multiple of `pageSize`. */
  readonly length: bigint;
  /** In bytes: 4 KiB, 2 MiB (4 MiB with 32-bit paging), 1 GiB (4-level and 5-level paging). */
  readonly pageSize: bigint;
  /** Bits of the entries that map the pages, P among them; PS and the frame are the builder's. */
  readonly leaf: bigint;
  /** Bits of the entries that lead to a table which this run is the first to need, P among them. */
  readonly upper: bigint;
}

export interface PlacedTable {
  readonly level: TableLevel;
  readonly at: bigint;
  readonly bytes: Uint8Array;
}

export interface TableProblem {
  /** Index in the list of runs. */
  readonly run: number;
  readonly problem: string;
}

interface Shape {
  /** From the root down. */
  readonly levels: readonly TableLevel[];
  readonly entryBytes: 4 | 8;
  /** Linear bits that an entry of each level covers, in the order of `levels`. */
  readonly shifts: readonly bigint[];
  /** Bits of an index, of the root and of the others. */
  readonly rootBits: bigint;
  readonly bits: bigint;
  /** Linear addresses end there (exclusive), sign extension aside. */
  readonly width: bigint;
  /** Bits of a physical address that an entry holds. */
  readonly physicalBits: bigint;
}

const SHAPES: Readonly<Record<Paging, Shape>> = {
  '32-bit': {
    levels: ['pd', 'pt'],
    entryBytes: 4,
    shifts: [22n, 12n],
    rootBits: 10n,
    bits: 10n,
    width: 32n,
    physicalBits: 32n,
  },
  pae: {
    levels: ['pdpt', 'pd', 'pt'],
    entryBytes: 8,
    shifts: [30n, 21n, 12n],
    rootBits: 2n,
    bits: 9n,
    width: 32n,
    physicalBits: 52n,
  },
  '4-level': {
    levels: ['pml4', 'pdpt', 'pd', 'pt'],
    entryBytes: 8,
    shifts: [39n, 30n, 21n, 12n],
    rootBits: 9n,
    bits: 9n,
    width: 48n,
    physicalBits: 52n,
  },
  '5-level': {
    levels: ['pml5', 'pml4', 'pdpt', 'pd', 'pt'],
    entryBytes: 8,
    shifts: [48n, 39n, 30n, 21n, 12n],
    rootBits: 9n,
    bits: 9n,
    width: 57n,
    physicalBits: 52n,
  },
};

const PAGE_BYTES = 4096;
const PS = 0x80n;
const PRESENT = 1n;
const NX = 1n << 63n;
/** Entries of all tables together; 32 MiB of them. */
const MOST_PAGES = 1n << 22n;
/** The width of a 4 MiB page's address: bits 20:13 of its entry are address bits 39:32 (PSE-36, SDM vol. 3, table 4-4). */
const PSE36_BITS = 40n;

/** Page sizes that a kind of paging has, in bytes, from the smallest up. */
export function pageSizes(paging: Paging): readonly bigint[] {
  const { shifts, levels } = SHAPES[paging];
  return levels.flatMap((level, i) => (maps(paging, level) ? [1n << shifts[i]!] : [])).reverse();
}

/** PAE has no pages of 1 GiB (SDM vol. 3, 4.4.2). */
function maps(paging: Paging, level: TableLevel): boolean {
  return level === 'pt' || level === 'pd' || (level === 'pdpt' && paging !== 'pae');
}

class Table {
  readonly entries = new Map<number, bigint>();
  readonly below = new Map<number, Table>();

  constructor(
    readonly level: number,
    readonly at: bigint,
  ) {}
}

/** Rights of an entry that is present; `executable` is the absence of NX. */
export function entryBits(rights: {
  readonly writable: boolean;
  readonly user: boolean;
  readonly executable: boolean;
}): bigint {
  return PRESENT | (rights.writable ? 2n : 0n) | (rights.user ? 4n : 0n) | (rights.executable ? 0n : NX);
}

/**
 * The tables that map these runs: the root, then the others behind it in the order in which the runs need them, a page each.
 * Gives the run that cannot be mapped, and why.
 * @param at physical address of the root, page aligned
 */
export function buildPageTables(
  paging: Paging,
  runs: readonly PageRun[],
  at: bigint,
): readonly PlacedTable[] | TableProblem {
  const shape = SHAPES[paging];
  const tables = [new Table(0, at)];
  let pages = 0n;
  for (const [index, run] of runs.entries()) {
    pages += run.pageSize > 0n ? run.length / run.pageSize : 0n;
    const problem =
      pages > MOST_PAGES
        ? `with it the page tables have ${pages} pages to map, more than the ${MOST_PAGES} that are built`
        : (wrongRun(run, paging) ?? addRun(tables, run, shape));
    if (problem !== null) return { run: index, problem };
  }
  return tables.map((table) => ({
    level: shape.levels[table.level]!,
    at: table.at,
    bytes: bytesOf(table, shape),
  }));
}

function wrongRun(run: PageRun, paging: Paging): string | null {
  const { linear, physical, length, pageSize, leaf, upper } = run;
  const { width, physicalBits } = SHAPES[paging];
  const sizes = pageSizes(paging);
  if (!sizes.includes(pageSize)) {
    return `${paging} paging has pages of ${sizes.map(hex).join(' and ')} bytes, none of ${hex(pageSize)}`;
  }
  const fields = { 'linear address': linear, 'physical address': physical, length };
  for (const [name, value] of Object.entries(fields)) {
    if (value % pageSize !== 0n)
      return `its ${name} ${hex(value)} is no multiple of its page size ${hex(pageSize)}`;
  }
  if (length <= 0n) return 'it maps nothing';
  if (paging === '32-bit' && (leaf | upper) >> 32n !== 0n) return '32-bit paging has no NX';
  if (!isCanonicalRun(linear, length, width)) {
    return `[${hex(linear)}, ${hex(linear + length)}) is not all within the ${width}-bit linear addresses of ${paging} paging`;
  }
  const reach = paging === '32-bit' && pageSize > 4096n ? PSE36_BITS : physicalBits;
  if (physical + length > 1n << reach) {
    return `its last physical address ${hex(physical + length - 1n)} has more than the ${reach} bits that an entry holds`;
  }
  return null;
}

/** Of 4-level and 5-level paging both halves, of the others the one below 4 GiB. */
function isCanonicalRun(linear: bigint, length: bigint, width: bigint): boolean {
  const end = linear + length;
  if (width === 32n) return end <= 1n << 32n;
  const half = 1n << (width - 1n);
  return end <= half || (linear >= (1n << 64n) - half && end <= 1n << 64n);
}

function addRun(tables: Table[], run: PageRun, shape: Shape): string | null {
  const last = shape.shifts.findIndex((shift) => 1n << shift === run.pageSize);
  for (let offset = 0n; offset < run.length; offset += run.pageSize) {
    const linear = run.linear + offset;
    const table = tableFor(tables, linear, last, run, shape);
    if (!table) return `${hex(linear)} is mapped by a larger page, too`;
    const index = indexOf(linear, last, shape);
    if (table.below.has(index)) return `${hex(linear)} is mapped by smaller pages, too`;
    const entry = leafEntry(run, run.physical + offset, shape.levels[last]!, shape);
    const before = table.entries.get(index);
    if (before !== undefined && before !== entry) {
      return `${hex(linear)} is mapped twice, by the entries ${hex(before)} and ${hex(entry)}`;
    }
    table.entries.set(index, entry);
  }
  return null;
}

/** The table of level `last` on the way to a linear address, made where it is not there yet; null where a page is in the way. */
function tableFor(tables: Table[], linear: bigint, last: number, run: PageRun, shape: Shape): Table | null {
  let table = tables[0]!;
  for (let level = 0; level < last; level++) {
    const index = indexOf(linear, level, shape);
    let next = table.below.get(index);
    if (!next) {
      if (table.entries.has(index)) return null;
      next = new Table(level + 1, tables[0]!.at + BigInt(tables.length * PAGE_BYTES));
      tables.push(next);
      table.below.set(index, next);
      // Of the PAE PDPTEs' bits RW, US and NX are reserved (SDM vol. 3, table 4-8).
      const rights = shape.levels[level] === 'pdpt' && shape.rootBits === 2n ? PRESENT : run.upper;
      table.entries.set(index, next.at | rights);
    }
    table = next;
  }
  return table;
}

function indexOf(linear: bigint, level: number, { shifts, rootBits, bits }: Shape): number {
  return Number((linear >> shifts[level]!) & ((1n << (level === 0 ? rootBits : bits)) - 1n));
}

function leafEntry({ leaf }: PageRun, frame: bigint, level: TableLevel, { entryBytes }: Shape): bigint {
  if (level === 'pt') return frame | leaf;
  const high = entryBytes === 4 ? ((frame >> 32n) & 0xffn) << 13n : 0n;
  return (entryBytes === 4 ? frame & 0xffffffffn : frame) | high | leaf | PS;
}

function bytesOf(table: Table, { entryBytes }: Shape): Uint8Array {
  const bytes = new Uint8Array(PAGE_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of table.entries) {
    if (entryBytes === 4) view.setUint32(4 * index, Number(value & 0xffffffffn), true);
    else view.setBigUint64(8 * index, value, true);
  }
  return bytes;
}
