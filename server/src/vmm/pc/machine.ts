/** The plain PC as a machine: for an image that comes without a config. */
import { GIB, MIB, overlaps, PAGE, type AddressRange } from '../../address/range';
import { sortRegions, type Machine, type Region } from '../../machine/machine';
import { pcMemory, pcRegions } from './layout';
import { PC_VERSION, pcOrigin } from './origin';

const SMALLEST = 2n * MIB;

export interface PcOptions {
  /** What the reports call it: the image's path. */
  readonly name: string;
  /** In bytes, a multiple of 4 KiB. */
  readonly memory: bigint;
  readonly vcpus: number;
}

/** The plain PC around memory that was captured elsewhere; `memory` is sorted and does not overlap. */
export function capturedPc(
  name: string,
  vcpus: number,
  memory: readonly AddressRange[],
  size: bigint | null,
): Machine {
  const machine = pcMachine({ name, memory: size ?? installed(memory), vcpus });
  const outside = memory.filter(
    (range) => !machine.regions.some((region) => region.kind !== 'hole' && overlaps(region.range, range)),
  );
  const captured = outside.map((range): Region => ({
    range,
    kind: 'ram',
    name: 'captured memory',
    permissions: null,
    reason: 'memory of the captured machine',
    origin: pcOrigin('found in the capture'),
    at: null,
  }));
  return { ...machine, regions: sortRegions([...machine.regions, ...captured]), images: [] };
}

/** What a PC with this memory has installed: all of it where it lies as on this one, else what goes on from 1 MiB. */
function installed(memory: readonly AddressRange[]): bigint {
  const low = memory.find(({ start, end }) => start <= MIB && end > MIB)?.end ?? SMALLEST;
  const high = memory
    .filter(({ start }) => start >= 4n * GIB)
    .reduce((sum, { start, end }) => sum + end - start, 0n);
  const lowEnd = low < SMALLEST ? SMALLEST : (low / PAGE) * PAGE;
  return pcMemory(lowEnd + high).lowEnd === lowEnd ? lowEnd + high : lowEnd;
}

export function pcMachine({ name, memory, vcpus }: PcOptions): Machine {
  const origin = pcOrigin('asked for, or the default');
  return {
    name,
    vmm: 'pc',
    version: PC_VERSION.id,
    memory: { value: memory, origin },
    vcpus: { value: vcpus, origin },
    regions: pcRegions(memory),
    images: [{ role: 'kernel', path: name, origin }],
    at: null,
    nameAt: null,
  };
}
