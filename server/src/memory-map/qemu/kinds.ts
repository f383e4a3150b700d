/** What QEMU's memory regions are to a guest, from what `info mtree` prints of them. */
import type { RegionKind } from '../../machine/machine';
import type { Row } from './lines';

/**
 * Memory regions with others inside whose own bytes answer too (memory_region_init_io in QEMU 7.2: softmmu/physmem.c,
 * hw/display/vga-pci.c and bochs-display.c, hw/rtc/mc146818rtc.c, hw/virtio/virtio-pci.c, hw/vfio). The text does not tell
 * them from pure containers, which are `i/o` as well.
 */
const ANSWER_BETWEEN_PARTS =
  /^(?:io|rtc|vga\.mmio|bochs-display-mmio|gpex_(?:mmio|ioport)_window|virtio-pci-notify.*|[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.\d BAR \d)$/;

/** Pure containers (memory_region_init) that may be printed with nothing inside. */
const CONTAINERS =
  /^(?:system|memory|smram|pci|pci bus memory|pci_bridge_(?:pci|io|mem)|bus master container|(?:device|hotplug)-memory|memhp container|virtio-pci|shpc-bar|xhci|ehci|nvme-bar0|sgx-epc|ich9-pm|piix4-pm|pci-container|cxl_host_reg|.*-msix|vtd-(?:root|nodmar)?.*|amd_iommu|e1000e-flash)$/;

/**
 * Aliases that take the right to write away: init_pam (hw/pci-host/pam.c). The tree prints the type of the target and not
 * this right. (The copy of the BIOS below 1 MiB is read-only exactly where the BIOS is: hw/i386/x86.c, x86_bios_rom_init.)
 */
const READ_ONLY_ALIASES: ReadonlySet<string> = new Set(['pam-rom']);

/** Memory of QEMU before 2.8, which prints the same letters for memory and for registers, by its names in boards. */
const OLD_MEMORY = /(?:^|[-_.])(?:v?ram|mem\d*)(?:$|[-_.])/i;

/** Priority of a BAR: pci_update_mappings (hw/pci/pci.c). Guest memory is shown through aliases, and its own priority is 0. */
const BAR_PRIORITY = 1;

/** Whether the region's own bytes answer where nothing inside it does (`terminates`). */
export function answers({ type, name }: Row, hasParts: boolean): boolean {
  if (type !== 'i/o') return true;
  return hasParts ? ANSWER_BETWEEN_PARTS.test(name) : !CONTAINERS.test(name);
}

export function isReadOnlyAlias({ name }: Row): boolean {
  return READ_ONLY_ALIASES.has(name);
}

interface Backing {
  readonly kind: RegionKind;
  /** Null where the source does not say. */
  readonly permissions: string | null;
  /** `memory`, `read-only memory`: for a sentence. */
  readonly words: string;
}

const MEMORY: Backing = { kind: 'ram', permissions: 'rwx', words: 'memory' };
const READ_ONLY: Backing = { kind: 'rom', permissions: 'r-x', words: 'read-only memory' };
const REGISTERS: Backing = { kind: 'mmio', permissions: null, words: 'registers' };
const PERSISTENT: Backing = { kind: 'persistent', permissions: 'rwx', words: 'non-volatile memory' };
const DEVICE_MEMORY: Backing = { kind: 'mmio', permissions: null, words: 'memory of a device' };
const FLASH: Backing = {
  kind: 'rom',
  permissions: 'r-x',
  words: 'a ROM device (reads are memory, writes go to the device)',
};

/** @param readOnly true where an alias on the way takes the right to write away */
export function backingOf({ type, name, priority }: Row, readOnly: boolean, nonvolatile: boolean): Backing {
  switch (type) {
    case 'rom':
    case 'R-':
      return READ_ONLY;
    case 'romd':
      return FLASH;
    case 'ramd':
      return DEVICE_MEMORY;
    case 'ram':
    case 'RW':
      if (type === 'RW' && !OLD_MEMORY.test(name)) return REGISTERS;
      if (readOnly) return READ_ONLY;
      if (nonvolatile) return PERSISTENT;
      return priority === BAR_PRIORITY ? DEVICE_MEMORY : MEMORY;
    default:
      return REGISTERS;
  }
}
