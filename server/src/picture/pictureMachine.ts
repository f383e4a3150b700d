/** What a picture needs of a machine, and how a client gets it from the wire. */
import { sizeOf } from '../address/range';
import { parseAddress } from '../address/parse';
import { parentsOf, REGION_KINDS, type Machine, type Region, type RegionKind } from '../machine/machine';
import type { WireMachine } from '../machine/wire';

export type PictureRegion = Pick<
  Region,
  'range' | 'kind' | 'name' | 'permissions' | 'reason' | 'at' | 'approximate' | 'level'
>;

/** Every `Machine` is one. Regions are sorted by start and may overlap. */
export interface PictureMachine extends Pick<Machine, 'name' | 'vmm' | 'version'> {
  readonly regions: readonly PictureRegion[];
}

function address(text: string): bigint {
  const parsed = parseAddress(text, true);
  return 'value' in parsed ? parsed.value : 0n;
}

/** Keeps the order and the number of regions, so that indices on both sides mean the same. */
export function fromWire(wire: Pick<WireMachine, 'name' | 'vmm' | 'regions'>): PictureMachine {
  const [vmm, version] = wire.vmm?.split('@') ?? [];
  return {
    name: wire.name,
    vmm: vmm ?? null,
    version: version ?? null,
    regions: wire.regions.map((region) => ({
      range: { start: address(region.start), end: address(region.end) },
      kind: REGION_KINDS.includes(region.kind) ? region.kind : 'reserved',
      name: region.name,
      permissions: region.permissions,
      reason: region.reason,
      at: region.uri !== null && region.range !== null ? { uri: region.uri, range: region.range } : null,
      ...(region.approximate ? { approximate: true } : {}),
      ...(region.level ? { level: region.level } : {}),
    })),
  };
}

/** How kinds are written for people. */
export const KIND_WORDS: Readonly<Record<RegionKind, string>> = {
  ram: 'RAM',
  reserved: 'reserved',
  rom: 'ROM',
  mmio: 'MMIO',
  acpi: 'ACPI',
  nvs: 'ACPI NVS',
  unusable: 'unusable',
  persistent: 'persistent',
  hole: 'hole',
};

/** Bytes of RAM, each counted as often as a region claims it that lies in no other RAM. */
export function ramOf({ regions }: PictureMachine): bigint {
  const parents = parentsOf(regions);
  return regions.reduce(
    (sum, { kind, range }, index) =>
      kind === 'ram' && regions[parents[index]!]?.kind !== 'ram' ? sum + sizeOf(range) : sum,
    0n,
  );
}
