/** A machine with its regions as plain data between server and client: addresses are lower-case hex strings. */
import type { TextRange } from '../text/position';
import type { RegionKind } from './machine';

export interface WireRegion {
  readonly start: string;
  readonly end: string;
  readonly kind: RegionKind;
  readonly name: string;
  readonly permissions: string | null;
  readonly reason: string;
  /** The text that it links to, null where there is none. */
  readonly uri: string | null;
  readonly range: TextRange | null;
  readonly approximate: boolean;
  /** Depth in a nested map, left out where it is 0. */
  readonly level?: number | undefined;
}

export interface WireMachine {
  readonly name: string;
  /** `vmd@7.8`, or null for a bare memory map. */
  readonly vmm: string | null;
  readonly regions: readonly WireRegion[];
  readonly uri: string;
  /** Of the machine's name; where lenses stand. */
  readonly range: TextRange;
}
