/**
 * GDT, page tables and registers before the first instruction (src/vmm/src/arch/x86_64/{regs,gdt}.rs; the 64-bit values are the
 * same from 1.0 on). Every vCPU gets them; INIT resets those of the others.
 */
import type { VcpuState } from '../../x86/state';
import {
  ENTRY_GDT,
  entryTables,
  firstGibTables,
  longModeState,
  protectedModeState,
} from '../kvm/kernelEntry';
import type { Placed } from '../placed';
import { PVH_INFO, ZERO_PAGE } from './bootParameters';

const BOOT_GDT = 0x500n;
const BOOT_IDT = 0x520n;
const TABLES = { pml4: 0x9000n, pdpt: 0xa000n, pageDirectory: 0xb000n } as const;
const STACK = 0x8ff0n;
/** PE and ET. */
const PVH_CR0 = 0x11n;
const PLACES = { gdt: BOOT_GDT, idt: BOOT_IDT } as const;

/** GDT, an empty IDT entry, and for 64 bits tables that map the first GiB by 2 MiB pages. */
export function bootTables(protocol: 'linux' | 'pvh'): Placed[] {
  return protocol === 'linux'
    ? [...entryTables(PLACES, ENTRY_GDT.long), ...firstGibTables(TABLES)]
    : entryTables(PLACES, ENTRY_GDT.protected);
}

/** The 64-bit boot protocol. CR0 keeps what RESET set: NW and CD are on. */
export function linuxState(entry: bigint): VcpuState {
  return longModeState(entry, { ...PLACES, pml4: TABLES.pml4, stack: STACK, zeroPage: ZERO_PAGE });
}

/** PVH: 32-bit protected mode, paging off, RBX at the start info. */
export function pvhState(entry: bigint): VcpuState {
  return protectedModeState(entry, { ...PLACES, cr0: PVH_CR0, general: { rbx: PVH_INFO } });
}
