/** The memory map as PC firmware and boot loaders hand it over (ACPI 6.5, 15.1: INT 15h, E820h). */
import { sizeOf, type AddressRange } from '../address/range';
import type { Region, RegionKind } from '../machine/machine';

export const E820_RAM = 1;
export const E820_RESERVED = 2;

export interface E820Entry {
  readonly range: AddressRange;
  /** Address range type: 1 is usable RAM, 2 reserved, 3 ACPI tables, 4 ACPI NVS, 5 unusable (ACPI 6.5, table 15.4). */
  readonly type: number;
}

/** Bytes of a packed entry: base, length, type. */
export const E820_ENTRY_SIZE = 20;

/** Entries of {base, length, type}, packed, or with zeros behind each up to `stride` bytes. */
export function e820Bytes(entries: readonly E820Entry[], stride = E820_ENTRY_SIZE): Uint8Array {
  const bytes = new Uint8Array(entries.length * stride);
  const view = new DataView(bytes.buffer);
  entries.forEach(({ range, type }, index) => {
    const at = index * stride;
    view.setBigUint64(at, range.start, true);
    view.setBigUint64(at + 8, sizeOf(range), true);
    view.setUint32(at + 16, type, true);
  });
  return bytes;
}

/** Address range types of ACPI 6.5, table 15.4; addresses of devices are in no entry. */
const TYPES: Readonly<Partial<Record<RegionKind, number>>> = {
  ram: E820_RAM,
  reserved: E820_RESERVED,
  rom: E820_RESERVED,
  acpi: 3,
  nvs: 4,
  unusable: 5,
  persistent: 7,
};

/** What a guest is told whose regions come from a memory map: that map, in its order. */
export function e820OfRegions(regions: readonly Region[]): E820Entry[] {
  return regions.flatMap(({ range, kind }) => {
    const type = TYPES[kind];
    return type === undefined ? [] : [{ range, type }];
  });
}
