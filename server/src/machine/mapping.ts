/** Linear addresses and where page tables lead them. Kept apart from regions, which are of guest physical address space. */
import type { AddressRange } from '../address/range';
import type { SourceRange } from '../text/position';
import type { Origin } from './origin';

/** An entry of an upper level that takes a right away from all leaves below it (SDM vol. 3A, 5.6). */
export interface UpperEntry {
  /** `PML4E`, `PDPTE`, `PDE`. */
  readonly level: string;
  readonly value: bigint;
  readonly origin: Origin;
}

/** A span of linear addresses with one kind of leaf entry. */
export interface Mapping {
  readonly linear: AddressRange;
  /** Where the first byte leads; the others follow. Null where the source does not say. */
  readonly physical: bigint | null;
  /** Bytes of a page: 4 KiB, 2 MiB, 4 MiB or 1 GiB. Null where the source does not say. */
  readonly pageSize: bigint | null;
  /** Rights of the leaf entries. */
  readonly writable: boolean;
  readonly user: boolean;
  readonly executable: boolean | null;
  /** The upper entry without RW above these leaves, where there is one. */
  readonly readOnlyAbove?: UpperEntry;
  readonly origin: Origin;
  readonly at: SourceRange | null;
}
