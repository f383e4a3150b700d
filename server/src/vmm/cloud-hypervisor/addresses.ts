/** Fixed guest-physical addresses (arch/src/x86_64/layout.rs): the same in every version that was read. */
import { GIB, KIB, MIB, PAGE, type AddressRange } from '../../address/range';

export const EBDA_POINTER = 0x40en;
export const BOOT_GDT = 0x500n;
export const BOOT_IDT = 0x520n;
export const PVH_INFO = 0x6000n;
export const MODULE_LIST = 0x6040n;
/** The PVH memory map, or Linux's `boot_params`: there is either one or the other. */
export const MEMORY_MAP = 0x7000n;
export const ZERO_PAGE = 0x7000n;
export const BOOT_STACK_POINTER = 0x8ff0n;
export const PML5 = 0x9000n;
export const PML4 = 0xa000n;
export const PDPT = 0xb000n;
export const PAGE_DIRECTORY = 0xc000n;
export const COMMAND_LINE = 0x20000n;
/** Bytes of a command line with its zero. */
export const COMMAND_LINE_MAX = 0x10000;
/** EBDA_START: the end of low RAM, and where the RSDP is. The constant MPTABLE_START (0x9fc00) is used by unit tests alone. */
export const EBDA = 640n * KIB;
export const RSDP = EBDA;
export const SMBIOS = 0xf0000n;
export const HIGH_RAM = MIB;
/** MEM_32BIT_RESERVED_START: no RAM from here to 4 GiB. */
export const LOW_RAM_END = 3n * GIB;
export const DEVICES_32: AddressRange = { start: LOW_RAM_END, end: LOW_RAM_END + 640n * MIB };
export const ECAM: AddressRange = { start: DEVICES_32.end, end: DEVICES_32.end + 256n * MIB };
/** One bus of 256 functions: what a PCI segment decodes of the ECAM. */
export const ECAM_PER_SEGMENT = MIB;
export const TSS_SIZE = 3n * PAGE;
export const IDENTITY_MAP_SIZE = PAGE;
export const IOAPIC: AddressRange = { start: 0xfec00000n, end: 0xfec00020n };
export const TPM: AddressRange = { start: 0xfed40000n, end: 0xfed41000n };
export const LOCAL_APIC: AddressRange = { start: 0xfee00000n, end: 0xfee01000n };
export const RAM_64 = 4n * GIB;
