/** Who printed a memory map: what its oddities mean depends on it. */
import type { Document } from '../../machine/language';
import type { Machine } from '../../machine/machine';
import type { Severity } from '../../text/finding';

/** What two entries of one map that share bytes say. */
export interface OverlapMeaning {
  readonly severity: Severity;
  readonly words: string;
}

interface Producer {
  /** False where the map is printed in no order, or in that of something else than addresses. */
  readonly inOrder: boolean;
  /** True where RAM below 1 MiB, through the VGA window and the BIOS, is as it is meant. */
  readonly backsFirstMib: boolean;
  /** True where the map says what answers at each address, so that RAM in the place of a device or the BIOS is just that. */
  readonly rendered?: true;
  /** Missing where the type numbers decide, as in Linux's sanitiser of e820 maps and in Xen's, which is the same code. */
  readonly overlap?: OverlapMeaning;
}

const MIXED = 'so lines of two maps are mixed here or one of them was edited.';

const TWICE: OverlapMeaning = {
  severity: 'warning',
  words:
    'The firmware reports these bytes twice, and each system decides for itself which entry holds: Linux takes the higher type.',
};

/** By the name of the dialect. */
const PRODUCERS: Readonly<Record<string, Producer>> = {
  bhyvectl: {
    inOrder: true,
    backsFirstMib: true,
    overlap: { severity: 'error', words: `bhyve maps each guest page once, ${MIXED}` },
  },
  'Linux e820': { inOrder: true, backsFirstMib: false },
  '/proc/iomem': {
    inOrder: true,
    backsFirstMib: false,
    overlap: {
      severity: 'warning',
      words: `Linux refuses a resource that overlaps another one without lying in it, ${MIXED}`,
    },
  },
  // Shadow RAM under the VGA window and the BIOS is RAM to QEMU; what the tree prints by address is rendered by priority.
  'QEMU info mtree': { inOrder: false, backsFirstMib: true, rendered: true },
  'QEMU info mtree -f': {
    inOrder: true,
    backsFirstMib: true,
    rendered: true,
    overlap: { severity: 'warning', words: `QEMU renders each address once, ${MIXED}` },
  },
  'Propolis log': {
    inOrder: true,
    backsFirstMib: true,
    overlap: { severity: 'warning', words: `Propolis adds each region once, ${MIXED}` },
  },
  // Its RAM below 4 GiB is one entry, of which the firmware cuts what it covers.
  'QEMU fw_cfg': { inOrder: false, backsFirstMib: true, overlap: TWICE },
  'Xen e820': {
    inOrder: true,
    backsFirstMib: false,
    overlap: {
      severity: 'warning',
      words: `Xen lets the higher type win before it prints a map, as Linux does, ${MIXED}`,
    },
  },
  SeaBIOS: {
    inOrder: true,
    backsFirstMib: false,
    overlap: { severity: 'warning', words: `SeaBIOS keeps one entry for each address, ${MIXED}` },
  },
  'bhyve e820': {
    inOrder: true,
    backsFirstMib: false,
    overlap: { severity: 'warning', words: `bhyve keeps one entry for each address, ${MIXED}` },
  },
};

/** Firmware's own words: systems differ in what they make of an overlap, and nothing orders the entries. */
const FIRMWARE: Producer = { inOrder: false, backsFirstMib: false, overlap: TWICE };

/** The habits of who printed a memory map; one that is not known prints what the firmware says. */
export function producerOf({ producer }: Machine): Producer {
  return PRODUCERS[producer ?? ''] ?? FIRMWARE;
}

/** True for a table of `bhyvectl --get-memmap`. */
export function isBhyvectl(machine: Machine): boolean {
  return machine.producer === 'bhyvectl';
}

/** VMMs that back the whole first MiB with RAM on purpose; the firmware makes the map that the guest sees. */
const BACK_THE_FIRST_MIB: ReadonlySet<string | null> = new Set(['bhyve', 'propolis']);

/** True where RAM below 1 MiB, through the VGA window and the BIOS, is as its VMM means it. */
export function backsFirstMib(document: Document, machine: Machine): boolean {
  return document.language === 'memmap'
    ? producerOf(machine).backsFirstMib
    : BACK_THE_FIRST_MIB.has(machine.vmm);
}
