/** The guest-physical address space of a Cloud Hypervisor VM, as regions (arch/src/x86_64/layout.rs). */
import { formatSize, hex } from '../../address/format';
import { fromLength, type AddressRange } from '../../address/range';
import { sortRegions, type GuestDescription, type Region, type RegionKind } from '../../machine/machine';
import { fromText } from '../../machine/origin';
import {
  DEVICES_32,
  EBDA,
  ECAM,
  ECAM_PER_SEGMENT,
  HIGH_RAM,
  IDENTITY_MAP_SIZE,
  IOAPIC,
  LOCAL_APIC,
  TPM,
  TSS_SIZE,
} from './addresses';
import { hotplugMethod, memoryLayout, memoryOf, refusesMemory } from './memory';
import { decidedBy, hasOption, numberOption } from './origin';
import { cloudHypervisorVersion, type CloudHypervisorVersion } from './versions';

interface Part {
  readonly range: AddressRange;
  readonly kind: RegionKind;
  readonly name: string;
  readonly permissions: string;
  readonly reason: string;
  readonly citation: string;
  /** Its size follows from the config's line on memory. */
  readonly sized?: true;
}

const LAYOUT = 'arch/src/x86_64/layout.rs';
const MANAGER = 'vmm/src/memory_manager.rs, MemoryManager::new';

/** The address space of any guest, also of one that another VMM's config describes; none where the VM is refused. */
export function layOutCloudHypervisor(guest: GuestDescription, id: string): Region[] {
  const version = cloudHypervisorVersion(id);
  // The widths of the model's Intel host: a CPU that is asked for is known only when the VM is powered on.
  if (refusesMemory(version, guest, 'intel') !== null) return [];
  const memoryOrigin = guest.memory?.origin;
  const at =
    memoryOrigin?.kind === 'text' ? { uri: memoryOrigin.uri, range: memoryOrigin.range } : guest.nameAt;
  const parts = [...ramParts(version, guest), ...fixedParts(version, guest)];
  return sortRegions(
    parts.map(({ citation, sized, ...region }) => ({
      ...region,
      origin: sized && memoryOrigin?.kind === 'text' && at ? fromText(at) : decidedBy(version.id, citation),
      at,
    })),
  );
}

function ramParts(version: CloudHypervisorVersion, guest: GuestDescription): Part[] {
  const { ram, hotplug, devices, platform } = memoryLayout(version, guest, 'intel');
  const size = formatSize(memoryOf(guest));
  const [low, high] = ram;
  const parts: Part[] = [
    {
      range: { start: 0n, end: EBDA },
      kind: 'ram',
      name: 'low RAM',
      permissions: 'rwx',
      reason:
        'The guest is told RAM up to 640 KiB; boot structures lie in it: GDT 0x500, start info 0x6000, memory map 0x7000.',
      citation: `${LAYOUT}, EBDA_START`,
    },
    {
      range: { start: EBDA, end: HIGH_RAM },
      kind: 'reserved',
      name: 'EBDA and BIOS area',
      permissions: 'rwx',
      reason:
        'Not in the memory map that the guest gets, but backed by its RAM: RSDP and ACPI tables from 0xa0000, SMBIOS and the MP table from 0xf0000.',
      citation: `${LAYOUT}, RSDP_POINTER and SMBIOS_START`,
    },
    {
      range: { start: HIGH_RAM, end: low!.end },
      kind: 'ram',
      name: 'RAM',
      permissions: 'rwx',
      reason: high
        ? 'RAM from 1 MiB up to 3 GiB, where the 32-bit device area begins.'
        : `The VM's ${size} less its first MiB: all of it fits below 3 GiB.`,
      citation: MANAGER,
      sized: true,
    },
    {
      range: devices,
      kind: 'mmio',
      name: '64-bit PCI devices',
      permissions: 'rw-',
      reason: `BARs of 64 bits, from the end of RAM${hotplug ? ' and of what may be plugged' : ''} (4 GiB at least) up to the physical width of the guest.`,
      citation: `${MANAGER}, start_of_device_area`,
    },
  ];
  if (high) {
    parts.push({
      range: high,
      kind: 'ram',
      name: 'RAM above 4 GiB',
      permissions: 'rwx',
      reason: `The ${formatSize(high.end - high.start)} of the VM's ${size} that do not fit below 3 GiB.`,
      citation: MANAGER,
      sized: true,
    });
  }
  if (hotplug) {
    parts.push({
      range: hotplug,
      kind: 'hole',
      name: 'memory hotplug',
      permissions: '---',
      reason: `Kept free for memory.hotplug_size, ${formatSize(hotplug.end - hotplug.start)}, method ${hotplugMethod(guest)}: nothing is there until it is plugged.`,
      citation: `${MANAGER}, start_addr`,
    });
  }
  if (platform) {
    parts.push({
      range: platform,
      kind: 'mmio',
      name: 'platform devices',
      permissions: 'rw-',
      reason:
        'The last MiB but 64 KiB of the address space: ACPI’s control devices, each in a page of its own, allocated from the top.',
      citation: 'vmm/src/memory_manager.rs, PLATFORM_DEVICE_AREA_SIZE',
    });
  }
  return parts;
}

function fixedParts({ facts }: CloudHypervisorVersion, guest: GuestDescription): Part[] {
  const segments = BigInt(numberOption(guest, 'platform.num_pci_segments') ?? 1);
  const parts: Part[] = [
    {
      range: DEVICES_32,
      kind: 'mmio',
      name: '32-bit PCI devices',
      permissions: 'rw-',
      reason: 'BARs of 32 bits: 640 MiB from 3 GiB on.',
      citation: `${LAYOUT}, MEM_32BIT_DEVICES_START`,
    },
    {
      range: ECAM,
      kind: 'mmio',
      name: 'PCI ECAM',
      permissions: 'rw-',
      reason: `The guest is told that 256 MiB are reserved; ${segments} MiB of them lead to a PCI segment (one bus each), the rest to nothing.`,
      citation: `${LAYOUT}, PCI_MMCONFIG_START; vmm/src/pci_segment.rs, PciSegment::new (${hex(ECAM_PER_SEGMENT)} bytes each)`,
    },
    {
      range: fromLength(facts.tss, TSS_SIZE),
      kind: 'reserved',
      name: 'KVM TSS',
      permissions: 'rw-',
      reason:
        'KVM’s own three pages for real mode on hosts without unrestricted guest (KVM_SET_TSS_ADDR); no entry in the memory map names them.',
      citation: `${LAYOUT}, KVM_TSS_START`,
    },
    {
      range: fromLength(facts.identityMap, IDENTITY_MAP_SIZE),
      kind: 'reserved',
      name: 'KVM identity map',
      permissions: 'rw-',
      reason:
        'KVM’s own page table for a guest without paging on hosts without unrestricted guest (KVM_SET_IDENTITY_MAP_ADDR).',
      citation: `${LAYOUT}, KVM_IDENTITY_MAP_START`,
    },
    {
      range: IOAPIC,
      kind: 'mmio',
      name: 'I/O APIC',
      permissions: 'rw-',
      reason: 'The I/O APIC is the VMM’s own (split irqchip): 32 bytes.',
      citation: `${LAYOUT}, IOAPIC_START`,
    },
    {
      range: LOCAL_APIC,
      kind: 'mmio',
      name: 'local APIC',
      permissions: 'rw-',
      reason: 'The local APIC is KVM’s.',
      citation: `${LAYOUT}, APIC_START`,
    },
  ];
  if (facts.tpm && hasOption(guest, 'tpm')) {
    parts.push({
      range: TPM,
      kind: 'mmio',
      name: 'TPM',
      permissions: 'rw-',
      reason: 'The CRB interface of the TPM that the config has.',
      citation: `${LAYOUT}, TPM_START`,
    });
  }
  return parts;
}
