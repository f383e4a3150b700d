/** The releases of Firecracker whose x86_64 boot differs, with what differs: read in the source at each release's tag. */
import { GIB, MIB, type AddressRange } from '../../address/range';
import type { VmmVersion } from '../model';

export interface FirecrackerFacts {
  /** Where RAM below 4 GiB ends and addresses of devices begin (MEM_32BIT_GAP_SIZE, then MMIO32_MEM_START). */
  readonly gap: bigint;
  /** First virtio MMIO device; before 1.13 the boot timer, where it is on, comes first. */
  readonly firstDevice: bigint;
  /** Addresses of PCIe devices beyond 4 GiB, where no RAM is; null before PCIe. */
  readonly highGap: AddressRange | null;
  /** Memory-mapped PCIe configuration space, told as reserved whether PCIe is on or not. */
  readonly pciConfiguration: AddressRange | null;
  /** End of what the memory map calls reserved from 0x9fc00 on; null where the map has no such entry. */
  readonly reservedEnd: bigint | null;
  /** RSDP at 0xe0000 with FADT, MADT, DSDT and XSDT. */
  readonly acpi: boolean;
  /** MCFG, listed in the XSDT. */
  readonly mcfg: boolean;
  /** An ELF kernel with a PVH note is entered there, in 32-bit protected mode. */
  readonly pvh: boolean;
  readonly bzImage: boolean;
  /** IA32_MTRR_DEF_TYPE is set to write back before the first instruction. */
  readonly mtrrs: boolean;
  /** RAM entries of the memory map come from the highest to the lowest address. */
  readonly highFirst: boolean;
  /** The MP configuration table's header tells the number of entries, one too many: the floating pointer is counted. */
  readonly entryCount: boolean;
  /** Three serial ports more, whose output goes nowhere. */
  readonly sinkPorts: boolean;
  /** Reads that no device answers are zero; before, MMIO reads gave what the last exit had left in kvm_run. */
  readonly zeroedReads: boolean;
  /** Status of the process after a triple fault (KVM_EXIT_SHUTDOWN). */
  readonly shutdownStatus: 0 | 1;
  /** DEFAULT_KERNEL_CMDLINE. */
  readonly commandLine: string;
  /** `pci=off` is added to whatever command line where PCIe is not on. */
  readonly addsPciOff: boolean;
  /** CMDLINE_MAX_SIZE with the terminating zero. */
  readonly commandLineMax: number;
}

export interface FirecrackerVersion extends VmmVersion {
  /** What was read, in a few words. */
  readonly revision: string;
  readonly facts: FirecrackerFacts;
}

const MAX_LINE = 2048;

const V1_0: FirecrackerFacts = {
  gap: 0xd0000000n,
  firstDevice: 0xd0000000n,
  highGap: null,
  pciConfiguration: null,
  reservedEnd: null,
  acpi: false,
  mcfg: false,
  pvh: false,
  bzImage: false,
  mtrrs: false,
  highFirst: false,
  entryCount: false,
  sinkPorts: true,
  zeroedReads: false,
  shutdownStatus: 0,
  commandLine:
    'reboot=k panic=1 pci=off nomodules 8250.nr_uarts=0 i8042.noaux i8042.nomux i8042.nopnp i8042.dumbkbd',
  addsPciOff: false,
  commandLineMax: 0x10000,
};
const V1_2: FirecrackerFacts = { ...V1_0, commandLineMax: MAX_LINE };
const V1_5: FirecrackerFacts = {
  ...V1_2,
  reservedEnd: 0xa0000n,
  commandLine:
    'reboot=k panic=1 pci=off nomodule 8250.nr_uarts=0 i8042.noaux i8042.nomux i8042.nopnp i8042.dumbkbd',
};
const V1_7: FirecrackerFacts = { ...V1_5, entryCount: true };
const V1_8: FirecrackerFacts = { ...V1_7, reservedEnd: 0xe0000n, acpi: true };
const V1_12: FirecrackerFacts = {
  ...V1_8,
  pvh: true,
  commandLine: 'reboot=k panic=1 pci=off nomodule 8250.nr_uarts=0 i8042.noaux i8042.nomux i8042.dumbkbd',
};
const V1_13: FirecrackerFacts = {
  ...V1_12,
  gap: 0xc0000000n,
  firstDevice: 0xc0001000n,
  highGap: { start: 256n * GIB, end: 512n * GIB },
  pciConfiguration: { start: 0xeec00000n, end: 0xeec00000n + 256n * MIB },
  mcfg: true,
  highFirst: true,
  commandLine:
    'reboot=k panic=1 nomodule 8250.nr_uarts=0 i8042.noaux i8042.nomux i8042.dumbkbd swiotlb=noforce',
  addsPciOff: true,
};
const V1_14: FirecrackerFacts = { ...V1_13, highFirst: false, mtrrs: true };
const V1_15: FirecrackerFacts = { ...V1_14, shutdownStatus: 1 };
const V1_16: FirecrackerFacts = { ...V1_15, sinkPorts: false, zeroedReads: true };
const MAIN_2026_08: FirecrackerFacts = { ...V1_16, bzImage: true };

/** The x86_64 files that were read at every tag; they moved from src/arch/src to src/vmm/src/arch in 1.4. */
const FILES =
  'x86_64/{layout,mod,regs,mptable,msr}.rs, device_manager/legacy.rs, vstate/vcpu, vmm_config/boot_source.rs';

function release(id: string, date: string, title: string, facts: FirecrackerFacts): FirecrackerVersion {
  return {
    id,
    title: `Firecracker ${id} (${date}): ${title}`,
    revision: `firecracker v${id}.0`,
    source: `firecracker-microvm/firecracker tag v${id}.0 (${date}): ${FILES}`,
    facts,
  };
}

/** Oldest first. Patch releases do not differ in what is listed here. */
export const FIRECRACKER_VERSIONS: readonly FirecrackerVersion[] = [
  release(
    '1.0',
    '2022-01-31',
    '768 MiB of device addresses below 4 GiB, MP table outside the memory map',
    V1_0,
  ),
  release('1.1', '2022-05-06', 'boots as 1.0', V1_0),
  release('1.2', '2022-11-30', 'command lines of 2 KiB at most', V1_2),
  release('1.3', '2023-03-02', 'boots as 1.2', V1_2),
  release('1.4', '2023-07-19', 'boots as 1.2', V1_2),
  release('1.5', '2023-10-12', 'the MP table’s KiB is reserved in the memory map', V1_5),
  release('1.6', '2023-12-20', 'boots as 1.5', V1_5),
  release('1.7', '2024-03-18', 'the MP table tells its number of entries', V1_7),
  release('1.8', '2024-07-09', 'ACPI tables; 257 KiB reserved for system data', V1_8),
  release('1.9', '2024-09-02', 'boots as 1.8', V1_8),
  release('1.10', '2024-11-07', 'boots as 1.8', V1_8),
  release('1.11', '2025-03-18', 'boots as 1.8', V1_8),
  release('1.12', '2025-05-07', 'PVH boot', V1_12),
  release('1.13', '2025-08-28', 'PCIe: 1 GiB of device addresses below 4 GiB and 256 GiB above', V1_13),
  release('1.14', '2025-12-17', 'MTRRs write back from the start', V1_14),
  release('1.15', '2026-03-09', 'a triple fault is an error exit', V1_15),
  release('1.16', '2026-06-04', 'one serial port; unanswered reads are zero', V1_16),
  {
    id: 'main-2026-08',
    title: 'Firecracker after 1.16, 2026-08-21: bzImage kernels',
    revision: 'firecracker 81b38b9dad60',
    source: `firecracker-microvm/firecracker 81b38b9dad60 (2026-08-21): ${FILES}`,
    facts: MAIN_2026_08,
  },
];

export const NEWEST_FIRECRACKER: FirecrackerVersion = FIRECRACKER_VERSIONS.at(-1)!;

/** Names that people use and that are not in the list, with what can be said of them. */
export const UNLISTED_FIRECRACKER: ReadonlyMap<string, string> = new Map([
  ['0.25', 'the last release before 1.0 has its memory layout; its config keys differ (ht_enabled)'],
  ['main', 'main of 2026-08-21 is listed as main-2026-08'],
]);

/** The version with that id, else the newest. */
export function firecrackerVersion(id: string): FirecrackerVersion {
  return FIRECRACKER_VERSIONS.find((version) => version.id === id) ?? NEWEST_FIRECRACKER;
}

/** DEFAULT_MEM_SIZE_MIB and the default of vcpu_count, where a config has no machine-config (machine_config.rs). */
export const DEFAULT_MEMORY = 128n * MIB;
/** MAX_SUPPORTED_VCPUS. */
export const MOST_VCPUS = 32;
