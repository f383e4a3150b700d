/** The generations of OpenBSD's vmd(8) that differ in what a guest sees, and the facts that differ. */
import { fromClosed, GIB, KIB, MIB, type AddressRange } from '../../address/range';
import type { VmmVersion } from '../model';

/** What `create_memory_map` and the limits around it say in one generation. Sizes in bytes. */
export interface VmdFacts {
  /** LOWMEM_KB: KiB of RAM from address 0; the reserved range begins there. */
  readonly lowmemKb: 576 | 636 | 640;
  /** Exclusive end of RAM below 4 GiB. */
  readonly ramTop: bigint;
  /** The PCI MMIO window. The sources name its last byte (PCI_MMIO_BAR_END). */
  readonly mmio: AddressRange;
  /** Whether the window is a range of its own in the map; until 2021 it was a hole in it. */
  readonly mmioIsRange: boolean;
  /** Size of the reserved firmware range that ends at 4 GiB; 0 where the map has none. */
  readonly firmwareSize: bigint;
  /** The reserved range of the ACPI tables, or null. */
  readonly acpi: AddressRange | null;
  /** A guest with at most this much memory above 1 MiB gets neither RAM there nor a window; 0 turns the rule off. */
  readonly tinyGuest: bigint;
  /** The tiny guest's firmware range starts at BAR_END, one byte low (until x86_vm.c rev 1.25). */
  readonly tinyGuestOffByOne: boolean;
  /** Where memory that does not fit below `ramTop` goes on. */
  readonly highRam: bigint;
  /** VMM_MAX_VM_MEM_SIZE. */
  readonly maxMemory: bigint;
  /** VMM_MAX_NAME_LEN or VM_NAME_MAX: bytes with the terminating NUL. */
  readonly maxName: number;
  readonly maxDisks: number;
  readonly maxInterfaces: number;
  /** Bytes of a disk or cdrom path with the terminating NUL. */
  readonly maxPath: number;
}

export interface VmdVersion extends VmmVersion {
  /** Of the newest file that was read, ISO. */
  readonly date: string;
  readonly facts: VmdFacts;
  /** The file and revision that `create_memory_map` was read in. */
  readonly layoutSource: string;
}

/** `[VMM_PCI_MMIO_BAR_BASE, BAR_END]`: the base is the same in every generation, the last byte is not. */
const window = (last: bigint): AddressRange => fromClosed(0xf0000000n, last);

const VMM_2016: VmdFacts = {
  lowmemKb: 636,
  ramTop: 0xf0000000n,
  mmio: window(0xf0ffffffn),
  mmioIsRange: false,
  firmwareSize: 0n,
  acpi: null,
  tinyGuest: 0n,
  tinyGuestOffByOne: false,
  highRam: 0xf1000000n,
  maxMemory: 2048n * MIB,
  maxName: 32,
  maxDisks: 2,
  maxInterfaces: 2,
  maxPath: 128,
};

const VMM_2018: VmdFacts = {
  ...VMM_2016,
  lowmemKb: 640,
  mmio: window(0xffffffffn),
  highRam: 4n * GIB,
  maxMemory: 32n * GIB,
  maxName: 64,
  maxDisks: 4,
  maxInterfaces: 4,
};

// VMM_MAX_VM_MEM_SIZE and the length of paths are those of sys/dev/vmm/vmm.h rev 1.11 and vmd.h rev 1.140 (2025): the
// files of 2024 were not read, and vmmvar.h rev 1.89 (2023-01) still says 32 GiB.
const VMM_2024: VmdFacts = {
  ...VMM_2018,
  mmio: window(0xffdfffffn),
  mmioIsRange: true,
  firmwareSize: 2n * MIB,
  tinyGuest: 2n * MIB,
  tinyGuestOffByOne: true,
  maxMemory: 128n * GIB,
  maxPath: 1024,
};

const VMM_2025: VmdFacts = {
  ...VMM_2024,
  mmio: window(0xffbfffffn),
  firmwareSize: 4n * MIB,
  tinyGuest: 4n * MIB,
};

const VMM_2026: VmdFacts = { ...VMM_2025, lowmemKb: 576 };

const VMM_2026_ACPI: VmdFacts = {
  ...VMM_2026,
  ramTop: 0xefff0000n,
  acpi: { start: 0xefff0000n, end: 0xf0000000n },
  tinyGuestOffByOne: false,
};

/** Oldest first. Releases are matched by date only: no release tag was read. */
export const VMD_VERSIONS: readonly VmdVersion[] = [
  {
    id: 'loadfile-1.7',
    title: 'November 2016: 636 KiB of low memory',
    source:
      'usr.sbin/vmd/loadfile.h rev 1.7 (2016-11-26), vmm.c and sys/arch/amd64/include/vmmvar.h of that time; no release assigned',
    date: '2016-11-26',
    layoutSource: 'usr.sbin/vmd/vmm.c of 2016 with loadfile.h rev 1.7',
    facts: VMM_2016,
  },
  {
    id: 'loadfile-1.11',
    title: 'December 2018: 640 KiB of low memory, memory above 4 GiB',
    source:
      'usr.sbin/vmd/loadfile.h rev 1.11 (2018-12-06), vm.c and sys/arch/amd64/include/vmmvar.h of that time; no release assigned',
    date: '2018-12-06',
    layoutSource: 'usr.sbin/vmd/vm.c of 2018 with loadfile.h rev 1.11',
    facts: VMM_2018,
  },
  {
    id: '7.6',
    title: 'OpenBSD 7.6: 640 KiB, 2 MiB firmware area below 4 GiB',
    source: 'usr.sbin/vmd/x86_vm.c rev 1.3 (2024-09-11); matched to OpenBSD 7.6 by date',
    date: '2024-09-11',
    layoutSource: 'usr.sbin/vmd/x86_vm.c rev 1.3',
    facts: VMM_2024,
  },
  {
    id: '7.8',
    title: 'OpenBSD 7.8: 640 KiB, 4 MiB firmware area below 4 GiB',
    source:
      'usr.sbin/vmd/x86_vm.c rev 1.9 (2025-09-16) and pci.h; matched to OpenBSD 7.8 (2025-10-22) by date',
    date: '2025-09-16',
    layoutSource: 'usr.sbin/vmd/x86_vm.c rev 1.9',
    facts: VMM_2025,
  },
  // Behind 7.8, though its date is before: it changes what 7.8 has.
  {
    id: 'proposal-2025-08-20',
    title: 'Proposal of August 2025: ELF kernels start in 32-bit mode without paging',
    source:
      'tech@, "vmd(8): Use 32-bit direct kernel launch for both amd64 and i386", 2025-08-20, over x86_vm.c rev 1.9; not committed in this form, see x86_vm-1.17',
    date: '2025-08-20',
    layoutSource: 'usr.sbin/vmd/x86_vm.c rev 1.9',
    facts: VMM_2025,
    proposal: true,
  },
  {
    id: '2026-01',
    title: 'First half of 2026: low memory ends at 576 KiB',
    source:
      'the tech@ patch of 2026-01-05 and a fork of x86_vm.c rev 1.15 (2026-02-11); OpenBSD 7.9 (2026-05-19) probably falls here, by date',
    date: '2026-01-05',
    layoutSource: 'tech@ patch of 2026-01-05, and a fork of usr.sbin/vmd/x86_vm.c rev 1.15',
    facts: VMM_2026,
  },
  {
    id: 'x86_vm-1.17',
    title: '2026-08-30: ELF kernels start in 32-bit mode without paging',
    source:
      'usr.sbin/vmd/x86_vm.c rev 1.17 and loadfile_elf.c rev 1.59 (both 2026-08-30, git commit 1bd36cd9ba5c); after OpenBSD 7.9 by date',
    date: '2026-08-30',
    layoutSource: 'usr.sbin/vmd/x86_vm.c rev 1.17',
    facts: VMM_2026,
  },
  {
    id: 'x86_vm-1.19',
    title: '2026-09-17: local APIC, IOAPIC and ACPI tables',
    source: 'usr.sbin/vmd/x86_vm.c rev 1.19 (2026-09-17); after OpenBSD 7.9 by date',
    date: '2026-09-17',
    layoutSource: 'usr.sbin/vmd/x86_vm.c rev 1.19',
    facts: VMM_2026,
  },
  {
    id: 'x86_vm-1.24',
    title: '2026-09-19: application processors, reset ports 0x64 and 0xCF9',
    source: 'usr.sbin/vmd/x86_vm.c rev 1.24 (2026-09-19); after OpenBSD 7.9 by date',
    date: '2026-09-19',
    layoutSource: 'usr.sbin/vmd/x86_vm.c rev 1.24',
    facts: VMM_2026,
  },
  {
    id: 'x86_vm-1.25',
    title: '2026-09-19: as 1.24, the last revision before the ACPI area',
    source: 'usr.sbin/vmd/x86_vm.c rev 1.25 (2026-09-19); after OpenBSD 7.9 by date',
    date: '2026-09-19',
    layoutSource: 'usr.sbin/vmd/x86_vm.c rev 1.25',
    facts: VMM_2026,
  },
  {
    id: 'x86_vm-1.27',
    title: '2026-09-22: reserved ACPI area below the MMIO window',
    source:
      'usr.sbin/vmd/x86_vm.c rev 1.27 (2026-09-22) and acpi.h; after OpenBSD 7.9 by date, whether 8.0 ships it is not established',
    date: '2026-09-22',
    layoutSource: 'usr.sbin/vmd/x86_vm.c rev 1.27 and acpi.h',
    facts: VMM_2026_ACPI,
  },
];

/** Releases that people name and that are not in the list, with what can be said of them. */
export const UNLISTED_RELEASES: ReadonlyMap<string, string> = new Map([
  [
    '7.7',
    'OpenBSD 7.7 (2025-04-28) lies between 7.6 and 7.8, and which of their layouts it has is not established',
  ],
  ['7.9', 'OpenBSD 7.9 (2026-05-19) probably has the layout of 2026-01, by date'],
  ['8.0', 'which revision OpenBSD 8.0 ships is not established'],
]);

/** The version that is taken where nothing says otherwise. */
export const NEWEST_VMD: VmdVersion = VMD_VERSIONS[VMD_VERSIONS.length - 1]!;

/** VM_DEFAULT_MEMORY: what a VM without a `memory` line gets, in every generation (vmd.h, vm.conf(5)). */
export const DEFAULT_MEMORY = 512n * MIB;

export function vmdVersion(id: string): VmdVersion | undefined {
  return VMD_VERSIONS.find((version) => version.id === id);
}

/** True where `version` is `since` or newer, by the order of the list. False where either is unknown. */
export function isVmdSince(version: string, since: string): boolean {
  const at = VMD_VERSIONS.findIndex((candidate) => candidate.id === version);
  const from = VMD_VERSIONS.findIndex((candidate) => candidate.id === since);
  return from >= 0 && at >= from;
}

/** End of low RAM in bytes: where vmd's reserved range begins. */
export function lowmemEnd(facts: VmdFacts): bigint {
  return BigInt(facts.lowmemKb) * KIB;
}
