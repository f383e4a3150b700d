/** The guest-physical regions that build_machine makes (bin/propolis-standalone/src/main.rs). */
import { formatSize, hex } from '../../address/format';
import { fromLength, GIB, KIB, MIB, sizeOf, type AddressRange } from '../../address/range';
import type { GuestDescription, Region, RegionKind } from '../../machine/machine';
import { HPET_BASE, IOAPIC_BASE, LOCAL_APIC_BASE, PAGE_OF_APIC } from '../bhyve/kernelDevices';
import { propolisVersion, type PropolisVersion } from './versions';

/** setup_instance: memory above it goes to 4 GiB. */
const LOW_LIMIT = 3n * GIB;
const HIGH_START = 4n * GIB;
/** MAX_ROM_SIZE. */
export const ROM: AddressRange = { start: HIGH_START - 2n * MIB, end: HIGH_START };
const DEV32: AddressRange = { start: 0xc0000000n, end: 0xe0000000n };
const PCICFG: AddressRange = { start: 0xe0000000n, end: 0xf0000000n };
/** PCI_MMIO32_END: the last byte of the window that the ACPI tables give to PCI. */
export const PCI_WINDOW_LAST = 0xfeefffffn;

export interface PropolisMemory {
  readonly low: AddressRange;
  /** Null where all of it fits below 3 GiB. */
  readonly high: AddressRange | null;
}

/** Where `memory` bytes go. */
export function splitMemory(memory: bigint): PropolisMemory {
  const low = memory < LOW_LIMIT ? memory : LOW_LIMIT;
  return {
    low: { start: 0n, end: low },
    high: memory > low ? fromLength(HIGH_START, memory - low) : null,
  };
}

/** One call of add_mem_region, add_rom_region or add_mmio_region. */
export interface MappedRegion {
  readonly name: 'lowmem' | 'dev32' | 'pcicfg' | 'bootrom' | 'highmem' | 'dev64';
  readonly range: AddressRange;
  readonly kind: 'ram' | 'rom' | 'mmio';
}

/** Why Propolis makes no machine with this memory, in words, or null. */
export function memoryRefusal({ facts }: PropolisVersion, memory: bigint): string | null {
  if (memory <= 0n) return 'it has no memory, and Propolis makes no memory segment of 0 bytes';
  const { high } = splitMemory(memory);
  const end = high?.end ?? HIGH_START;
  if (facts.dev64Start !== 'after-memory') {
    if (end <= facts.dev64Start) return null;
    return `its high memory would end at ${hex(end)}, in the 64-bit MMIO region that begins at ${hex(facts.dev64Start)}: Propolis ends with "would conflict with existing entry"`;
  }
  if (end < facts.addressSpaceEnd) return null;
  const largest = facts.addressSpaceEnd - HIGH_START + LOW_LIMIT - MIB;
  return `its memory would end at ${hex(end)}, and the address space of Propolis ends at ${hex(facts.addressSpaceEnd)} (MAX_PHYSMEM) with some 64-bit MMIO before it: at most ${formatSize(largest)} fit`;
}

/** The physical memory map as Propolis keeps it (PhysMap), sorted by start. Empty where it refuses the memory. */
export function physicalMap(version: PropolisVersion, memory: bigint): MappedRegion[] {
  if (memoryRefusal(version, memory) !== null) return [];
  const { facts } = version;
  const { low, high } = splitMemory(memory);
  const dev64 = facts.dev64Start === 'after-memory' ? (high?.end ?? HIGH_START) : facts.dev64Start;
  return [
    { name: 'lowmem', range: low, kind: 'ram' },
    { name: 'dev32', range: DEV32, kind: 'mmio' },
    { name: 'pcicfg', range: PCICFG, kind: 'mmio' },
    { name: 'bootrom', range: ROM, kind: 'rom' },
    ...(high ? [{ name: 'highmem', range: high, kind: 'ram' } as const] : []),
    { name: 'dev64', range: { start: dev64, end: facts.addressSpaceEnd }, kind: 'mmio' },
  ];
}

const REASONS: Readonly<Record<MappedRegion['name'], string>> = {
  lowmem:
    'Memory below 3 GiB: main.memory, as far as it fits. No part of it is kept back for a VGA or a BIOS.',
  dev32:
    'Reserved for 32-bit BARs. Nothing checks it: the ACPI tables give PCI all from the end of low memory to 0xfeefffff, and a device is found wherever its BAR says.',
  pcicfg:
    'Reserved for memory-mapped PCI configuration (ECAM), which propolis-standalone leaves switched off (enable_pcie): reads are all ones.',
  bootrom: 'The boot ROM’s segment of 2 MiB: the file ends at 4 GiB, below it the segment is zero.',
  highmem: 'The memory that does not fit below 3 GiB.',
  dev64: 'Reserved for 64-bit BARs, up to MAX_PHYSMEM. The ACPI tables tell of no 64-bit window.',
};
const PERMISSIONS = { ram: 'rwx', rom: 'r-x', mmio: null } as const;

/** In-kernel devices of bhyve, which have no entry in the map of Propolis. */
const KERNEL_CHIPS: readonly (readonly [name: string, range: AddressRange, reason: string])[] = [
  ['I/O APIC', fromLength(IOAPIC_BASE, PAGE_OF_APIC), 'In the kernel (VIOAPIC_BASE, VIOAPIC_SIZE).'],
  ['HPET', fromLength(HPET_BASE, KIB), 'In the kernel (VHPET_BASE); the ACPI tables do not tell of it.'],
  ['local APIC', fromLength(LOCAL_APIC_BASE, PAGE_OF_APIC), 'In the kernel; each vCPU sees its own.'],
];

/** The regions of any guest under a version of Propolis, sorted by start; none where it is refused. */
export function layOutPropolis(guest: GuestDescription, versionId: string): Region[] {
  const version = propolisVersion(versionId);
  const memory = guest.memory?.value ?? 0n;
  const map = physicalMap(version, memory);
  if (map.length === 0) return [];
  const origin = guest.memory?.origin;
  const memoryAt = origin?.kind === 'text' ? { uri: origin.uri, range: origin.range } : null;
  const region = (name: string, range: AddressRange, kind: RegionKind, reason: string): Region => ({
    name,
    range,
    kind,
    reason,
    permissions: kind === 'ram' || kind === 'rom' || kind === 'mmio' ? PERMISSIONS[kind] : null,
    origin: {
      kind: 'vmm',
      vmm: 'propolis',
      version: version.id,
      citation: `bin/propolis-standalone/src/main.rs, build_machine (${version.source})`,
    },
    at: kind === 'ram' || kind === 'hole' ? memoryAt : null,
  });
  const hole: AddressRange = { start: splitMemory(memory).low.end, end: DEV32.start };
  const holeReason = `Between low memory and dev32: nothing is mapped (${formatSize(sizeOf(hole))}), yet the window of PCI in the ACPI tables begins here.`;
  return [
    ...map.map(({ name, range, kind }) => region(name, range, kind, REASONS[name])),
    ...(sizeOf(hole) > 0n ? [region('gap below dev32', hole, 'hole', holeReason)] : []),
    ...KERNEL_CHIPS.map(([name, range, reason]) => region(name, range, 'mmio', reason)),
  ].sort((a, b) => (a.range.start < b.range.start ? -1 : 1));
}
