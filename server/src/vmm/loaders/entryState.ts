/** Registers at the first instruction of a kernel, where boot protocols agree on them. */
import { GENERAL_REGISTERS, type GeneralRegister, type SegmentState, type VcpuState } from '../../x86/state';

const ZERO = Object.fromEntries(GENERAL_REGISTERS.map((name) => [name, 0n])) as Record<
  GeneralRegister,
  bigint
>;
const flat = (selector: number, attributes: number): SegmentState => ({
  selector,
  base: 0n,
  limit: 0xffffffff,
  attributes,
});
const CODE = flat(0x08, 0xc09b);
const DATA = flat(0x10, 0xc093);

/** 32-bit protected mode with paging and interrupts off and flat segments; GDTR and ESP are the kernel's to set up. */
export function flatProtected32(entry: bigint, general: Partial<Record<GeneralRegister, bigint>>): VcpuState {
  return {
    general: { ...ZERO, ...general },
    rip: entry,
    rflags: 2n,
    cr0: 0x11n,
    cr2: 0n,
    cr3: 0n,
    cr4: 0n,
    cr8: 0n,
    efer: 0n,
    segments: {
      es: DATA,
      cs: CODE,
      ss: DATA,
      ds: DATA,
      fs: DATA,
      gs: DATA,
      ldtr: { selector: 0, base: 0n, limit: 0xffff, attributes: 0x0082 },
      tr: { selector: 0, base: 0n, limit: 0xffff, attributes: 0x008b },
    },
    gdtr: { base: 0n, limit: 0 },
    idtr: { base: 0n, limit: 0x3ff },
    dr: [0n, 0n, 0n, 0n, 0xffff0ff0n, 0x400n],
  };
}
