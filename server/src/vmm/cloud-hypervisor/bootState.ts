/** Registers of every vCPU before the first instruction, and the GDT that goes with them (arch/src/x86_64/regs.rs). */
import type { VcpuState } from '../../x86/state';
import {
  ENTRY_GDT,
  entryTables,
  firstGibTables,
  longModeState,
  pageTable,
  protectedModeState,
} from '../kvm/kernelEntry';
import type { Placed } from '../placed';
import {
  BOOT_GDT,
  BOOT_IDT,
  BOOT_STACK_POINTER,
  PAGE_DIRECTORY,
  PDPT,
  PML4,
  PML5,
  PVH_INFO,
  ZERO_PAGE,
} from './addresses';

const PLACES = { gdt: BOOT_GDT, idt: BOOT_IDT } as const;
/** CR0_PE alone: the VMM sets the whole register, and so clears the CD, NW and ET that KVM has after reset. */
const PROTECTED_CR0 = 1n;
const CR4_LA57 = 1n << 12n;
const PRESENT_WRITABLE = 3n;
const TABLES = { pml4: PML4, pdpt: PDPT, pageDirectory: PAGE_DIRECTORY } as const;

/** GDT, an IDT entry, and for the 64-bit entry tables of four or five levels. */
export function bootTables(protocol: 'pvh' | 'linux32' | 'linux64', la57: boolean): Placed[] {
  if (protocol !== 'linux64') return entryTables(PLACES, ENTRY_GDT.protected);
  return [
    ...entryTables(PLACES, ENTRY_GDT.long),
    ...(la57 ? [pageTable(PML5, 'PML5', [PML4 | PRESENT_WRITABLE])] : []),
    ...firstGibTables(TABLES),
  ];
}

/** The PVH entry: 32-bit protected mode without paging, RBX at the start information. No stack. */
export function pvhEntry(entry: bigint): VcpuState {
  return protectedModeState(entry, { ...PLACES, cr0: PROTECTED_CR0, general: { rbx: PVH_INFO } });
}

/** A bzImage's 32-bit entry from v39.0 on: as PVH, but RSI at `boot_params` and a stack. CS is 0x08, not Linux's __BOOT_CS. */
export function linuxEntry32(entry: bigint): VcpuState {
  const general = { rsp: BOOT_STACK_POINTER, rsi: ZERO_PAGE };
  return protectedModeState(entry, { ...PLACES, cr0: PROTECTED_CR0, general });
}

/**
 * The 64-bit entry of v15.0: long mode over 1 GiB that is mapped identically; CR0 keeps what KVM's reset left in it.
 * @param la57 the host's CPU has five levels of page tables, and then the guest starts with them
 */
export function linuxEntry64(entry: bigint, la57: boolean): VcpuState {
  const state = longModeState(entry, {
    ...PLACES,
    pml4: PML4,
    stack: BOOT_STACK_POINTER,
    zeroPage: ZERO_PAGE,
  });
  return la57 ? { ...state, cr3: PML5, cr4: state.cr4 | CR4_LA57 } : state;
}
