/** The neutral description that every config format and memory map turns into. */
import { compareRanges, contains, type AddressRange } from '../address/range';
import type { SourceRange } from '../text/position';
import type { BootState } from './bootState';
import type { Mapping } from './mapping';
import type { Fact, Origin } from './origin';

export const REGION_KINDS = [
  'ram',
  'reserved',
  'rom',
  'mmio',
  'acpi',
  'nvs',
  'unusable',
  'persistent',
  'hole',
] as const;
export type RegionKind = (typeof REGION_KINDS)[number];

/** A span of guest physical address space. */
export interface Region {
  readonly range: AddressRange;
  readonly kind: RegionKind;
  readonly name: string;
  /** `rwx` with `-` for what is not allowed; null where the source does not say. */
  readonly permissions: string | null;
  /** Why the region is there and has this size, one sentence. */
  readonly reason: string;
  /** Who decided it: a config line or the VMM. */
  readonly origin: Origin;
  /** The line of a text that this region comes from, also where the VMM decides; null where there is none. */
  readonly at: SourceRange | null;
  /** True where `range` is approximate (bhyvectl prints rounded lengths). */
  readonly approximate?: boolean;
  /**
   * Depth in a nested map (/proc/iomem), 0 where it is left out: a region of level n + 1 lies in one of level n and says more
   * of it. The two are no overlap.
   */
  readonly level?: number;
  /** Where the region starts in what backs it (bhyve's memory segment), in bytes, where the source says so. */
  readonly backingOffset?: bigint;
}

export type ImageRole = 'kernel' | 'firmware' | 'disk' | 'cdrom' | 'initrd';

/** A file that the machine loads or attaches; it need not exist. */
export interface ImageReference {
  readonly role: ImageRole;
  readonly path: string;
  readonly origin: Origin;
}

/** A value of a VMM's own option. */
export type Setting = string | bigint | boolean;

/** One guest as its config describes it, before a VMM lays its memory out. */
export interface GuestDescription {
  readonly name: string;
  /** Guest memory as the VMM takes it, in bytes, with the line that says so. Null where unknown, as in a memory map. */
  readonly memory: Fact<bigint> | null;
  readonly vcpus: Fact<number>;
  /** The device that the config tells the firmware to boot from (`cdrom`, `disk`, `net`), where it names one. */
  readonly bootDevice?: Fact<string>;
  readonly images: readonly ImageReference[];
  /** The kernel's command line where the config gives one; the VMM's own applies otherwise. */
  readonly commandLine?: Fact<string>;
  /** What else the config says and the VMM's model looks at, by the config's own key path (`lpc.bootrom`). */
  readonly settings?: ReadonlyMap<string, Fact<Setting>>;
  /** The whole block or table that describes it. */
  readonly at: SourceRange | null;
  /** Its name, for lenses and links; `at` where it has none of its own. */
  readonly nameAt: SourceRange | null;
}

/** One guest, with its memory laid out. */
export interface Machine extends GuestDescription {
  /** Name of the VMM model (its folder), or null for a bare memory map. */
  readonly vmm: string | null;
  /** Version id within the VMM's list. */
  readonly version: string | null;
  /** Who printed the memory map that this machine was read from: the name of its dialect. Missing for a config. */
  readonly producer?: string;
  /** Sorted by start. Those of a memory map may overlap. */
  readonly regions: readonly Region[];
  /** Where linear addresses lead, by linear start, where the source says so (`info mem`, `info tlb`, a boot plan). */
  readonly mappings?: readonly Mapping[];
  /** What memory and registers hold before the first instruction, where the source says so; else the VMM's model knows. */
  readonly boot?: BootState;
}

/** By start; what lies in another region comes after it, also where both start at one address. */
export function sortRegions(regions: readonly Region[]): Region[] {
  return [...regions].sort((a, b) =>
    a.range.start === b.range.start && levelOf(a) !== levelOf(b)
      ? levelOf(a) - levelOf(b)
      : compareRanges(a.range, b.range),
  );
}

export function levelOf({ level }: Pick<Region, 'level'>): number {
  return level ?? 0;
}

/** The innermost region that contains the address, the first one of an overlap, or undefined for a hole. */
export function regionAt(machine: Machine, address: bigint): Region | undefined {
  let innermost: Region | undefined;
  for (const region of machine.regions) {
    if (!contains(region.range, address)) continue;
    if (!innermost || levelOf(region) > levelOf(innermost)) innermost = region;
  }
  return innermost;
}

/**
 * For every region the index of the one that it lies in, -1 at the top, in one sweep. Regions that only overlap, or whose level says
 * so against their ranges, lie in none.
 */
export function parentsOf(regions: readonly Pick<Region, 'range' | 'level'>[]): number[] {
  const open: number[] = [];
  return regions.map((region, index) => {
    const level = levelOf(region);
    open.length = Math.min(open.length, level);
    const parent = level === 0 ? undefined : open[level - 1];
    open[level] = index;
    if (parent === undefined) return -1;
    const outer = regions[parent]!.range;
    return region.range.start >= outer.start && region.range.end <= outer.end ? parent : -1;
  });
}

/** `vmd@7.8`, `vmd`, or null for a bare memory map. */
export function vmmLabel({ vmm, version }: Pick<Machine, 'vmm' | 'version'>): string | null {
  return vmm === null || version === null ? vmm : `${vmm}@${version}`;
}
