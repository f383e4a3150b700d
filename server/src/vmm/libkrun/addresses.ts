/** Fixed places of an x86-64 guest of libkrun (containers/libkrun src/arch/src/x86_64/layout.rs, regs.rs and mptable.rs). */
import { GIB, MIB } from '../../address/range';

/** BOOT_GDT_OFFSET and BOOT_IDT_OFFSET: four descriptors, and one gate of zeros behind them. */
export const GDT = 0x500n;
export const IDT = 0x520n;
/** PVH_INFO_START, MODLIST_START, MEMMAP_START. */
export const PVH_INFO = 0x6000n;
export const PVH_MODULES = 0x6040n;
export const PVH_MEMORY_MAP = 0x7000n;
/** ZERO_PAGE_START: `boot_params`. */
export const ZERO_PAGE = 0x7000n;
export const BOOT_STACK_POINTER = 0x8ff0n;
/** PML4_START, PDPTE_START, PDE_START. */
export const PML4 = 0x9000n;
export const PDPT = 0xa000n;
export const PAGE_DIRECTORY = 0xb000n;
export const COMMAND_LINE = 0x20000n;
/** CMDLINE_MAX_SIZE: bytes with the terminating NUL. */
export const COMMAND_LINE_SIZE = 0x10000;
/** EBDA_START and MPTABLE_START: what the guest is told of low RAM ends here. */
export const MP_TABLE = 0x9fc00n;
/** RSDP_ADDR, where the reserved entry of a PVH memory map ends; no RSDP is written there. */
export const RSDP = 0xe0000n;
/** HIMEM_START. */
export const HIGH_MEMORY = MIB;
/** MMIO_MEM_START: 768 MiB below 4 GiB. */
export const MMIO_START = 0xd0000000n;
export const FOUR_GIB = 4n * GIB;
/** Each virtio-mmio device takes a page and the next interrupt, from MMIO_MEM_START and IRQ_BASE on. */
export const VIRTIO_MMIO_SIZE = 0x1000n;
export const FIRST_IRQ = 5;
/** KVM_TSS_ADDRESS: three pages that KVM keeps for itself on Intel hosts. */
export const KVM_TSS = 0xfffbd000n;

/**
 * Where libkrunfw links its kernel, and where a raw kernel of krun_set_kernel goes (`map_kernel`). Both are mapped into the
 * guest as they lie in the host's file, not copied.
 */
export const BUNDLED_KERNEL = 0x1000000n;
export const RAW_KERNEL = 0x80000000n;
