/**
 * How Firecracker, libkrun and Cloud Hypervisor start a kernel: GDT, page tables and registers that their sources have alike
 * (each in a copy of its own: arch/x86_64/gdt.rs, regs.rs). Where they put these structures is each VMM's own.
 */
import {
  NO_REGISTERS,
  RESET_DEBUG_REGISTERS,
  segmentsOf,
  type SegmentState,
  type VcpuState,
} from '../../x86/state';
import { onDemand } from '../../machine/onDemand';
import type { Placed } from '../placed';
import { KVM_RESET_CR0 } from './vcpus';

/** Null, code, data and a busy TSS, as their `gdt_entry` makes them. */
export const ENTRY_GDT = {
  /** gdt_entry(0xa09b), (0xc093), (0x808b), each with limit 0xfffff: 64-bit code, data, a TSS of 4 GiB. */
  long: [0n, 0x00af9b000000ffffn, 0x00cf93000000ffffn, 0x008f8b000000ffffn],
  /** gdt_entry(0xc09b), (0xc093), (0x008b, 0, 0x67): 32-bit code, data, a TSS of 104 bytes. */
  protected: [0n, 0x00cf9b000000ffffn, 0x00cf93000000ffffn, 0x00008b0000000067n],
} as const;

/**
 * create_boot_msr_entries (boot_msr_entries in Cloud Hypervisor): those that are not 0 after RESET, by who keeps them.
 * IA32_MTRR_DEF_TYPE: MTRRs on, write back; IA32_MISC_ENABLE: fast strings only.
 */
export const ENTRY_MSRS = {
  core: new Map([[0x2ff, 0x806n]]),
  board: new Map([[0x1a0, 1n]]),
} as const;

const PRESENT_WRITABLE = 3n;
const LARGE_WRITABLE = 0x83n;
const TWO_MIB_SHIFT = 21n;

/** Where the tables of four-level paging are, a page each. */
export interface PagingPlaces {
  readonly pml4: bigint;
  readonly pdpt: bigint;
  readonly pageDirectory: bigint;
}

/** A page directory of the first GiB: the same for every guest, and made once. */
const firstGib = onDemand(() =>
  quadwords(Array.from({ length: 512 }, (_, i) => (BigInt(i) << TWO_MIB_SHIFT) | LARGE_WRITABLE)),
);

/** The first GiB at its own addresses, in pages of 2 MiB. */
export function firstGibTables({ pml4, pdpt, pageDirectory }: PagingPlaces): Placed[] {
  return [
    pageTable(pml4, 'PML4', [pdpt | PRESENT_WRITABLE]),
    pageTable(pdpt, 'PDPT', [pageDirectory | PRESENT_WRITABLE]),
    { at: pageDirectory, bytes: firstGib(), kind: 'page-tables', name: 'page directory' },
  ];
}

/** The entries that are written; what memory has behind them is zero. */
export function pageTable(at: bigint, name: string, entries: readonly bigint[]): Placed {
  return { at, bytes: quadwords(entries), kind: 'page-tables', name };
}

/** A GDT, and an IDT of one gate that is zero. */
export function entryTables({ gdt, idt }: EntryPlaces, descriptors: readonly bigint[]): Placed[] {
  return [
    { at: gdt, bytes: quadwords(descriptors), kind: 'gdt', name: 'GDT' },
    { at: idt, bytes: quadwords([0n]), kind: 'idt', name: 'IDT' },
  ];
}

/** Little-endian. */
export function quadwords(values: readonly bigint[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * values.length));
  values.forEach((value, index) => view.setBigUint64(8 * index, value, true));
  return new Uint8Array(view.buffer);
}

export interface EntryPlaces {
  /** Four descriptors. */
  readonly gdt: bigint;
  /** One gate of 8 bytes, zero: any exception is a triple fault until the guest loads its own table. */
  readonly idt: bigint;
}

const segment = (selector: number, attributes: number, limit = 0xffffffff): SegmentState => ({
  selector,
  base: 0n,
  limit,
  attributes,
});

function flat(
  entry: bigint,
  { gdt, idt }: EntryPlaces,
  code: number,
  tss: SegmentState,
): Omit<VcpuState, 'general' | 'cr0' | 'cr3' | 'cr4' | 'efer'> {
  return {
    rip: entry,
    rflags: 2n,
    cr2: 0n,
    cr8: 0n,
    segments: { ...segmentsOf(segment(0x08, code), segment(0x10, 0xc093)), tr: tss },
    gdtr: { base: gdt, limit: 0x1f },
    idtr: { base: idt, limit: 7 },
    dr: RESET_DEBUG_REGISTERS,
  };
}

export interface LongEntry extends EntryPlaces {
  readonly pml4: bigint;
  /** RSP and RBP. */
  readonly stack: bigint;
  /** RSI: `boot_params`. */
  readonly zeroPage: bigint;
}

/** Linux's 64-bit entry. PE and PG come on top of what CR0 is after KVM's reset, so CD and NW stay. */
export function longModeState(entry: bigint, places: LongEntry): VcpuState {
  const { pml4, stack, zeroPage } = places;
  return {
    ...flat(entry, places, 0xa09b, segment(0x18, 0x808b)),
    general: { ...NO_REGISTERS, rsp: stack, rbp: stack, rsi: zeroPage },
    cr0: KVM_RESET_CR0 | 0x80000001n,
    cr3: pml4,
    cr4: 0x20n,
    efer: 0x500n,
  };
}

export interface ProtectedEntry extends EntryPlaces {
  /** The whole register: what of RESET's value is left differs by VMM. */
  readonly cr0: bigint;
  readonly general: Partial<VcpuState['general']>;
}

/** 32-bit protected mode without paging. */
export function protectedModeState(entry: bigint, places: ProtectedEntry): VcpuState {
  return {
    ...flat(entry, places, 0xc09b, segment(0x18, 0x008b, 0x67)),
    general: { ...NO_REGISTERS, ...places.general },
    cr0: places.cr0,
    cr3: 0n,
    cr4: 0n,
    efer: 0n,
  };
}
