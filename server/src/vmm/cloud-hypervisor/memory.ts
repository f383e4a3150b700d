/** How much memory a guest has and where Cloud Hypervisor puts it (vmm/src/memory_manager.rs, MemoryManager::new). */
import { formatSize, hex } from '../../address/format';
import { union } from '../../address/intervals';
import { MIB, PAGE, type AddressRange } from '../../address/range';
import type { CpuVendor } from '../../x86/cpuid/answers';
import type { GuestDescription, Machine } from '../../machine/machine';
import { HIGH_RAM, LOW_RAM_END, RAM_64 } from './addresses';
import { numberOption, textOption } from './origin';
import { endOfDevices, physicalWidth } from './physicalWidth';
import type { CloudHypervisorVersion } from './versions';

/** DEFAULT_MEMORY_MB (vmm/src/vm_config.rs). */
export const DEFAULT_MEMORY = 512n * MIB;
/** Where hotplugged memory may begin: a multiple of this (MemoryManager::start_addr; VIRTIO_MEM_ALIGN_SIZE). */
const HOTPLUG_ALIGNMENT = 128n * MIB;
const PLATFORM_AREA_SIZE = MIB;

/** Bytes of RAM at the start. */
export function memoryOf({ memory }: GuestDescription): bigint {
  return memory?.value ?? DEFAULT_MEMORY;
}

export interface MemoryLayout {
  /** RAM from 0, and above 4 GiB where it does not fit below 3 GiB. */
  readonly ram: readonly AddressRange[];
  /** Kept free behind RAM for memory that is plugged later; null for none. */
  readonly hotplug: AddressRange | null;
  /** BARs of 64 bits. */
  readonly devices: AddressRange;
  /** ACPI's control devices; null where they are among the others. */
  readonly platform: AddressRange | null;
}

/** RAM of `size` bytes: [0, 3 GiB) first, the rest from 4 GiB on (arch_memory_regions). */
export function ramRanges(size: bigint): AddressRange[] {
  if (size <= 0n) return [];
  if (size <= LOW_RAM_END) return [{ start: 0n, end: size }];
  return [
    { start: 0n, end: LOW_RAM_END },
    { start: RAM_64, end: RAM_64 + (size - LOW_RAM_END) },
  ];
}

/** RAM of a machine: of a config as it is laid out, of a memory map what the map says. Sorted, in pieces that do not touch. */
export function ramOf(machine: Machine): AddressRange[] {
  if (machine.memory !== null) return ramRanges(machine.memory.value);
  return union(machine.regions.filter(({ kind }) => kind === 'ram').map(({ range }) => range));
}

/** Where RAM below 4 GiB ends: there the initial RAM disk goes. */
export function lowRamEnd(ram: readonly AddressRange[]): bigint {
  return ram.filter(({ end }) => end <= RAM_64).at(-1)?.end ?? 0n;
}

/** Half-open; the ranges of a guest that is refused (`refusesMemory`) may be reversed. */
export function memoryLayout(
  version: CloudHypervisorVersion,
  guest: GuestDescription,
  vendor: CpuVendor,
): MemoryLayout {
  const ram = ramRanges(memoryOf(guest));
  const ramEnd = ram.at(-1)?.end ?? 0n;
  const plugged = BigInt(numberOption(guest, 'memory.hotplug_size') ?? 0);
  const above = ramEnd <= LOW_RAM_END ? RAM_64 : ramEnd;
  const start = plugged > 0n ? up(above, HOTPLUG_ALIGNMENT) : above;
  const end = endOfDevices(physicalWidth(version, guest, vendor));
  const platform = version.facts.platformArea ? { start: end - PLATFORM_AREA_SIZE, end } : null;
  return {
    ram,
    hotplug: plugged > 0n ? { start, end: start + plugged } : null,
    devices: { start: start + plugged, end: platform?.start ?? end },
    platform,
  };
}

function up(value: bigint, alignment: bigint): bigint {
  return ((value + alignment - 1n) / alignment) * alignment;
}

/** Why this Cloud Hypervisor makes no VM with this memory, in words, or null. */
export function refusesMemory(
  version: CloudHypervisorVersion,
  guest: GuestDescription,
  vendor: CpuVendor,
): string | null {
  const size = memoryOf(guest);
  if (size <= HIGH_RAM) {
    return `memory.size is ${formatSize(size)}: RAM must reach beyond 1 MiB, where the memory map of the guest goes on`;
  }
  if (size % PAGE !== 0n) {
    return `memory.size ${hex(size)} is no multiple of the page size, 4 KiB`;
  }
  const { devices } = memoryLayout(version, guest, vendor);
  if (devices.start >= devices.end) {
    const width = physicalWidth(version, guest, vendor);
    return `memory ends at ${hex(devices.start)}, and ${width} physical address bits leave addresses up to ${hex(devices.end)}`;
  }
  return null;
}

/** How memory is plugged: `Acpi` where the config says nothing. */
export function hotplugMethod(guest: GuestDescription): string {
  return textOption(guest, 'memory.hotplug_method') ?? 'Acpi';
}
