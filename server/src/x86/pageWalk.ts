/** What page tables in memory map: every present leaf below CR3, neighbours joined. SDM vol. 3, 4.3 to 4.6. */
import type { AddressRange } from '../address/range';
import { bit, bits } from './bitField';
import { pagingMode, type PagingMode } from './controlRegisters';

/** An entry above the leaves. */
export interface UpperTableEntry {
  /** `PML4E`, `PDPTE`, `PDE`. */
  readonly level: string;
  readonly value: bigint;
}

/** Linear addresses that go to as many physical ones in a row, by pages of one size with the same rights. */
export interface MappedRange {
  /** Canonical: sign-extended from the mode's width. Half-open; `end` may be 2^64. */
  readonly linear: AddressRange;
  /** Of the first byte. */
  readonly physical: bigint;
  /** In bytes. */
  readonly pageSize: bigint;
  /** RW and US of the leaves alone. */
  readonly writable: boolean;
  readonly user: boolean;
  /** False where an entry on the way has XD (bit 63) and EFER.NXE is on. */
  readonly executable: boolean;
  /** The first upper entry without RW above leaves that have it. */
  readonly readOnlyAbove: UpperTableEntry | null;
}

/** The registers that say how CR3's table is read. */
export interface PagingRegisters {
  readonly cr0: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  readonly efer: bigint;
}

interface Level {
  readonly name: string;
  /** log2 of the bytes that an entry covers. */
  readonly shift: number;
  /** Whether bit 7 makes the entry a leaf. */
  readonly large: boolean;
  readonly entries: number;
  readonly entryBytes: 4 | 8;
}

const quad = (name: string, shift: number, large: boolean, entries = 512): Level => ({
  name,
  shift,
  large,
  entries,
  entryBytes: 8,
});
const FOUR: readonly Level[] = [
  quad('PML4E', 39, false),
  quad('PDPTE', 30, true),
  quad('PDE', 21, true),
  quad('PTE', 12, false),
];
const LEVELS: Readonly<Record<Exclude<PagingMode, 'none'>, readonly Level[]>> = {
  '5-level': [quad('PML5E', 48, false), ...FOUR],
  '4-level': FOUR,
  pae: [quad('PDPTE', 30, false, 4), ...FOUR.slice(2)],
  '32-bit': [
    { name: 'PDE', shift: 22, large: true, entries: 1024, entryBytes: 4 },
    { name: 'PTE', shift: 12, large: false, entries: 1024, entryBytes: 4 },
  ],
};
const WIDTHS: Readonly<Record<Exclude<PagingMode, 'none'>, number>> = {
  '5-level': 57,
  '4-level': 48,
  pae: 32,
  '32-bit': 32,
};

/** Ranges beyond this many are left out: tables that alias themselves map without end. */
const MOST_RANGES = 4096;
/** As are leaves: a table of tables may name one page a quarter of a million times. */
const MOST_ENTRIES = 1 << 18;

/** What the entries above a table leave to those in it. */
interface Above {
  readonly executable: boolean;
  readonly readOnly: UpperTableEntry | null;
}

/**
 * Every range that the tables map, by linear address; none without paging. `read` gives guest-physical memory, null where there
 * is none: such a table maps nothing.
 */
export function mappedRanges(
  registers: PagingRegisters,
  read: (address: bigint, length: number) => Uint8Array | null,
): MappedRange[] {
  const { cr0, cr3, cr4, efer } = registers;
  const mode = pagingMode(cr0, cr4, efer);
  if (mode === 'none') return [];
  const levels = LEVELS[mode];
  const noExecute = bit(efer, 11) && mode !== '32-bit';
  // Without CR4.PSE, PS of a page-directory entry is ignored in 32-bit paging (SDM vol. 3, 4.3).
  const largePages = mode !== '32-bit' || bit(cr4, 4);
  const ranges: MappedRange[] = [];
  let visited = 0;

  const walk = (table: bigint, depth: number, base: bigint, above: Above): void => {
    const level = levels[depth]!;
    const bytes = read(table, level.entries * level.entryBytes);
    if (!bytes) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let index = 0; index < level.entries; index++) {
      if (ranges.length >= MOST_RANGES || visited >= MOST_ENTRIES) return;
      const at = index * level.entryBytes;
      const entry = level.entryBytes === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
      if (!bit(entry, 0)) continue;
      visited++;
      const leaf = depth === levels.length - 1 || (level.large && largePages && bit(entry, 7));
      const linear = base + (BigInt(index) << BigInt(level.shift));
      const executable = above.executable && !(noExecute && bit(entry, 63));
      if (leaf) {
        add(ranges, page(entry, level, mode, linear, { ...above, executable }));
        continue;
      }
      // A PDPTE of PAE paging has no RW (SDM vol. 3, table 4-8).
      const hasRights = mode !== 'pae' || depth > 0;
      const readOnly =
        above.readOnly ?? (hasRights && !bit(entry, 1) ? { level: level.name, value: entry } : null);
      walk(tableOf(entry, mode), depth + 1, linear, { executable, readOnly });
    }
  };
  const root = mode === 'pae' ? cr3 & 0xffffffe0n : bits(cr3, mode === '32-bit' ? 31 : 51, 12) << 12n;
  walk(root, 0, 0n, { executable: true, readOnly: null });
  return ranges;
}

function tableOf(entry: bigint, mode: PagingMode): bigint {
  return bits(entry, mode === '32-bit' ? 31 : 51, 12) << 12n;
}

function page(
  entry: bigint,
  { shift }: Level,
  mode: Exclude<PagingMode, 'none'>,
  linear: bigint,
  { executable, readOnly }: Above,
): MappedRange {
  const start = canonical(linear, WIDTHS[mode]);
  const pageSize = 1n << BigInt(shift);
  const writable = bit(entry, 1);
  return {
    linear: { start, end: start + pageSize },
    physical: frame(entry, shift, mode),
    pageSize,
    writable,
    user: bit(entry, 2),
    executable,
    readOnlyAbove: writable ? readOnly : null,
  };
}

/** Bits 20:13 of a 4 MiB page's entry are physical bits 39:32 (PSE-36; SDM vol. 3, table 4-4). */
function frame(entry: bigint, shift: number, mode: PagingMode): bigint {
  if (mode !== '32-bit') return bits(entry, 51, shift) << BigInt(shift);
  return (bits(entry, 31, shift) << BigInt(shift)) | (shift === 22 ? bits(entry, 20, 13) << 32n : 0n);
}

function canonical(linear: bigint, width: number): bigint {
  return width === 32 ? linear : BigInt.asUintN(64, BigInt.asIntN(width, linear));
}

/** Joins a page with the range before where both go on in a row. */
function add(ranges: MappedRange[], next: MappedRange): void {
  const last = ranges.at(-1);
  const joined =
    last &&
    last.linear.end === next.linear.start &&
    last.physical + (last.linear.end - last.linear.start) === next.physical &&
    last.writable === next.writable &&
    last.user === next.user &&
    last.executable === next.executable &&
    last.pageSize === next.pageSize &&
    last.readOnlyAbove?.value === next.readOnlyAbove?.value &&
    last.readOnlyAbove?.level === next.readOnlyAbove?.level;
  if (joined) ranges[ranges.length - 1] = { ...last, linear: { ...last.linear, end: next.linear.end } };
  else ranges.push(next);
}
