/**
 * The vCPUs before the first instruction: Machine::vcpu_x86_setup (vmm/machine.rs) has the kernel reset each one and lets the
 * first run at the reset vector. The values are vcpu_arch_reset's (illumos-gate usr/src/uts/intel/io/vmm/vmm.c).
 */
import { NO_REGISTERS, RESET_DEBUG_REGISTERS, segmentsOf, type VcpuState } from '../../x86/state';

/** Present, writable, accessed: CS too, as vcpu_arch_reset has it. */
const ATTRIBUTES = 0x0093;
const LIMIT = 0xffff;
const TABLE = { base: 0n, limit: LIMIT } as const;

/** The others are the same and wait for SIPI. */
export const RESET_STATE: VcpuState = {
  // Between what Intel and AMD define: neither the family, model and stepping of CPUID.
  general: { ...NO_REGISTERS, rdx: 0x600n },
  rip: 0xfff0n,
  rflags: 2n,
  cr0: 0x60000010n,
  cr2: 0n,
  cr3: 0n,
  cr4: 0n,
  cr8: 0n,
  efer: 0n,
  segments: segmentsOf(
    { selector: 0xf000, base: 0xffff0000n, limit: LIMIT, attributes: ATTRIBUTES },
    { selector: 0, base: 0n, limit: LIMIT, attributes: ATTRIBUTES },
  ),
  gdtr: TABLE,
  idtr: TABLE,
  dr: RESET_DEBUG_REGISTERS,
};
