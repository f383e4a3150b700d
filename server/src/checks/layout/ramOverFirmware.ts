/** RAM declared where a PC has firmware or registers. */
import { formatRange } from '../../address/format';
import { overlaps, type AddressRange } from '../../address/range';
import type { Check } from '../check';
import { backsFirstMib, producerOf } from './mapProducer';

interface Area {
  readonly range: AddressRange;
  readonly name: string;
  /** In the first MiB, where a VMM's own segment list may well be RAM and firmware's map cuts it out. */
  readonly legacy: boolean;
}

const RESET_VECTOR: Area = {
  range: { start: 0xfffffff0n, end: 0x100000000n },
  name: 'the reset vector',
  legacy: false,
};

const AREAS: readonly Area[] = [
  { range: { start: 0xa0000n, end: 0xc0000n }, name: 'the VGA window', legacy: true },
  { range: { start: 0xc0000n, end: 0xe0000n }, name: 'option ROMs', legacy: true },
  { range: { start: 0xe0000n, end: 0x100000n }, name: 'the BIOS', legacy: true },
  { range: { start: 0xfec00000n, end: 0xfec01000n }, name: 'the I/O APIC', legacy: false },
  { range: { start: 0xfed00000n, end: 0xfed00400n }, name: 'the HPET', legacy: false },
  { range: { start: 0xfee00000n, end: 0xfee01000n }, name: 'the local APIC', legacy: false },
  RESET_VECTOR,
];

function list(names: readonly string[]): string {
  return names.length === 1 ? names[0]! : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
}

function consequence(areas: readonly Area[]): string {
  return areas.some(({ legacy }) => !legacy)
    ? 'Accesses there go to the device or the firmware, not to memory, so a guest that uses it as RAM loses its data.'
    : 'A guest that believes the map uses these pages; Linux takes 0xa0000 to 0xfffff out by itself, others may not.';
}

export const ramOverFirmware: Check = {
  code: 'ram-over-firmware',
  severity: 'warning',
  title: 'RAM where firmware or registers are',
  on: ['machine'],
  *run(document) {
    for (const machine of document.machines) {
      if (document.language === 'memmap' && producerOf(machine).rendered) continue;
      const spared = backsFirstMib(document, machine);
      // A plan may have its firmware in RAM, as vmd does.
      const plan = document.language === 'boot-plan';
      for (const region of machine.regions) {
        if (region.kind !== 'ram') continue;
        const areas = AREAS.filter(
          (area) =>
            !(area.legacy && spared) &&
            !(plan && area === RESET_VECTOR) &&
            overlaps(area.range, region.range),
        );
        if (areas.length === 0) continue;
        const told = plan && areas.every(({ legacy }) => legacy);
        yield {
          // The guest of a plan may be told otherwise than it is backed, as direct boots do.
          ...(told ? { severity: 'hint' as const } : {}),
          at: region.at,
          message: `${region.name} ${formatRange(region.range)} is called RAM, but holds ${list(areas.map(({ name }) => name))}. ${consequence(areas)}`,
        };
      }
    }
  },
};
