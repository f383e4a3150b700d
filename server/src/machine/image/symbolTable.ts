/** Symbols of a kernel by address, in arrays that a worker gets by structured clone in one piece. */

/** A span of the kernel that is loaded elsewhere than it is linked (a PT_LOAD header of an ELF file). */
export interface LinkedSegment {
  readonly virtual: bigint;
  readonly physical: bigint;
  /** In bytes. */
  readonly size: bigint;
}

/** One symbol as a file gives it. */
export interface SymbolEntry {
  readonly name: string;
  readonly start: bigint;
  /** In bytes; 0 where the file does not say. */
  readonly size: bigint;
  /** Exclusive end of what it may cover: that of its section. Null where the file has no sections. */
  readonly limit: bigint | null;
  readonly binding: 'global' | 'weak' | 'local';
}

export interface SymbolTable {
  /** Sorted, all different. */
  readonly starts: BigUint64Array;
  /** Exclusive; behind the start of the same index. */
  readonly ends: BigUint64Array;
  /** Names in UTF-8, one behind the other. */
  readonly names: Uint8Array;
  /** Exclusive ends in `names`. */
  readonly nameEnds: Uint32Array;
  /** Empty for a file that has no segments, such as System.map. */
  readonly segments: readonly LinkedSegment[];
}

export interface NamedAddress {
  readonly name: string;
  readonly offset: bigint;
}

/** What a symbol without a size covers at most: the next one may be in another part of memory. */
const LARGEST_UNSIZED = 1n << 20n;
/** How many symbols below the nearest one are tried: a sized function may hold labels with ends of their own. */
const NESTED = 16;
const BINDINGS = ['global', 'weak', 'local'] as const;

/** Sorts the symbols; of several at one address the most telling one stays. */
export function createSymbolTable(
  entries: readonly SymbolEntry[],
  segments: readonly LinkedSegment[],
): SymbolTable {
  const bounds = perCpuBounds(entries);
  const kept = distinct(
    entries.filter(({ start }) => !bounds || start < bounds.start || start >= bounds.end),
  );
  const starts = BigUint64Array.from(kept, ({ start }) => start);
  const ends = BigUint64Array.from(kept, (entry, index) => endOf(entry, kept[index + 1]?.start ?? null));
  const encoder = new TextEncoder();
  const names = kept.map(({ name }) => encoder.encode(name));
  const nameEnds = new Uint32Array(kept.length);
  let size = 0;
  names.forEach((name, index) => (nameEnds[index] = size += name.length));
  const joined = new Uint8Array(size);
  names.forEach((name, index) => joined.set(name, nameEnds[index]! - name.length));
  return { starts, ends, names: joined, nameEnds, segments };
}

/** The symbol that covers an address as the kernel is linked: the nearest one at or below it; null where none does. */
export function symbolAt(table: SymbolTable, address: bigint): NamedAddress | null {
  const { starts, ends } = table;
  const nearest = lastAtOrBelow(starts, address);
  for (let index = nearest; index >= 0 && index > nearest - NESTED; index--) {
    if (address < ends[index]!) return { name: nameOf(table, index), offset: address - starts[index]! };
  }
  return null;
}

/** The address of a symbol by its name, or null. Goes through all of them. */
export function addressOf(table: SymbolTable, name: string): bigint | null {
  const wanted = new TextEncoder().encode(name);
  for (let index = 0; index < table.nameEnds.length; index++) {
    const start = index === 0 ? 0 : table.nameEnds[index - 1]!;
    if (table.nameEnds[index]! - start !== wanted.length) continue;
    if (wanted.every((byte, i) => table.names[start + i] === byte)) return table.starts[index]!;
  }
  return null;
}

/** The address that a physical one is linked at, or null where no segment is loaded there. */
export function linkedAddress({ segments }: Pick<SymbolTable, 'segments'>, physical: bigint): bigint | null {
  const segment = segments.find((s) => physical >= s.physical && physical < s.physical + s.size);
  return segment ? physical - segment.physical + segment.virtual : null;
}

/** `start_kernel+0x1c`; without an offset at its first byte. */
export function symbolText({ name, offset }: NamedAddress): string {
  return offset === 0n ? name : `${name}+0x${offset.toString(16)}`;
}

function nameOf({ names, nameEnds }: SymbolTable, index: number): string {
  return new TextDecoder().decode(names.subarray(index === 0 ? 0 : nameEnds[index - 1]!, nameEnds[index]));
}

function lastAtOrBelow(starts: BigUint64Array, address: bigint): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= address) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Linux links its per-CPU data at 0 on x86-64: offsets into an area, which are no addresses. */
function perCpuBounds(entries: readonly SymbolEntry[]): { start: bigint; end: bigint } | null {
  const start = entries.find(({ name }) => name === '__per_cpu_start')?.start;
  const end = entries.find(({ name }) => name === '__per_cpu_end')?.start;
  return start === 0n && end !== undefined ? { start, end: end + 1n } : null;
}

function distinct(entries: readonly SymbolEntry[]): SymbolEntry[] {
  const sorted = [...entries].sort((a, b) =>
    a.start < b.start ? -1 : a.start > b.start ? 1 : preference(a, b),
  );
  return sorted.filter(({ start }, index) => index === 0 || sorted[index - 1]!.start !== start);
}

/** Global before local, a size before none, few leading underscores before many (`startup_64` before `_stext`), then short. */
function preference(a: SymbolEntry, b: SymbolEntry): number {
  return (
    BINDINGS.indexOf(a.binding) - BINDINGS.indexOf(b.binding) ||
    Number(a.size === 0n) - Number(b.size === 0n) ||
    underscores(a.name) - underscores(b.name) ||
    a.name.length - b.name.length ||
    (a.name < b.name ? -1 : 1)
  );
}

function underscores(name: string): number {
  return name.length - name.replace(/^_+/, '').length;
}

function endOf({ start, size, limit }: SymbolEntry, next: bigint | null): bigint {
  // The last symbol of a list without sections: nothing says how far it goes.
  const unsized = next === null && limit === null ? start + 1n : smaller(next, start + LARGEST_UNSIZED);
  return smaller(limit, size > 0n ? start + size : unsized);
}

function smaller(a: bigint | null, b: bigint): bigint {
  return a !== null && a < b ? a : b;
}
