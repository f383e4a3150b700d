/** Where one region of a machine ends exactly where the next begins: normal, and where a closed range end does harm. */
import { formatRange } from '../../address/format';
import type { Machine, Region } from '../../machine/machine';
import type { SourceRange } from '../../text/position';

export interface Seam {
  readonly machine: Machine;
  /** The region that is removed: backed by a memory segment of its own. */
  readonly below: Region;
  /** Guest RAM that begins where it ends. */
  readonly above: Region;
}

/** The kinds of region that bhyve maps from a memory segment, and so unmaps and vacates when the guest goes. */
const SEGMENTS: ReadonlySet<Region['kind']> = new Set(['rom', 'ram']);

/** Seams of RAM with what is mapped below it, the boot ROM's first: reboots unmap it, too. */
export function seamsOf(machine: Machine): Seam[] {
  const byEnd = new Map<bigint, Region>();
  for (const region of machine.regions) if (SEGMENTS.has(region.kind)) byEnd.set(region.range.end, region);
  const seams: Seam[] = [];
  for (const above of machine.regions) {
    const below = byEnd.get(above.range.start);
    if (above.kind === 'ram' && below && below !== above) seams.push({ machine, below, above });
  }
  return seams.sort((a, b) => Number(b.below.kind === 'rom') - Number(a.below.kind === 'rom'));
}

/** The line that gives the machine a region: for a boot ROM the one that names its file, where there is one. */
export function lineOf(machine: Machine, region: Region): SourceRange | null {
  if (region.kind === 'rom') {
    const firmware = machine.images.find(({ role }) => role === 'firmware')?.origin;
    if (firmware?.kind === 'text') return { uri: firmware.uri, range: firmware.range };
  }
  return region.at;
}

export function describeSeam({ below, above }: Seam): string {
  return `${below.name} ${formatRange(below.range)} ends where ${above.name} ${formatRange(above.range)} begins`;
}
