/** What a Linux kernel makes of its e820 map after printing it: the pieces that its `update` and `remove` lines leave. */
import { intersection, type AddressRange } from '../address/range';
import type { RegionKind } from '../machine/machine';
import type { MapEntry } from './mapText';

/** A change of the table that the kernel works with (`__e820__range_update`, `e820__range_remove`). */
export interface MapChange {
  readonly range: AddressRange;
  /** The type that is changed, as the log writes it; null where any type is removed. */
  readonly old: string | null;
  /** The type that it gets; null where the range is removed. */
  readonly into: { readonly name: string; readonly kind: RegionKind } | null;
  readonly from: number;
  readonly to: number;
}

/** A log with more is no log of a boot, and the work grows with both numbers. */
const MOST_CHANGES = 200;

/**
 * The map after its changes, or null where none of them touches an entry. The kernel joins neighbours of one type
 * afterwards; here each piece stays apart, since each has its own line.
 */
export function amendedEntries(
  entries: readonly MapEntry[],
  changes: readonly MapChange[],
): readonly MapEntry[] | null {
  if (changes.length === 0 || changes.length > MOST_CHANGES) return null;
  let current = entries;
  for (const change of changes) current = current.flatMap((entry) => changed(entry, change));
  return current.length === entries.length && current.every((entry, index) => entry === entries[index])
    ? null
    : current;
}

function changed(entry: MapEntry, { range, old, into, from, to }: MapChange): readonly MapEntry[] {
  if (entry.kind === 'hole' || (old !== null && entry.name !== old)) return [entry];
  if (into && into.name === entry.name) return [entry];
  const touched = intersection(entry.range, range);
  if (!touched) return [entry];
  const rest = (piece: AddressRange): MapEntry[] =>
    piece.start < piece.end
      ? [{ ...entry, range: piece, reason: `${entry.reason} The kernel takes a part of it away.` }]
      : [];
  const middle: MapEntry[] = into
    ? [
        {
          ...entry,
          range: touched,
          name: into.name,
          kind: into.kind,
          reason: `The kernel changes this from ${entry.name} to ${into.name}.`,
          from,
          to,
        },
      ]
    : [];
  return [
    ...rest({ start: entry.range.start, end: touched.start }),
    ...middle,
    ...rest({ start: touched.end, end: entry.range.end }),
  ];
}
