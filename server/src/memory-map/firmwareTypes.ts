/** The types of an e820 map by number (ACPI specification, 15: system address map), for producers that print numbers. */
import type { RegionKind } from '../machine/machine';
import type { MapEntry } from './mapText';

interface FirmwareType {
  readonly kind: RegionKind;
  readonly name: string;
}

const TYPES: readonly (FirmwareType | undefined)[] = [
  undefined,
  { kind: 'ram', name: 'usable' },
  { kind: 'reserved', name: 'reserved' },
  { kind: 'acpi', name: 'ACPI data' },
  { kind: 'nvs', name: 'ACPI NVS' },
  { kind: 'unusable', name: 'unusable' },
  { kind: 'reserved', name: 'disabled' },
  { kind: 'persistent', name: 'persistent' },
];

/** Numbers without a meaning of their own are reserved, by the specification. */
export function firmwareType(number: number): FirmwareType {
  return TYPES[number] ?? { kind: 'reserved', name: `type ${number}` };
}

/** A range of a start and a length in bytes, and why it is there. */
export function firmwareEntry(
  number: number,
  start: bigint,
  length: bigint,
  who: string,
): Pick<MapEntry, 'range' | 'kind' | 'name' | 'reason'> {
  const { kind, name } = firmwareType(number);
  return {
    range: { start, end: start + length },
    kind,
    name,
    reason: `${who} prints the firmware's entry of type ${number} here: ${name}.`,
  };
}
