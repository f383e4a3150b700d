/**
 * The register sets that vmd gives a vCPU before its first instruction: those of x86_vm.c rev 1.3 to 1.27, the same in all, and
 * what loadfile_elf.c makes of them.
 */
import { NO_REGISTERS, RESET_DEBUG_REGISTERS, segmentsOf, type VcpuState } from '../../x86/state';

/** `vcpu_init_flat16`: a BIOS. CS base 0xF0000, not 0xFFFF0000, so the first instruction is at 0xFFFF0. */
export const FLAT16: VcpuState = {
  general: NO_REGISTERS,
  rip: 0xfff0n,
  rflags: 2n,
  cr0: 0x60000010n,
  cr2: 0n,
  cr3: 0n,
  cr4: 0n,
  cr8: 0n,
  efer: 0n,
  segments: segmentsOf(
    { selector: 0xf000, base: 0xf0000n, limit: 0xffff, attributes: 0x809f },
    { selector: 0, base: 0n, limit: 0xffff, attributes: 0x8093 },
  ),
  gdtr: { base: 0n, limit: 0xffff },
  idtr: { base: 0n, limit: 0xffff },
  dr: RESET_DEBUG_REGISTERS,
};

/** Pages of a direct kernel boot (`loadfile.h`). */
export const BOOTARGS_PAGE = 0x2000n;
export const STACK_PAGE = 0xf000n;
export const GDT_PAGE = 0x10000n;
export const PML4_PAGE = 0x11000n;
export const PML3_PAGE = 0x12000n;
export const PML2_PAGE = 0x13000n;

/** `vcpu_init_flat64`: an ELF64 kernel up to loadfile_elf.c rev 1.51, in compatibility mode (LMA = 1, CS.L = 0), which is legal. */
export function flat64(rip: bigint, rsp: bigint): VcpuState {
  return {
    ...FLAT16,
    general: { ...NO_REGISTERS, rsp },
    rip,
    cr0: 0x80000011n,
    cr3: PML4_PAGE,
    cr4: 0x30n,
    efer: 0x500n,
    segments: FLAT_SEGMENTS,
    gdtr: { base: GDT_PAGE, limit: 0xffff },
  };
}

/**
 * Any ELF kernel where vmd starts them without paging (loadfile_elf.c rev 1.59): CR0 = ET, PE and nothing else. `paging` is what
 * the proposal before it left in CR3 and CR4.
 */
export function flatUnpaged(rip: bigint, rsp: bigint, paging = { cr3: 0n, cr4: 0n }): VcpuState {
  return { ...flat64(rip, rsp), cr0: 0x11n, efer: 0n, ...paging };
}

/** An ELF32 kernel: flat64 with CR3 at one page directory of 4 MiB pages, CR4 = PSE, EFER = 0; paging stays on. */
export function flat32(rip: bigint, rsp: bigint): VcpuState {
  return { ...flat64(rip, rsp), cr3: PML3_PAGE, cr4: 0x10n, efer: 0n };
}

const FLAT_SEGMENTS = segmentsOf(
  { selector: 0x08, base: 0n, limit: 0xffffffff, attributes: 0xc09f },
  { selector: 0x10, base: 0n, limit: 0xffffffff, attributes: 0xc093 },
);
