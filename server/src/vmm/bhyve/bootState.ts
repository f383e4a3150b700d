/** Registers of the first vCPU by boot method, and the low pages of FreeBSD's loader. */
import {
  NO_REGISTERS,
  RESET_DEBUG_REGISTERS,
  segmentsOf,
  type SegmentState,
  type VcpuState,
} from '../../x86/state';
import type { WriteMemory } from '../loaders/loader';

/** CR0.ET is hard-wired; CR0.NE is what bhyve sets, and neither CD nor NW, of which Windows is said to crash. */
const ET = 0x10n;
const NE = 0x20n;
const PE = 0x1n;
const PG = 0x80000000n;

/**
 * vcpu_reset (lib/libvmmapi/amd64/vmmapi_machdep.c; before, vmmapi.c): a boot ROM. CS has the access rights of a data segment,
 * 0x93, as in the manual's table.
 */
export const RESET: VcpuState = {
  general: { ...NO_REGISTERS, rdx: 0xf00n },
  rip: 0xfff0n,
  rflags: 2n,
  cr0: NE | ET,
  cr2: 0n,
  cr3: 0n,
  cr4: 0n,
  cr8: 0n,
  efer: 0n,
  segments: {
    ...segmentsOf(
      { selector: 0xf000, base: 0xffff0000n, limit: 0xffff, attributes: 0x93 },
      { selector: 0, base: 0n, limit: 0xffff, attributes: 0x93 },
    ),
    tr: { selector: 0, base: 0n, limit: 0, attributes: 0x8b },
  },
  gdtr: { base: 0n, limit: 0xffff },
  idtr: { base: 0n, limit: 0xffff },
  dr: RESET_DEBUG_REGISTERS,
};

const UNUSABLE: SegmentState = { selector: 0, base: 0n, limit: 0, attributes: 0x10000 };

/** Pages of userboot (stand/userboot/userboot/elf64_freebsd.c, elf64_exec). */
const USERBOOT = { stack: 0x1000n, pml4: 0x2000n, pdpt: 0x3000n, pd: 0x4000n, gdt: 0x5000n } as const;
const PRESENT_WRITABLE = 3n;
const LARGE = 0x80n;
/** vm_setup_freebsd_gdt: null, 64-bit code, data. */
const GDT_64 = [0n, 0x0020980000000000n, 0x0000900000000000n] as const;

/** Every GiB of the address space is the first GiB of memory, in 2 MiB pages. The stack holds 0, modulep and kernend. */
export function writeUserbootPages(write: WriteMemory, modulep: number, kernelEnd: number): void {
  const table = (entry: (index: number) => bigint) =>
    quads(Array.from({ length: 512 }, (_, index) => entry(index)));
  write(
    USERBOOT.pml4,
    table(() => USERBOOT.pdpt | PRESENT_WRITABLE),
  );
  write(
    USERBOOT.pdpt,
    table(() => USERBOOT.pd | PRESENT_WRITABLE),
  );
  write(
    USERBOOT.pd,
    table((index) => (BigInt(index) << 21n) | LARGE | PRESENT_WRITABLE),
  );
  write(USERBOOT.gdt, quads(GDT_64));
  write(USERBOOT.stack, new Uint8Array(Uint32Array.of(0, modulep, kernelEnd).buffer));
}

/** vm_setup_freebsd_registers as bhyveload calls it: long mode with a GDT of three entries. */
export function freebsd64(entry: bigint): VcpuState {
  return {
    ...RESET,
    general: { ...NO_REGISTERS, rsp: USERBOOT.stack },
    rip: entry,
    cr0: PG | PE | NE | ET,
    cr3: USERBOOT.pml4,
    cr4: 0x20n,
    efer: 0x500n,
    segments: {
      ...segmentsOf(
        { selector: 0x08, base: 0n, limit: 0, attributes: 0x209b },
        { selector: 0x10, base: 0n, limit: 0, attributes: 0x93 },
      ),
      ldtr: UNUSABLE,
      tr: { selector: 0, base: 0n, limit: 0, attributes: 0x8b },
    },
    gdtr: { base: USERBOOT.gdt, limit: GDT_64.length * 8 - 1 },
  };
}

/** grub2-bhyve's GDT (bhyve_hostif.c): two unused entries, code, data, and a TSS that nothing uses. */
const GRUB_GDT = [0n, 0n, 0x00cf9a000000ffffn, 0x00cf92000000ffffn, 0x0080890000000000n] as const;
/** grub_relocator32_boot takes the first free 40 bytes from 0x200 on. */
const GRUB_GDT_AT = 0x200n;

export function writeGrubGdt(write: WriteMemory): boolean {
  return write(GRUB_GDT_AT, quads(GRUB_GDT));
}

/** grub_emu_bhyve_boot32: 32-bit protected mode; ESI and ESP at `struct boot_params`. */
export function grub32(entry: bigint, parameters: bigint): VcpuState {
  return {
    ...RESET,
    general: { ...NO_REGISTERS, rsi: parameters, rsp: parameters },
    rip: entry,
    cr0: PE | ET,
    segments: {
      ...segmentsOf(
        { selector: 0x10, base: 0n, limit: 0xffffffff, attributes: 0xc09b },
        { selector: 0x18, base: 0n, limit: 0xffffffff, attributes: 0xc093 },
      ),
      ldtr: { selector: 0, base: 0n, limit: 0xffff, attributes: 0x10082 },
      tr: { selector: 0x20, base: 0x1000n, limit: 0x67, attributes: 0x8b },
    },
    gdtr: { base: GRUB_GDT_AT, limit: GRUB_GDT.length * 8 - 1 },
  };
}

function quads(values: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer);
}
