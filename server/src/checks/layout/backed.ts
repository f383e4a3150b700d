/** Which addresses of a machine have memory behind them. */
import { Coverage } from '../../address/coverage';
import type { Machine, RegionKind } from '../../machine/machine';

/** Nothing answers there as memory does: devices, nothing at all, or cells that are broken. */
const UNBACKED: ReadonlySet<RegionKind> = new Set(['mmio', 'hole', 'unusable']);

export function isBacked(kind: RegionKind): boolean {
  return !UNBACKED.has(kind);
}

export interface BackedMemory {
  /** False where the source lists no memory at all, and so nothing can be outside it. */
  readonly known: boolean;
  readonly coverage: Coverage;
}

/** RAM, ROM and what is reserved: VMMs back reserved ranges too. */
export function backedMemory({ regions }: Pick<Machine, 'regions'>): BackedMemory {
  const ranges = regions.filter(({ kind }) => isBacked(kind)).map(({ range }) => range);
  return { known: ranges.length > 0, coverage: new Coverage(ranges) };
}
