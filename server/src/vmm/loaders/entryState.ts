/** Registers at the first instruction of a kernel, where boot protocols agree on them. */
import {
  NO_REGISTERS,
  RESET_DEBUG_REGISTERS,
  segmentsOf,
  type GeneralRegister,
  type SegmentState,
  type VcpuState,
} from '../../x86/state';

const CODE_32 = 0xc09b;
const CODE_64 = 0xa09b;
const DATA = 0xc093;

const flat = (selector: number, attributes: number): SegmentState => ({
  selector,
  base: 0n,
  limit: 0xffffffff,
  attributes,
});

/** 32-bit protected mode with paging and interrupts off and flat segments; GDTR and ESP are the kernel's to set up. */
export function flatProtected32(entry: bigint, general: Partial<Record<GeneralRegister, bigint>>): VcpuState {
  return {
    general: { ...NO_REGISTERS, ...general },
    rip: entry,
    rflags: 2n,
    cr0: 0x11n,
    cr2: 0n,
    cr3: 0n,
    cr4: 0n,
    cr8: 0n,
    efer: 0n,
    segments: segmentsOf(flat(0x08, CODE_32), flat(0x10, DATA)),
    gdtr: { base: 0n, limit: 0 },
    idtr: { base: 0n, limit: 0x3ff },
    dr: RESET_DEBUG_REGISTERS,
  };
}

/** Where Linux's 32-bit and 64-bit entries have their code (__BOOT_CS) and data (__BOOT_DS) in the GDT. */
const BOOT_CS = 0x10;
const BOOT_DS = 0x18;
/** Two unused descriptors, then a flat code segment and a flat data segment. */
export const LINUX_GDT = {
  32: [0n, 0n, 0x00cf9b000000ffffn, 0x00cf93000000ffffn],
  64: [0n, 0n, 0x00af9b000000ffffn, 0x00cf93000000ffffn],
} as const;

/** The state of Linux's 32-bit boot protocol; `gdt` is where LINUX_GDT[32] lies, `parameters` where `boot_params` does. */
export function linux32(entry: bigint, parameters: bigint, gdt: bigint): VcpuState {
  return {
    ...flatProtected32(entry, { rsi: parameters }),
    segments: segmentsOf(flat(BOOT_CS, CODE_32), flat(BOOT_DS, DATA)),
    gdtr: { base: gdt, limit: LINUX_GDT[32].length * 8 - 1 },
  };
}

/** The state of Linux's 64-bit boot protocol: `tables` is the physical address of a PML4 that maps identically. */
export function linux64(entry: bigint, parameters: bigint, gdt: bigint, tables: bigint): VcpuState {
  return {
    ...flatProtected32(entry, { rsi: parameters }),
    cr0: 0x80000011n,
    cr3: tables,
    cr4: 0x20n,
    efer: 0x500n,
    segments: segmentsOf(flat(BOOT_CS, CODE_64), flat(BOOT_DS, DATA)),
    gdtr: { base: gdt, limit: LINUX_GDT[64].length * 8 - 1 },
  };
}

/** Real mode with interrupts off: all data segments are `segment`, code is at `codeSegment`:0. */
export function realMode(codeSegment: number, segment: number, stack: number): VcpuState {
  const real = (selector: number, attributes: number): SegmentState => ({
    selector,
    base: BigInt(selector) << 4n,
    limit: 0xffff,
    attributes,
  });
  return {
    ...flatProtected32(0n, { rsp: BigInt(stack) }),
    cr0: 0x10n,
    segments: segmentsOf(real(codeSegment, 0x9b), real(segment, 0x93)),
    gdtr: { base: 0n, limit: 0xffff },
  };
}
