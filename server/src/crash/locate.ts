/** What the addresses of a crash are in the machine: the role of a value decides whether it is guest-physical at all. */
import { formatRange, formatSize } from '../address/format';
import { KIB, PAGE } from '../address/range';
import { regionAt, type Machine, type Region } from '../machine/machine';
import type { Candidate, CrashFacts } from './crashFacts';
import type { Mapping } from './report';

/** `certain`, or an address under an assumption that `why` states. */
export type AddressRole = 'certain' | 'unpaged' | 'identity-mapped' | 'derived';

export interface GuestPhysical {
  /** `RIP`, `CR3 page table`. */
  readonly what: string;
  readonly address: bigint;
  readonly role: AddressRole;
  readonly why: string;
  /** The register whose lines print it. */
  readonly register: string;
}

/** The top table that CR3 points to (SDM vol. 3, 4.5.2): without PCID and the bits above the address. */
export function tableBase(cr3: bigint): bigint {
  return cr3 & 0x000ffffffffff000n;
}

export function mappings(facts: CrashFacts, addresses: readonly GuestPhysical[]): Mapping[] {
  const found: Mapping[] =
    addresses.length > 0 && facts.candidates.length === 0 ? addresses.map(unmapped) : [];
  for (const candidate of facts.candidates) {
    for (const address of addresses) found.push(mapAddress(candidate, address));
    found.push(...boundaryEqualities(facts, candidate, addresses));
  }
  return found;
}

function unmapped(address: GuestPhysical): Mapping {
  return {
    what: address.what,
    address: address.address,
    role: address.why,
    region: null,
    machine: null,
    note: 'no memory map was given: name the config of this guest to see the region',
    at: null,
  };
}

function mapAddress({ machine }: Candidate, address: GuestPhysical): Mapping {
  const region = regionAt(machine, address.address);
  return {
    what: address.what,
    address: address.address,
    role: address.why,
    region: region ? region.name : null,
    machine: machine.name,
    note: region ? placeNote(machine, region, address.address) : holeNote(machine, address.address),
    at: region?.at ?? null,
  };
}

function describeRegion(region: Region): string {
  return `${region.name} ${formatRange(region.range)} (${region.kind})`;
}

const NEAR = 64n * KIB;

/** Offset in the region; and both neighbours where the nearest boundary is 64 KiB away or less. */
function placeNote(machine: Machine, region: Region, address: bigint): string {
  const offset = address - region.range.start;
  const left = region.range.end - address;
  const place = `${formatSize(offset)} after the start of ${formatRange(region.range)}, ${formatSize(left)} before its end`;
  if (offset > NEAR && left > NEAR) return place;
  const { below, above } = neighbours(machine, region.range.start, region.range.end);
  return `${place}; ${neighbourNote(below, above)}`;
}

function holeNote(machine: Machine, address: bigint): string {
  const { below, above } = neighbours(machine, address, address + 1n);
  return `in no region: ${neighbourNote(below, above)}`;
}

function neighbourNote(below: Region | undefined, above: Region | undefined): string {
  return `${below ? describeRegion(below) : 'nothing'} below, ${above ? describeRegion(above) : 'nothing'} above`;
}

function neighbours(
  machine: Machine,
  start: bigint,
  end: bigint,
): { below: Region | undefined; above: Region | undefined } {
  let below: Region | undefined;
  let above: Region | undefined;
  for (const region of machine.regions) {
    if (region.range.end <= start && (!below || region.range.end > below.range.end)) below = region;
    if (region.range.start >= end && (!above || region.range.start < above.range.start)) above = region;
  }
  return { below, above };
}

/** Smaller numbers are sizes of anything. */
const SMALLEST_BOUNDARY = 64n * KIB;
const GENERAL = /^r(?:[a-d]x|[sd]i|bp|\d{1,2})$/;

/** Registers that equal a boundary or a size of the map: the strongest hint of a range end taken wrongly. */
function boundaryEqualities(
  facts: CrashFacts,
  { machine }: Candidate,
  addresses: readonly GuestPhysical[],
): Mapping[] {
  const found: Mapping[] = [];
  const boundaries = new Map<bigint, string>();
  const regions = new Map<bigint, Region>();
  const add = (value: bigint, words: string, region: Region): void => {
    if (value < SMALLEST_BOUNDARY || boundaries.has(value)) return;
    boundaries.set(value, words);
    regions.set(value, region);
  };
  for (const region of machine.regions)
    add(region.range.start, `the start of ${describeRegion(region)}`, region);
  for (const region of machine.regions) add(region.range.end, `the end of ${describeRegion(region)}`, region);
  for (const region of machine.regions) {
    add(region.range.end - region.range.start, `the size of ${describeRegion(region)}`, region);
  }
  for (const [name, value] of facts.block?.values ?? []) {
    const words = boundaries.get(value);
    if (!words || !GENERAL.test(name)) continue;
    if (addresses.some((address) => address.address === value)) continue;
    const region = regions.get(value)!;
    found.push({
      what: name.toUpperCase(),
      address: value,
      role: 'equality only: the register may hold anything',
      region: region.name,
      machine: machine.name,
      note: `equals ${words}`,
      at: region.at,
    });
  }
  return found;
}

/** The region that a page-sized object at `address` starts in, and whether it also reaches into another. */
export function straddles(machine: Machine, address: bigint): boolean {
  const region = regionAt(machine, address);
  return region !== undefined && region.range.end < address + PAGE;
}
