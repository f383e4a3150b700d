/** Guest-physical address space as bhyve lays it out: vm_setup_memory of libvmmapi, init_bootrom, init_pci. */
import { formatSize } from '../../address/format';
import { GIB, isEmpty, KIB, MIB, PAGE, type AddressRange } from '../../address/range';
import {
  sortRegions,
  type GuestDescription,
  type Machine,
  type Region,
  type RegionKind,
} from '../../machine/machine';
import type { Origin } from '../../machine/origin';
import { HPET_BASE, IOAPIC_BASE, LOCAL_APIC_BASE, PAGE_OF_APIC } from './kernelDevices';
import { bhyveVersion, NEWEST_BHYVE, type BhyveVersion } from './versions';

/** VM_LOWMEM_LIMIT of libvmmapi: memory beyond it goes to 4 GiB. */
const LOWMEM_LIMIT = 3n * GIB;
export const HIGHMEM_BASE = 4n * GIB;
/** BOOTROM_SIZE of bootrom.c: the segment ends at 4 GiB, and ROM and variables are allocated in it from the top. */
export const BOOTROM_SEGMENT: AddressRange = { start: HIGHMEM_BASE - 16n * MIB, end: HIGHMEM_BASE };
export const WINDOW_32: AddressRange = { start: 0xc0000000n, end: 0xe0000000n };
/** PCI_EMUL_ECFG_BASE, 1 MiB for each of 256 buses. */
export const ECAM: AddressRange = { start: 0xe0000000n, end: 0xf0000000n };
/** Ports of the windows that BARs are allocated in (PCI_EMUL_IOBASE, PCI_EMUL_IOLIMIT; the limit is exclusive). */
export const IO_WINDOW = { start: 0x2000, end: 0x10000 } as const;
const WINDOW_64_SIZE = 32n * GIB;

export interface BhyveMemory {
  readonly low: AddressRange;
  /** Empty where everything fits below 3 GiB. */
  readonly high: AddressRange;
}

/** Where `size` bytes go; `high` is empty where all of them lie below 4 GiB. */
export function bhyveMemory(size: bigint): BhyveMemory {
  const low = size > LOWMEM_LIMIT ? LOWMEM_LIMIT : size;
  return { low: { start: 0n, end: low }, high: { start: HIGHMEM_BASE, end: HIGHMEM_BASE + size - low } };
}

/** A guest's memory in bytes: of a memory map, which says only where it is, the RAM that it has. */
export function memoryOf({ memory, regions }: Machine): bigint {
  if (memory) return memory.value;
  return regions.reduce((sum, { kind, range }) => (kind === 'ram' ? sum + range.end - range.start : sum), 0n);
}

/** init_pci: 32 GiB from the first multiple of 32 GiB that is not below the end of memory; before, a fixed window. */
export function window64({ facts }: BhyveVersion, size: bigint): AddressRange {
  if (facts.window64 !== 'after-memory') return facts.window64;
  const { end } = bhyveMemory(size).high;
  const start = ((end + WINDOW_64_SIZE - 1n) / WINDOW_64_SIZE) * WINDOW_64_SIZE;
  return { start, end: start + WINDOW_64_SIZE };
}

/** Why bhyve does not start a guest with so much memory, or null. */
export function memoryRefusal(size: bigint | null): string | null {
  if (size === null) return 'its config gives no memory size that bhyve takes';
  if (size <= 0n || size % PAGE !== 0n) {
    return `memory of ${size} bytes is not a whole number of 4 KiB pages: vm_alloc_memseg refuses it (EINVAL) and bhyve exits with status 4`;
  }
  return null;
}

const MAPPING = 'lib/libvmmapi/vmmapi.c, vm_setup_memory';
const PCI = 'usr.sbin/bhyve/pci_emul.c, init_pci';

/** The address space of any guest, sorted by start; none where bhyve refuses the memory. An unknown version is the newest. */
export function layOut(guest: GuestDescription, id: string): Region[] {
  const version = bhyveVersion(id) ?? NEWEST_BHYVE;
  const memory = guest.memory;
  if (!memory || memoryRefusal(memory.value)) return [];
  const { low, high } = bhyveMemory(memory.value);
  const at = memory.origin.kind === 'text' ? memory.origin : guest.nameAt;
  const region = (
    range: AddressRange,
    kind: RegionKind,
    name: string,
    reason: string,
    citation: string,
    permissions: string | null = null,
  ): Region => ({
    range,
    kind,
    name,
    permissions,
    reason,
    origin: bhyveOrigin(version, citation),
    at,
  });
  const sysmem = (range: AddressRange, name: string, reason: string): Region => ({
    ...region(range, 'ram', name, reason, MAPPING, 'rwx'),
    // On illumos each is a segment of its own.
    ...(version.facts.os === 'illumos' ? { backingOffset: 0n } : {}),
  });
  const rom = guest.images.find(({ role }) => role === 'firmware');
  const regions: Region[] = [
    sysmem(
      low,
      'low memory',
      isEmpty(high)
        ? `All of the VM's ${formatSize(memory.value)}: it is at most 3 GiB.`
        : `The first 3 GiB of the VM's ${formatSize(memory.value)}; the rest is at 4 GiB.`,
    ),
    ...(isEmpty(high)
      ? []
      : [sysmem(high, 'high memory', `What is beyond 3 GiB: ${formatSize(high.end - high.start)}.`)]),
    ...(low.end < WINDOW_32.start
      ? [
          region(
            { start: low.end, end: WINDOW_32.start },
            'hole',
            'memory hole',
            'Between the end of memory and the 32-bit PCI window: the fallback handler “PCI hole” reads as all ones and ignores writes.',
            PCI,
          ),
        ]
      : []),
    region(
      WINDOW_32,
      'mmio',
      '32-bit PCI window',
      'BARs of PCI devices that need or get addresses below 4 GiB; what no BAR claims reads as all ones.',
      PCI,
    ),
    region(ECAM, 'mmio', 'PCI configuration space', 'ECAM, 1 MiB a bus.', PCI),
    region(
      { start: IOAPIC_BASE, end: IOAPIC_BASE + PAGE_OF_APIC },
      'mmio',
      'I/O APIC',
      'Emulated in the kernel, 32 inputs.',
      'vmm io/vioapic.h, VIOAPIC_BASE',
    ),
    region(
      { start: HPET_BASE, end: HPET_BASE + KIB },
      'mmio',
      'HPET',
      'Emulated in the kernel: eight 32-bit timers at 16.777216 MHz.',
      'vmm io/vhpet.h, VHPET_BASE',
    ),
    region(
      { start: LOCAL_APIC_BASE, end: LOCAL_APIC_BASE + PAGE_OF_APIC },
      'mmio',
      'local APIC',
      'Emulated in the kernel; each vCPU sees its own.',
      'vmm, DEFAULT_APIC_BASE',
    ),
    ...(rom
      ? [
          region(
            BOOTROM_SEGMENT,
            'rom',
            'boot ROM segment',
            'The ROM ends at 4 GiB and takes as many pages as its file has, 16 MiB at most; its variables, where there are any, lie below it, and the rest reads as all ones.',
            'usr.sbin/bhyve/bootrom.c, init_bootrom and bootrom_alloc',
            'r-x',
          ),
        ]
      : []),
    region(
      window64(version, memory.value),
      'mmio',
      '64-bit PCI window',
      version.facts.window64 === 'after-memory'
        ? 'Large 64-bit BARs: 32 GiB from the first multiple of 32 GiB at or after the end of memory.'
        : 'Large 64-bit BARs: a fixed window in this version.',
      PCI,
    ),
  ];
  return sortRegions(regions);
}

function bhyveOrigin({ id }: BhyveVersion, citation: string): Origin {
  return { kind: 'vmm', vmm: 'bhyve', version: id, citation };
}
