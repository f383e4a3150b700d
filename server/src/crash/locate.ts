/** What the addresses of a crash are in the machine: the role of a value decides whether it is guest-physical at all. */
import { formatRange, formatSize, hex } from '../address/format';
import { GIB, KIB, MIB, PAGE } from '../address/range';
import { regionAt, type Machine, type Region } from '../machine/machine';
import { bit } from '../x86/bitField';
import { frameOf, isLeaf, type TableLevel } from '../x86/pageTableEntry';
import { register, type Candidate, type CrashFacts } from './crashFacts';
import type { PageWalkEntry } from './linuxOops';
import { DEFAULT_DIRECT_MAP } from './linuxReboot';
import type { Mapping } from './report';

/** `certain`, or an address under an assumption that `why` states. */
export type AddressRole = 'certain' | 'identity-mapped' | 'derived';

export interface GuestPhysical {
  /** `RIP`, `CR3 page table`. */
  readonly what: string;
  readonly address: bigint;
  readonly role: AddressRole;
  readonly why: string;
  /** The register whose lines print it. */
  readonly register: string;
}

const DIRECT_MAP_END = 0xffffc88000000000n;
const CR3_BASE = 0x000ffffffffff000n;

/**
 * True where linear addresses are guest-physical ones: RIP below 4 GiB on a page table in the first MiB is Linux's
 * trampoline, which maps low memory one to one.
 */
export function isIdentityMapped(facts: CrashFacts): boolean {
  const rip = register(facts, 'rip');
  const cr3 = register(facts, 'cr3');
  return rip !== undefined && cr3 !== undefined && rip < 4n * GIB && (cr3 & CR3_BASE) < MIB;
}

/** The guest-physical addresses that the dump has, most certain first. Host addresses and kernel pointers are none. */
export function guestPhysicalAddresses(facts: CrashFacts): GuestPhysical[] {
  const found: GuestPhysical[] = [];
  const cr3 = register(facts, 'cr3');
  if (cr3 !== undefined) {
    found.push({
      what: 'CR3 page table',
      address: cr3 & CR3_BASE,
      role: 'certain',
      why: 'certain: CR3 holds the guest-physical address of the top page table',
      register: 'cr3',
    });
  }
  found.push(...walkAddresses(facts.oops.walk));
  if (isIdentityMapped(facts)) {
    const assumption =
      'if identity-mapped: RIP below 4 GiB on a page table in the first MiB, as on Linux’s trampoline';
    // The trampoline maps the first GiB at least; a fault beyond it is at no guest-physical address.
    for (const [name, what, end] of [
      ['rip', 'RIP', 4n * GIB],
      ['cr2', 'CR2', GIB],
    ] as const) {
      const address = register(facts, name);
      if (address !== undefined && address < end) {
        found.push({ what, address, role: 'identity-mapped', why: assumption, register: name });
      }
    }
  }
  const blob = facts.reboot?.blob;
  if (blob) {
    found.push({
      what: 'real-mode blob',
      address: blob.physical,
      role: 'derived',
      why: `derived: ${blob.pointer.register.toUpperCase()} ${hex(blob.pointer.value)} less the direct map base ${hex(blob.directMap)}, taken as the multiple of 1 GiB below it`,
      register: blob.pointer.register,
    });
  }
  const fault = facts.oops.faultAddress;
  if (fault !== null && fault >= DEFAULT_DIRECT_MAP && fault < DIRECT_MAP_END) {
    found.push({
      what: 'fault address',
      address: fault - DEFAULT_DIRECT_MAP,
      role: 'derived',
      why: `derived: ${hex(fault)} less the direct map base ${hex(DEFAULT_DIRECT_MAP)}, right only without KASLR`,
      register: 'cr2',
    });
  }
  return found;
}

const WALK_LEVELS: Readonly<Record<PageWalkEntry['level'], TableLevel>> = {
  PGD: 'pml4',
  P4D: 'pml4',
  PUD: 'pdpt',
  PMD: 'pd',
  PTE: 'pt',
};

/** What the kernel's page walk points to. A P4D that repeats the PGD is a folded level. */
function walkAddresses(walk: readonly PageWalkEntry[]): GuestPhysical[] {
  const found: GuestPhysical[] = [];
  let before: bigint | null = null;
  for (const { level, value } of walk) {
    const folded = level === 'P4D' && value === before;
    before = value;
    if (folded || !bit(value, 0)) continue;
    const tableLevel = WALK_LEVELS[level];
    found.push({
      what: isLeaf(value, tableLevel) ? `page of the fault (${level})` : `table of the ${level} entry`,
      address: frameOf(value, tableLevel),
      role: 'certain',
      why: `certain: the ${level} entry ${hex(value)} of the guest’s own tables`,
      register: 'cr2',
    });
  }
  return found;
}

export function mappings(facts: CrashFacts): Mapping[] {
  const addresses = guestPhysicalAddresses(facts);
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

export function describeRegion(region: Region): string {
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
