/** Guest-physical memory as Firecracker arranges it (arch_memory_regions, layout.rs). */
import { formatSize, hex } from '../../address/format';
import { GIB, MIB, PAGE, sizeOf, type AddressRange } from '../../address/range';
import { sortRegions, type GuestDescription, type Region, type RegionKind } from '../../machine/machine';
import { fromText } from '../../machine/origin';
import { KVM_IOAPIC_BASE } from '../kvm/irqchip';
import { DEFAULT_MEMORY, firecrackerVersion, MOST_VCPUS, type FirecrackerFacts } from './versions';

/** EBDA_START, later SYSTEM_MEM_START: the MP table, and ACPI tables behind it. */
export const SYSTEM_DATA = 0x9fc00n;
/** RSDP_ADDR, and the end of the system data from 1.8 on. */
export const RSDP = 0xe0000n;
/** HIMEM_START: no kernel below. */
export const HIGH_MEMORY = MIB;
const FOUR_GIB = 4n * GIB;
const LOCAL_APIC: AddressRange = { start: 0xfee00000n, end: 0xfee01000n };
const IOAPIC: AddressRange = { start: KVM_IOAPIC_BASE, end: KVM_IOAPIC_BASE + PAGE };
/** KVM_SET_TSS_ADDR takes three pages. */
const KVM_TSS: AddressRange = { start: 0xfffbd000n, end: 0xfffc0000n };
/** The model CPU's physical address width. */
const LAST_ADDRESS = 1n << 46n;

/** RAM in ascending order, without its holes. At most three ranges; none for a memory of 0. */
export function dramRanges(facts: FirecrackerFacts, memory: bigint): AddressRange[] {
  const holes = [{ start: facts.gap, end: FOUR_GIB }, ...(facts.highGap ? [facts.highGap] : [])];
  const ranges: AddressRange[] = [];
  let start = 0n;
  let left = memory;
  for (const hole of holes) {
    const end = start + left < hole.start ? start + left : hole.start;
    if (end > start) ranges.push({ start, end });
    left -= end - start;
    start = hole.end;
  }
  if (left > 0n) ranges.push({ start, end: start + left });
  return ranges;
}

/** Why Firecracker does not take such a guest, or null. */
export function refusal(
  { memory, vcpus }: Pick<GuestDescription, 'memory' | 'vcpus'>,
  version: string,
): string | null {
  const { facts } = firecrackerVersion(version);
  const bytes = memory?.value ?? DEFAULT_MEMORY;
  if (bytes <= 0n || bytes % MIB !== 0n) {
    return `mem_size_mib takes whole MiB, one at least, and the guest has ${formatSize(bytes)}`;
  }
  if (vcpus.value < 1 || vcpus.value > MOST_VCPUS) {
    return `Firecracker takes 1 to ${MOST_VCPUS} vCPUs, and the guest has ${vcpus.value}`;
  }
  const { end } = dramRanges(facts, bytes).at(-1)!;
  return end > LAST_ADDRESS
    ? `its memory would end at ${hex(end)}, beyond the 46 bits of physical address of the model’s CPU`
    : null;
}

/** The address space of any guest under a version, sorted; empty where Firecracker refuses the guest. */
export function layOutFirecracker(guest: GuestDescription, version: string): Region[] {
  if (refusal(guest, version) !== null) return [];
  const { id, facts, revision } = firecrackerVersion(version);
  const { memory } = guest;
  const bytes = memory?.value ?? DEFAULT_MEMORY;
  const sized = memory?.origin.kind === 'text' ? memory.origin : null;
  const at = sized ? { uri: sized.uri, range: sized.range } : guest.nameAt;
  const region = (
    range: AddressRange,
    kind: RegionKind,
    name: string,
    citation: string,
    reason: string,
    permissions = kind === 'mmio' ? 'rw-' : 'rwx',
  ): Region => ({
    range,
    kind,
    name,
    permissions,
    reason,
    origin:
      kind === 'ram' && range.start >= HIGH_MEMORY && sized
        ? fromText(sized)
        : { kind: 'vmm', vmm: 'firecracker', version: id, citation: `${revision}, ${citation}` },
    at,
  });
  const regions = [
    ...lowMemory(facts, region),
    ...dramRanges(facts, bytes)
      .map(({ start, end }) => ({ start: start < HIGH_MEMORY ? HIGH_MEMORY : start, end }))
      .filter((range) => sizeOf(range) > 0n)
      .map((range) =>
        region(range, 'ram', ramName(range), 'arch_memory_regions', ramReason(range, facts, bytes)),
      ),
    ...deviceAddresses(facts, region),
  ];
  return sortRegions(regions);
}

type MakeRegion = (
  range: AddressRange,
  kind: RegionKind,
  name: string,
  citation: string,
  reason: string,
  permissions?: string,
) => Region;

function lowMemory({ reservedEnd, acpi }: FirecrackerFacts, region: MakeRegion): Region[] {
  const low = region(
    { start: 0n, end: SYSTEM_DATA },
    'ram',
    'low RAM',
    'add_e820_entry',
    'RAM up to 639 KiB: boot GDT at 0x500, boot parameters at 0x6000 and 0x7000, page tables from 0x9000, command line at 0x20000.',
  );
  const undeclared = (start: bigint) =>
    region(
      { start, end: HIGH_MEMORY },
      'reserved',
      'RAM that the map leaves out',
      'configure_system_for_boot',
      reservedEnd === null
        ? 'Backed by memory, and in no entry of the memory map; the MP table lies in its first KiB.'
        : 'Backed by memory, and in no entry of the memory map.',
    );
  if (reservedEnd === null) return [low, undeclared(SYSTEM_DATA)];
  const reserved = region(
    { start: SYSTEM_DATA, end: reservedEnd },
    'reserved',
    acpi ? 'system data' : 'MP table',
    'add_e820_entry',
    acpi
      ? 'Reserved for the MP table at its start and ACPI tables behind it; the RSDP is where it ends.'
      : 'Reserved for the MP table, in the last KiB below 640 KiB.',
  );
  return [low, reserved, undeclared(reservedEnd)];
}

function ramName({ start }: AddressRange): string {
  if (start === HIGH_MEMORY) return 'RAM';
  return start === FOUR_GIB ? 'RAM above 4 GiB' : 'RAM above 512 GiB';
}

function ramReason(range: AddressRange, { gap, highGap }: FirecrackerFacts, memory: bigint): string {
  if (range.end === gap) return `RAM from 1 MiB up to ${hex(gap)}, where addresses of devices begin.`;
  if (highGap && range.end === highGap.start) {
    return `RAM from 4 GiB up to ${hex(highGap.start)}, where the addresses of 64-bit PCIe devices begin.`;
  }
  return range.start === HIGH_MEMORY
    ? `All of the guest’s ${formatSize(memory)}, which end below the addresses of devices.`
    : `The last ${formatSize(sizeOf(range))} of the guest’s ${formatSize(memory)}.`;
}

function deviceAddresses(facts: FirecrackerFacts, region: MakeRegion): Region[] {
  const { gap, highGap, pciConfiguration } = facts;
  const regions = [
    region(
      { start: gap, end: pciConfiguration?.start ?? IOAPIC.start },
      'mmio',
      'device addresses',
      'layout.rs',
      `Virtio MMIO devices, 4 KiB each from ${hex(facts.firstDevice)} on${pciConfiguration ? ', and 32-bit BARs of PCIe devices' : ''}.`,
    ),
    region(IOAPIC, 'mmio', 'IOAPIC', 'layout.rs', 'The IOAPIC, which KVM emulates in the kernel.'),
    region(
      LOCAL_APIC,
      'mmio',
      'local APIC',
      'layout.rs',
      'The local APICs, which KVM emulates in the kernel.',
    ),
    region(
      KVM_TSS,
      'reserved',
      'KVM’s TSS',
      'KVM_TSS_ADDRESS',
      'Three pages that KVM takes for itself (KVM_SET_TSS_ADDR); only hosts with Intel CPUs use them.',
    ),
  ];
  if (pciConfiguration) {
    regions.push(
      region(
        pciConfiguration,
        'mmio',
        'PCIe configuration',
        'PCI_MMCONFIG_START',
        'Memory-mapped configuration space, told to the guest as reserved also where PCIe is off.',
      ),
    );
  }
  if (highGap) {
    regions.push(
      region(
        highGap,
        'mmio',
        '64-bit device addresses',
        'MMIO64_MEM_START',
        'Addresses of 64-bit BARs; RAM that does not fit below goes on at 512 GiB.',
      ),
    );
  }
  return regions;
}
