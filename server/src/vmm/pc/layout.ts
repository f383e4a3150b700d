/** The address space of the plain PC: RAM around its holes, as the 82441FX has it and QEMU's machine `pc` sizes it. */
import { isEmpty, KIB, MIB, GIB, type AddressRange } from '../../address/range';
import type { Region, RegionKind } from '../../machine/machine';
import { E820_RAM, E820_RESERVED, type E820Entry } from '../e820';
import { pcOrigin } from './origin';

/** QEMU's, where nobody says how much. */
export const DEFAULT_MEMORY = 128n * MIB;

/** RAM under 3.5 GiB lies below 4 GiB in one piece; from there on, 3 GiB do, and the rest goes on at 4 GiB. */
const SPLIT_FROM = 3584n * MIB;
const SPLIT_LOW = 3n * GIB;

/** Where a VGA would be: memory that nobody displays, which programs write text to without asking. */
export const VIDEO_MEMORY: AddressRange = { start: 640n * KIB, end: 768n * KIB };
export const EBDA: AddressRange = { start: 639n * KIB, end: 640n * KIB };
/** Shadow RAM of the BIOS area. There is no BIOS; the ACPI tables lie in its upper 64 KiB. */
export const SHADOW: AddressRange = { start: 768n * KIB, end: MIB };
export const BIOS_SEGMENT: AddressRange = { start: 960n * KIB, end: MIB };
export const IOAPIC_BASE = 0xfec00000n;
export const HPET_BASE = 0xfed00000n;
export const LOCAL_APIC_BASE = 0xfee00000n;

export interface PcMemory {
  /** End of RAM below 4 GiB. */
  readonly lowEnd: bigint;
  /** End of RAM above 4 GiB; 4 GiB where there is none. */
  readonly highEnd: bigint;
}

export function pcMemory(size: bigint): PcMemory {
  const lowEnd = size < SPLIT_FROM ? size : SPLIT_LOW;
  return { lowEnd, highEnd: 4n * GIB + (size - lowEnd) };
}

/** Everything that is memory, shadow RAM included. */
export function pcRam(size: bigint): AddressRange[] {
  const { lowEnd, highEnd } = pcMemory(size);
  const high = { start: 4n * GIB, end: highEnd };
  return [
    { start: 0n, end: 640n * KIB },
    { start: SHADOW.start, end: lowEnd },
    ...(isEmpty(high) ? [] : [high]),
  ];
}

export function isRam(range: AddressRange, size: bigint): boolean {
  return pcRam(size).some(({ start, end }) => start <= range.start && range.end <= end);
}

export function pcMemoryMap(size: bigint): E820Entry[] {
  const { lowEnd, highEnd } = pcMemory(size);
  const map: E820Entry[] = [
    { range: { start: 0n, end: EBDA.start }, type: E820_RAM },
    { range: EBDA, type: E820_RESERVED },
    { range: BIOS_SEGMENT, type: E820_RESERVED },
    { range: { start: MIB, end: lowEnd }, type: E820_RAM },
  ];
  if (highEnd > 4n * GIB) map.push({ range: { start: 4n * GIB, end: highEnd }, type: E820_RAM });
  return map;
}

/** What a firmware is told of its memory: RAM alone, of which it takes its own share (QEMU's etc/e820). */
export function pcInstalled(size: bigint): E820Entry[] {
  const { lowEnd, highEnd } = pcMemory(size);
  return [
    { start: 0n, end: lowEnd },
    { start: 4n * GIB, end: highEnd },
  ]
    .filter((range) => !isEmpty(range))
    .map((range) => ({ range, type: E820_RAM }));
}

export function pcRegions(size: bigint): Region[] {
  const { lowEnd, highEnd } = pcMemory(size);
  const region = (start: bigint, end: bigint, kind: RegionKind, name: string, reason: string): Region => ({
    range: { start, end },
    kind,
    name,
    permissions: null,
    reason,
    origin: pcOrigin('82441FX data sheet, 4.1 (System Address Map)'),
    at: null,
  });
  const regions = [
    region(
      0n,
      640n * KIB,
      'ram',
      'conventional memory',
      'DOS area; its last KiB is the extended BIOS data area',
    ),
    region(VIDEO_MEMORY.start, VIDEO_MEMORY.end, 'reserved', 'video memory', 'RAM that nobody displays'),
    region(SHADOW.start, MIB, 'reserved', 'BIOS shadow', 'RAM; the ACPI tables lie in it'),
    region(MIB, lowEnd, 'ram', 'RAM', 'memory below the PCI hole'),
    region(IOAPIC_BASE, IOAPIC_BASE + 4n * KIB, 'mmio', 'I/O APIC', '82093AA'),
    region(
      HPET_BASE,
      HPET_BASE + KIB,
      'mmio',
      'HPET',
      'event timers, and the counter that they compare with',
    ),
    region(
      LOCAL_APIC_BASE,
      LOCAL_APIC_BASE + MIB,
      'mmio',
      'local APIC',
      'interrupt messages; each vCPU sees its own',
    ),
  ];
  if (highEnd > 4n * GIB) {
    regions.push(region(4n * GIB, highEnd, 'ram', 'RAM above 4 GiB', 'what does not fit below the PCI hole'));
  }
  return regions;
}
