/** What page tables in memory map: every present leaf below CR3, neighbours joined. SDM vol. 3, 4.3 to 4.6. */
import { hex } from '../address/format';
import type { AddressRange } from '../address/range';
import { bit, bits } from './bitField';
import { pagingMode, type PagingMode } from './controlRegisters';

/** Linear addresses that go to as many physical ones in a row, with the same rights at every level. */
export interface MappedRange {
  /** Canonical: sign-extended from the mode's width. Half-open; `end` may be 2^64. */
  readonly linear: AddressRange;
  /** Of the first byte. */
  readonly physical: bigint;
  readonly writable: boolean;
  readonly user: boolean;
  /** False where an entry of the way has XD (bit 63) and EFER.NXE is on. */
  readonly executable: boolean;
  /** The upper-level entry without RW above leaves that have it: `PML4[0] 0x12001`. */
  readonly blockedBy: string | null;
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
  quad('PML4', 39, false),
  quad('PDPT', 30, true),
  quad('PD', 21, true),
  quad('PT', 12, false),
];
const LEVELS: Readonly<Record<Exclude<PagingMode, 'none'>, readonly Level[]>> = {
  '5-level': [quad('PML5', 48, false), ...FOUR],
  '4-level': FOUR,
  pae: [quad('PDPT', 30, false, 4), ...FOUR.slice(2)],
  '32-bit': [
    { name: 'PD', shift: 22, large: true, entries: 1024, entryBytes: 4 },
    { name: 'PT', shift: 12, large: false, entries: 1024, entryBytes: 4 },
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

interface Rights {
  readonly writable: boolean;
  readonly user: boolean;
  readonly executable: boolean;
  /** The first entry of the way without RW. */
  readonly readOnly: string | null;
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

  const walk = (table: bigint, depth: number, base: bigint, above: Rights): void => {
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
      // A PDPTE of PAE paging has neither RW nor US (SDM vol. 3, table 4-8).
      const rights = mode === 'pae' && depth === 0 ? above : below(above, entry, level, index, noExecute);
      if (!leaf) walk(tableOf(entry, mode), depth + 1, linear, rights);
      else add(ranges, page(entry, level, mode, linear, rights, above));
    }
  };
  const root = mode === 'pae' ? cr3 & 0xffffffe0n : bits(cr3, mode === '32-bit' ? 31 : 51, 12) << 12n;
  walk(root, 0, 0n, { writable: true, user: true, executable: true, readOnly: null });
  return ranges;
}

function below(above: Rights, entry: bigint, { name }: Level, index: number, noExecute: boolean): Rights {
  return {
    writable: above.writable && bit(entry, 1),
    user: above.user && bit(entry, 2),
    executable: above.executable && !(noExecute && bit(entry, 63)),
    readOnly: above.readOnly ?? (bit(entry, 1) ? null : `${name}[${index}] ${hex(entry)}`),
  };
}

function tableOf(entry: bigint, mode: PagingMode): bigint {
  return bits(entry, mode === '32-bit' ? 31 : 51, 12) << 12n;
}

function page(
  entry: bigint,
  { shift }: Level,
  mode: Exclude<PagingMode, 'none'>,
  linear: bigint,
  rights: Rights,
  above: Rights,
): MappedRange {
  const start = canonical(linear, WIDTHS[mode]);
  return {
    linear: { start, end: start + (1n << BigInt(shift)) },
    physical: frame(entry, shift, mode),
    writable: rights.writable,
    user: rights.user,
    executable: rights.executable,
    blockedBy: bit(entry, 1) ? above.readOnly : null,
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
    last.blockedBy === next.blockedBy;
  if (joined) ranges[ranges.length - 1] = { ...last, linear: { ...last.linear, end: next.linear.end } };
  else ranges.push(next);
}
