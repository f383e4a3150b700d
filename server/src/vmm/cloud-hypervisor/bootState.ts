/** Registers of every vCPU before the first instruction, and the GDT that goes with them (arch/src/x86_64/regs.rs). */
import {
  NO_REGISTERS,
  RESET_DEBUG_REGISTERS,
  RESET_LDTR,
  segmentsOf,
  type SegmentState,
  type VcpuState,
} from '../../x86/state';
import { BOOT_GDT, BOOT_IDT, BOOT_STACK_POINTER, PML4, PML5, PVH_INFO, ZERO_PAGE } from './addresses';

const CODE_SELECTOR = 0x08;
const DATA_SELECTOR = 0x10;
const TSS_SELECTOR = 0x18;
const FLAT = 0xffffffff;
const segment = (selector: number, limit: number, attributes: number): SegmentState => ({
  selector,
  base: 0n,
  limit,
  attributes,
});

/** Null, code, data, TSS, as in the unit test segments_and_sregs: gdt_entry(0xc09b), (0xc093) and (0x008b, 0, 0x67). */
export const PROTECTED_GDT = [0n, 0x00cf9b000000ffffn, 0x00cf93000000ffffn, 0x00008b0000000067n] as const;
/** The same for the 64-bit entry of v15.0: gdt_entry(0xa09b), (0xc093) and (0x808b), each with limit 0xfffff. */
export const LONG_GDT = [0n, 0x00af9b000000ffffn, 0x00cf93000000ffffn, 0x008f8b000000ffffn] as const;

function withTables(
  gdt: readonly bigint[],
  code: number,
  tss: SegmentState,
): Pick<VcpuState, 'segments' | 'gdtr' | 'idtr'> {
  const segments = segmentsOf(segment(CODE_SELECTOR, FLAT, code), segment(DATA_SELECTOR, FLAT, 0xc093));
  return {
    segments: { ...segments, ldtr: RESET_LDTR, tr: tss },
    gdtr: { base: BOOT_GDT, limit: gdt.length * 8 - 1 },
    // One descriptor of zeros: any exception is a triple fault until the guest loads its own table.
    idtr: { base: BOOT_IDT, limit: 7 },
  };
}

const PROTECTED: VcpuState = {
  general: NO_REGISTERS,
  rip: 0n,
  rflags: 2n,
  // CR0_PE alone: the VMM sets the whole register, and so clears the CD, NW and ET that KVM has after reset.
  cr0: 1n,
  cr2: 0n,
  cr3: 0n,
  cr4: 0n,
  cr8: 0n,
  efer: 0n,
  ...withTables(PROTECTED_GDT, 0xc09b, segment(TSS_SELECTOR, 0x67, 0x008b)),
  dr: RESET_DEBUG_REGISTERS,
};

/** The PVH entry: 32-bit protected mode without paging, RBX at the start information. No stack. */
export function pvhEntry(entry: bigint): VcpuState {
  return { ...PROTECTED, rip: entry, general: { ...NO_REGISTERS, rbx: PVH_INFO } };
}

/** A bzImage's 32-bit entry from v39.0 on: as PVH, but RSI at `boot_params` and a stack. CS is 0x08, not Linux's __BOOT_CS. */
export function linuxEntry32(entry: bigint): VcpuState {
  const general = { ...NO_REGISTERS, rsp: BOOT_STACK_POINTER, rsi: ZERO_PAGE };
  return { ...PROTECTED, rip: entry, general };
}

/**
 * The 64-bit entry of v15.0: long mode over 1 GiB that is mapped identically; CR0 keeps what KVM's reset left in it.
 * @param la57 the host's CPU has five levels of page tables, and then the guest starts with them
 */
export function linuxEntry64(entry: bigint, resetCr0: bigint, la57: boolean): VcpuState {
  return {
    ...PROTECTED,
    ...withTables(LONG_GDT, 0xa09b, segment(TSS_SELECTOR, FLAT, 0x808b)),
    rip: entry,
    general: { ...NO_REGISTERS, rsp: BOOT_STACK_POINTER, rbp: BOOT_STACK_POINTER, rsi: ZERO_PAGE },
    cr0: resetCr0 | 0x80000001n,
    cr3: la57 ? PML5 : PML4,
    cr4: la57 ? 0x1020n : 0x20n,
    efer: 0x500n,
  };
}
