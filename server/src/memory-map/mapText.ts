/** What every dialect of memory map gives: maps with entries, and what could not be read. Offsets are UTF-16 units. */
import { hex } from '../address/format';
import { ADDRESS_SPACE_END, type AddressRange } from '../address/range';
import type { RegionKind } from '../machine/machine';
import type { Severity } from '../text/finding';
import type { SourceText } from '../text/sourceText';

/** One line of a map that is a region. */
export interface MapEntry {
  readonly range: AddressRange;
  readonly kind: RegionKind;
  readonly name: string;
  readonly permissions: string | null;
  /** One sentence: what the line says, in the words of its producer. */
  readonly reason: string;
  /** Of the entry's text, half-open. */
  readonly from: number;
  readonly to: number;
  readonly approximate: boolean;
  readonly backingOffset?: bigint;
  /** Depth in a nested map: see `Region.level`. */
  readonly level?: number;
}

/** One line of a map of linear addresses. */
export interface MappingEntry {
  readonly linear: AddressRange;
  /** Of the first byte; null where the dialect does not say. */
  readonly physical: bigint | null;
  /** In bytes; null where the dialect does not say. */
  readonly pageSize: bigint | null;
  readonly writable: boolean;
  readonly user: boolean;
  /** Null where the dialect does not say. */
  readonly executable: boolean | null;
  readonly from: number;
  readonly to: number;
}

/** A change that the producer reports beside its map; not a region of it. */
export interface Amendment {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

export interface MemoryMap {
  readonly name: string;
  /** Of the heading, or of the first entry where there is none. */
  readonly nameFrom: number;
  readonly nameTo: number;
  /** In the order of the text. */
  readonly entries: readonly MapEntry[];
  readonly amendments: readonly Amendment[];
  /** The map with its amendments applied, where that differs: what the producer works with in the end. */
  readonly amended?: readonly MapEntry[];
  /** Of a map of linear addresses, in the order of the text; such a map has no `entries`. */
  readonly mappings?: readonly MappingEntry[];
}

/** A code of the check table with its place. */
export interface MapProblem {
  readonly code:
    | 'map-unreadable-line'
    | 'map-empty-entry'
    | 'map-reversed-entry'
    | 'map-beyond-64-bit'
    | 'map-too-long'
    | 'iomem-unprivileged';
  readonly severity: Severity;
  readonly message: string;
  readonly from: number;
  readonly to: number;
}

/** How one producer prints its maps. Those of several dialects may stand in one text. */
export interface Dialect {
  /** For messages and tests: `Linux e820`. */
  readonly name: string;
  /** Whether the text has at least one entry of it. Cheap where there is none. */
  readonly has: (text: string) => boolean;
  /** Never throws. Only called where `has` is true. */
  readonly read: (source: SourceText) => MapReading;
}

export interface MapReading {
  readonly maps: readonly MemoryMap[];
  readonly problems: readonly MapProblem[];
}

/** Entries beyond this many are not read: no firmware has so many, and an editor must stay quick. */
export const MAX_ENTRIES = 20_000;

/** A map while it is read. */
export interface OpenMap {
  readonly name: string;
  nameFrom: number;
  nameTo: number;
  readonly entries: MapEntry[];
  readonly amendments: Amendment[];
  readonly amended?: readonly MapEntry[];
  readonly mappings?: MappingEntry[];
}

/** Names maps apart: the second of one name becomes `NAME (2)`. Maps that stayed empty are dropped. */
export function nameMaps(maps: readonly OpenMap[]): MemoryMap[] {
  const seen = new Map<string, number>();
  return maps
    .filter(({ entries, mappings }) => entries.length > 0 || (mappings?.length ?? 0) > 0)
    .map((map) => {
      const count = (seen.get(map.name) ?? 0) + 1;
      seen.set(map.name, count);
      return count === 1 ? map : { ...map, name: `${map.name} (${count})` };
    });
}

/** A map of linear addresses, named by its first line. */
export function linearMap(
  name: string,
  first: { readonly from: number; readonly to: number },
  mappings: MappingEntry[],
): OpenMap {
  return { name, nameFrom: first.from, nameTo: first.to, entries: [], amendments: [], mappings };
}

/** `limit`: entries that are read. */
export function tooLong(from: number, to: number, limit = MAX_ENTRIES): MapProblem {
  return {
    code: 'map-too-long',
    severity: 'information',
    message: `Only the first ${limit.toLocaleString('en')} entries of this text are read. The rest is neither drawn nor checked.`,
    from,
    to,
  };
}

/** Why a range cannot be a region, or null where it can. A closed end of start - 1 has become `start` by then. */
export function rangeProblem({ start, end }: AddressRange, from: number, to: number): MapProblem | null {
  const problem = (code: MapProblem['code'], severity: Severity, message: string): MapProblem => ({
    code,
    severity,
    message: `${message} The line is left out.`,
    from,
    to,
  });
  if (start >= ADDRESS_SPACE_END || end > ADDRESS_SPACE_END)
    return problem(
      'map-beyond-64-bit',
      'error',
      `This line reaches ${hex(end)}, beyond the 64-bit address space, where no machine has an address.`,
    );
  if (start === end)
    return problem('map-empty-entry', 'information', `This line at ${hex(start)} has no byte.`);
  if (end < start)
    return problem(
      'map-reversed-entry',
      'warning',
      `This line ends at ${hex(end)}, below its start ${hex(start)}: the text was edited, or a size wrapped around 2^64.`,
    );
  return null;
}
