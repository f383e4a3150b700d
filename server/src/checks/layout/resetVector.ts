/** A ROM that does not hold the first instruction after RESET. */
import { formatRange, hex } from '../../address/format';
import { covering } from '../../address/intervals';
import { GIB } from '../../address/range';
import type { Document } from '../../machine/language';
import type { Machine, Region } from '../../machine/machine';
import type { Check } from '../check';
import { isBhyvectl } from './mapProducer';

const RESET_VECTOR = 4n * GIB - 16n;

/** Whether this machine starts at the reset vector: bhyve always does with a boot ROM, a plan where its registers say so. */
function startsThere(document: Document, machine: Machine): boolean {
  if (isBhyvectl(machine)) return true;
  if (document.language !== 'boot-plan') return false;
  const first = machine.boot?.vcpus.find(({ index }) => index === 0)?.state;
  if (!first) return machine.boot === undefined;
  return first.rip === 0xfff0n && first.segments?.cs?.base === 0xffff0000n;
}

/** bhyve's video and PCI option ROMs are ROMs elsewhere. */
function bootRoms({ regions }: Machine): Region[] {
  return regions.filter(({ kind, name }) => kind === 'rom' && name !== 'pcirom');
}

export const resetVector: Check = {
  code: 'rom-no-reset-vector',
  severity: 'warning',
  title: 'ROM without the reset vector',
  on: ['memmap', 'boot-plan'],
  *run(document) {
    for (const machine of document.machines) {
      const roms = bootRoms(machine);
      if (roms.length === 0 || !startsThere(document, machine)) continue;
      const ranges = machine.regions.filter(({ kind }) => kind !== 'hole' && kind !== 'mmio');
      if (
        covering(
          ranges.map(({ range }) => range),
          RESET_VECTOR,
        ).length > 0
      )
        continue;
      const rom = roms.at(-1)!;
      if (rom.approximate) continue;
      yield {
        at: rom.at,
        evidence: 'proven',
        message: `${rom.name} ${formatRange(rom.range)} does not reach 4 GiB, and no other region has ${hex(RESET_VECTOR)}. The first instruction after RESET is fetched there, so a firmware must end at 0x100000000.`,
      };
    }
  },
};
