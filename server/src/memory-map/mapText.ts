/** What every dialect of memory map gives: maps with entries, and what could not be read. Offsets are UTF-16 units. */
import type { AddressRange } from '../address/range';
import type { RegionKind } from '../machine/machine';
import type { Severity } from '../text/finding';

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
}

/** A code of the check table with its place. */
export interface MapProblem {
  readonly code:
    'map-unreadable-line' | 'map-empty-entry' | 'map-reversed-entry' | 'map-beyond-64-bit' | 'map-too-long';
  readonly severity: Severity;
  readonly message: string;
  readonly from: number;
  readonly to: number;
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
}

/** Names maps apart: the second of one name becomes `NAME (2)`. Maps that stayed empty are dropped. */
export function nameMaps(maps: readonly OpenMap[]): MemoryMap[] {
  const seen = new Map<string, number>();
  return maps
    .filter(({ entries }) => entries.length > 0)
    .map((map) => {
      const count = (seen.get(map.name) ?? 0) + 1;
      seen.set(map.name, count);
      return count === 1 ? map : { ...map, name: `${map.name} (${count})` };
    });
}

export function tooLong(from: number, to: number): MapProblem {
  return {
    code: 'map-too-long',
    severity: 'information',
    message: `Only the first ${MAX_ENTRIES.toLocaleString('en')} entries of this text are read. The rest is neither drawn nor checked.`,
    from,
    to,
  };
}
