/** MXCSR: its instructions, and what a floating-point instruction leaves in it (SDM vol. 1, 10.2.3, 11.5). */
import { CPUID_81_ECX, CR4, MXCSR } from "../layout";
import { Reason } from "../events";
import { UD, XM, protection, raise } from "../fault";
import { beginSse, reported, unmasked } from "../float/float";
import { loadOperand, storeOperand } from "../operand";
import { needXmm } from "./available";

const OSXMMEXCPT: u64 = 0x400;

/** The bits that exist: MM comes with AMD's misaligned SSE mode (APM vol. 2, 11.3). */
export function mxcsrMask(): u32 {
  return load<u32>(CPUID_81_ECX) & 0x80 ? 0x2ffff : 0xffff;
}

export function ldmxcsr(op: usize): void {
  needXmm();
  const value = loadOperand<u32>(op);
  if (value & ~mxcsrMask()) protection(Reason.MxcsrReserved, value);
  store<u32>(MXCSR, value);
}
export function stmxcsr(op: usize): void {
  needXmm();
  storeOperand<u32>(op, load<u32>(MXCSR));
}

/** Before the first element: control from MXCSR, no exception met. */
@inline export function begin(): void {
  beginSse(load<u32>(MXCSR));
}
/**
 * Behind the last one: the flags but those to be ignored; an unmasked exception is #XM, or #UD where the system doesn't
 * know of it.
 */
export function settle(ignored: u32 = 0): void {
  const flags = reported() & ~ignored;
  if (flags) store<u32>(MXCSR, load<u32>(MXCSR) | flags);
  const wanted = unmasked() & ~ignored;
  if (!wanted) return;
  const known = (load<u64>(CR4) & OSXMMEXCPT) != 0;
  raise(known ? XM : UD, 0, Reason.SimdFloatingPoint, wanted, load<u32>(MXCSR));
}
