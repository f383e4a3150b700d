/** The plain PC as a machine: for an image that comes without a config. */
import type { Machine } from '../../machine/machine';
import { pcRegions } from './layout';
import { PC_VERSION, pcOrigin } from './origin';

export interface PcOptions {
  /** What the reports call it: the image's path. */
  readonly name: string;
  /** In bytes, a multiple of 4 KiB. */
  readonly memory: bigint;
  readonly vcpus: number;
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
