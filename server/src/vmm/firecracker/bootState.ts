/**
 * GDT, page tables and registers before the first instruction (src/vmm/src/arch/x86_64/{regs,gdt}.rs; the 64-bit values are the
 * same from 1.0 on). Every vCPU gets them; INIT resets those of the others.
 */
import {
  NO_REGISTERS,
  RESET_DEBUG_REGISTERS,
  RESET_LDTR,
  type SegmentState,
  type VcpuState,
} from '../../x86/state';
import { KVM_RESET_CR0 } from '../kvm/vcpus';
import { PVH_INFO, ZERO_PAGE } from './bootParameters';

export const BOOT_GDT = 0x500n;
export const BOOT_IDT = 0x520n;
const PML4 = 0x9000n;
const PDPT = 0xa000n;
const PAGE_DIRECTORY = 0xb000n;
const STACK = 0x8ff0n;
const PE = 1n;
const PG = 1n << 31n;
const PAE = 1n << 5n;
const LME_LMA = 0x500n;

export interface BootMemory {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

/** Null, code, data and TSS, as `gdt_entry` makes them. */
export const GDT = {
  linux: [0n, 0x00af9b000000ffffn, 0x00cf93000000ffffn, 0x008f8b000000ffffn],
  pvh: [0n, 0x00cf9b000000ffffn, 0x00cf93000000ffffn, 0x00008b0000000067n],
} as const;

/** GDT, an empty IDT entry, and for 64 bits tables that map the first GiB by 2 MiB pages. */
export function bootTables(protocol: keyof typeof GDT): BootMemory[] {
  const tables = [
    { address: BOOT_GDT, bytes: quads(GDT[protocol]) },
    { address: BOOT_IDT, bytes: quads([0n]) },
  ];
  if (protocol === 'pvh') return tables;
  return [
    ...tables,
    { address: PML4, bytes: quads([PDPT | 3n]) },
    { address: PDPT, bytes: quads([PAGE_DIRECTORY | 3n]) },
    {
      address: PAGE_DIRECTORY,
      bytes: quads(Array.from({ length: 512 }, (_, index) => (BigInt(index) << 21n) | 0x83n)),
    },
  ];
}

const segment = (selector: number, attributes: number, limit = 0xffffffff): SegmentState => ({
  selector,
  base: 0n,
  limit,
  attributes,
});
const DATA = segment(0x10, 0xc093);

function segments(code: SegmentState, tr: SegmentState): VcpuState['segments'] {
  return { es: DATA, cs: code, ss: DATA, ds: DATA, fs: DATA, gs: DATA, ldtr: RESET_LDTR, tr };
}

const COMMON = {
  rflags: 2n,
  cr2: 0n,
  cr8: 0n,
  gdtr: { base: BOOT_GDT, limit: 0x1f },
  idtr: { base: BOOT_IDT, limit: 7 },
  dr: RESET_DEBUG_REGISTERS,
} as const;

/** The 64-bit boot protocol. CR0 keeps what RESET set: NW and CD are on. */
export function linuxState(entry: bigint): VcpuState {
  return {
    ...COMMON,
    general: { ...NO_REGISTERS, rsp: STACK, rbp: STACK, rsi: ZERO_PAGE },
    rip: entry,
    cr0: KVM_RESET_CR0 | PE | PG,
    cr3: PML4,
    cr4: PAE,
    efer: LME_LMA,
    segments: segments(segment(0x08, 0xa09b), segment(0x18, 0x808b)),
  };
}

/** PVH: 32-bit protected mode, paging off, RBX at the start info. */
export function pvhState(entry: bigint): VcpuState {
  return {
    ...COMMON,
    general: { ...NO_REGISTERS, rbx: PVH_INFO },
    rip: entry,
    cr0: 0x11n,
    cr3: 0n,
    cr4: 0n,
    efer: 0n,
    segments: segments(segment(0x08, 0xc09b), segment(0x18, 0x008b, 0x67)),
  };
}

function quads(values: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer);
}
