/**
 * What libkrun writes into low memory and into the registers of every vCPU before the first instruction of a kernel
 * (containers/libkrun src/arch/src/x86_64/{mod,regs,gdt}.rs and linux/regs.rs). A firmware boot sets no register.
 */
import { NO_REGISTERS, RESET_DEBUG_REGISTERS, segmentsOf, type VcpuState } from '../../x86/state';
import { e820Bytes, type E820Entry } from '../e820';
import { BOOT_FLAG, HEADER_MAGIC, SETUP } from '../../machine/image/linuxImage';
import { KVM_RESET_CR0 } from '../kvm/vcpus';
import {
  BOOT_STACK_POINTER,
  COMMAND_LINE,
  GDT,
  IDT,
  PAGE_DIRECTORY,
  PDPT,
  PML4,
  PVH_INFO,
  PVH_MEMORY_MAP,
  PVH_MODULES,
  ZERO_PAGE,
} from './addresses';

/** Bytes at a guest-physical address. */
export interface Placed {
  readonly at: bigint;
  readonly bytes: Uint8Array;
}

/** gdt_entry(0xa09b), (0xc093), (0x808b): 64-bit code, data, a busy TSS of 4 GiB. */
const GDT_64 = [0n, 0x00af9b000000ffffn, 0x00cf93000000ffffn, 0x008f8b000000ffffn];
/** gdt_entry(0xc09b), (0xc093), (0x008b, 0, 0x67): 32-bit code, data, a busy TSS of 104 bytes. */
const GDT_PVH = [0n, 0x00cf9b000000ffffn, 0x00cf93000000ffffn, 0x00008b0000000067n];
/** Four descriptors, and one gate of 8 bytes, the size of a 32-bit one. */
const GDT_LIMIT = 31;
const IDT_LIMIT = 7;

const LARGE_WRITABLE = 0x83n;
const TABLE = 0x03n;
const TWO_MIB = 0x200000n;

export function descriptorTables(pvh: boolean): Placed[] {
  return [
    { at: GDT, bytes: words(pvh ? GDT_PVH : GDT_64) },
    { at: IDT, bytes: words([0n]) },
  ];
}

/** The first GiB in pages of 2 MiB (`compute_page_tables`); a PVH boot has none. */
export function pageTables(): Placed[] {
  const pages = Array.from({ length: 512 }, (_, i) => BigInt(i) * TWO_MIB + LARGE_WRITABLE);
  return [
    { at: PML4, bytes: words([PDPT | TABLE]) },
    { at: PDPT, bytes: words([PAGE_DIRECTORY | TABLE]) },
    { at: PAGE_DIRECTORY, bytes: words(pages) },
  ];
}

export interface BootParameters {
  readonly memoryMap: readonly E820Entry[];
  /** Bytes of the command line with its NUL. */
  readonly commandLineSize: number;
  readonly initrd: { readonly start: bigint; readonly size: number } | null;
}

const E820_ENTRIES = 0x1e8;
const E820_TABLE = 0x2d0;
/** KERNEL_LOADER_OTHER, KERNEL_MIN_ALIGNMENT_BYTES. */
const LOADER_OTHER = 0xff;
const KERNEL_ALIGNMENT = 0x1000000;

/** `boot_params`, a page (`configure_64bit_boot`). The initrd's address is cut to 32 bits, also where it lies above 4 GiB. */
export function zeroPage({ memoryMap, commandLineSize, initrd }: BootParameters): Placed {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  view.setUint16(SETUP.bootFlag, BOOT_FLAG, true);
  view.setUint32(SETUP.magic, HEADER_MAGIC, true);
  bytes[SETUP.typeOfLoader] = LOADER_OTHER;
  view.setUint32(SETUP.cmdLinePtr, Number(COMMAND_LINE), true);
  view.setUint32(SETUP.cmdlineSize, commandLineSize, true);
  view.setUint32(SETUP.kernelAlignment, KERNEL_ALIGNMENT, true);
  if (initrd) {
    view.setUint32(SETUP.ramdiskImage, Number(BigInt.asUintN(32, initrd.start)), true);
    view.setUint32(SETUP.ramdiskSize, initrd.size, true);
  }
  bytes[E820_ENTRIES] = memoryMap.length;
  bytes.set(e820Bytes(memoryMap), E820_TABLE);
  return { at: ZERO_PAGE, bytes };
}

const START_INFO_MAGIC = 0x336ec578;
const START_INFO_SIZE = 56;
const MODULE_SIZE = 32;
const PVH_ENTRY_SIZE = 24;

/** hvm_start_info, the memory map, and one module for the initrd (`configure_pvh`). */
export function pvhStartInfo({ memoryMap, initrd }: BootParameters): Placed[] {
  const info = new DataView(new ArrayBuffer(START_INFO_SIZE));
  info.setUint32(0, START_INFO_MAGIC, true);
  info.setUint32(4, 1, true);
  info.setUint32(12, initrd ? 1 : 0, true);
  info.setBigUint64(16, initrd ? PVH_MODULES : 0n, true);
  info.setBigUint64(24, COMMAND_LINE, true);
  info.setBigUint64(40, PVH_MEMORY_MAP, true);
  info.setUint32(48, memoryMap.length, true);
  const placed = [
    { at: PVH_INFO, bytes: new Uint8Array(info.buffer) },
    { at: PVH_MEMORY_MAP, bytes: e820Bytes(memoryMap, PVH_ENTRY_SIZE) },
  ];
  if (!initrd) return placed;
  const module = new DataView(new ArrayBuffer(MODULE_SIZE));
  module.setBigUint64(0, initrd.start, true);
  module.setBigUint64(8, BigInt(initrd.size), true);
  return [...placed, { at: PVH_MODULES, bytes: new Uint8Array(module.buffer) }];
}

const flat = (selector: number, attributes: number) => ({
  selector,
  base: 0n,
  limit: 0xffffffff,
  attributes,
});

/** Every vCPU gets these, the application processors too; INIT resets those before they run. */
export function linux64State(entry: bigint): VcpuState {
  return {
    general: { ...NO_REGISTERS, rsp: BOOT_STACK_POINTER, rbp: BOOT_STACK_POINTER, rsi: ZERO_PAGE },
    rip: entry,
    rflags: 2n,
    // PE and PG on top of what KVM starts with, so that CD and NW stay.
    cr0: KVM_RESET_CR0 | 0x80000001n,
    cr2: 0n,
    cr3: PML4,
    cr4: 0x20n,
    cr8: 0n,
    efer: 0x500n,
    segments: { ...segmentsOf(flat(0x08, 0xa09b), flat(0x10, 0xc093)), tr: flat(0x18, 0x808b) },
    gdtr: { base: GDT, limit: GDT_LIMIT },
    idtr: { base: IDT, limit: IDT_LIMIT },
    dr: RESET_DEBUG_REGISTERS,
  };
}

export function pvhState(entry: bigint): VcpuState {
  const linux = linux64State(entry);
  return {
    ...linux,
    general: { ...NO_REGISTERS, rbx: PVH_INFO },
    cr0: 0x11n,
    cr3: 0n,
    cr4: 0n,
    efer: 0n,
    segments: {
      ...segmentsOf(flat(0x08, 0xc09b), flat(0x10, 0xc093)),
      tr: { selector: 0x18, base: 0n, limit: 0x67, attributes: 0x008b },
    },
  };
}

/** create_boot_msr_entries (linux/msr.rs): those that are not 0 after RESET. IA32_MISC_ENABLE has fast strings only. */
export const BOOT_MSRS = {
  core: new Map([[0x2ff, 0x806n]]), // IA32_MTRR_DEF_TYPE: enabled, write back
  board: new Map([[0x1a0, 1n]]),
} as const;

function words(values: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setBigUint64(index * 8, value, true));
  return bytes;
}
