/**
 * Status word, exceptions and the pointers to the last instruction (SDM vol. 1, 8.1.3, 8.1.8 to 8.1.10, 8.5 to 8.7). An
 * unmasked exception sets ES; the next waiting instruction reports it.
 */
import {
  ACTIVITY, CPUID_7_EBX, CR0, CS, CURRENT, FCW, FEATURES, FOP, FPU_CS, FPU_DATA, FPU_DS, FPU_INSTRUCTION, FSW, HALTED,
  HAS_AMD, RIP,
} from "../layout";
import { attend } from "../access";
import { vcpuAt } from "../apic";
import { Reason } from "../events";
import { MF, NM, raise, start } from "../fault";
import { beginX87, dropInexact, IE, PE, PRE_COMPUTATION, reported, roundedUp, signal } from "../float/environment";
import { OP_SEGMENT } from "../op";
import { effective, immediate, isMemory } from "../operand";
import { selectorOf } from "../segment";

export const C0: u32 = 0x100;
export const C1: u32 = 0x200;
export const C2: u32 = 0x400;
export const C3: u32 = 0x4000;
const SF: u32 = 0x40;
const ES_B: u32 = 0x8080;
const FDP_EXCEPTION_ONLY: u32 = 1 << 6;
const NO_SELECTORS: u32 = 1 << 13;

/** #NM by CR0.EM or TS. */
export function available(): void {
  if (load<u64>(CR0) & 12) raise(NM, 0, Reason.DeviceNotAvailable, load<u64>(CR0));
}

/** WAIT: #NM by MP with TS. */
export function waitAvailable(): void {
  if ((load<u64>(CR0) & 10) == 10) raise(NM, 0, Reason.DeviceNotAvailable, load<u64>(CR0));
}

/**
 * A waiting instruction meets an unmasked exception: #MF with CR0.NE. Without it FERR# is asserted and the CPU waits at the
 * instruction for the interrupt that a PC's board makes of it (SDM vol. 1, 8.7.2); here nothing is wired to FERR#, so it
 * waits for any other.
 */
export function reportPending(): void {
  if (load<u64>(CR0) & 0x20) raise(MF, 0, Reason.FloatingPoint, load<u16>(FSW), load<u16>(FCW));
  store<u64>(RIP, start());
  store<u32>(vcpuAt(load<u32>(CURRENT)), HALTED, ACTIVITY);
  attend();
}
@inline export function pending(): bool {
  return (load<u16>(FSW) & 0x80) != 0;
}

// ---- Pointers ----
function noteData(op: usize): void {
  store<u64>(FPU_DATA, effective(op));
  const number = <u32>load<u8>(op, OP_SEGMENT);
  store<u16>(FPU_DS, number < 8 && !(load<u32>(CPUID_7_EBX) & NO_SELECTORS) ? <u16>selectorOf(number) : 0);
}
function noteOpcode(op: usize): void {
  store<u16>(FOP, immediate<u16>(op));
}
/**
 * Where the last instruction and its operand were. Intel's CPUs keep the opcode only of instructions with an unmasked
 * exception, AMD's that of every one (SDM vol. 1, 8.1.9.1); CPUID says whether selectors are kept, and the operand's
 * address always.
 */
export function note(op: usize): void {
  store<u64>(FPU_INSTRUCTION, start());
  store<u16>(FPU_CS, load<u32>(CPUID_7_EBX) & NO_SELECTORS ? 0 : <u16>selectorOf(CS));
  if (load<u32>(FEATURES) & HAS_AMD) noteOpcode(op);
  if (isMemory(op) && !(load<u32>(CPUID_7_EBX) & FDP_EXCEPTION_ONLY)) noteData(op);
}
function noteException(op: usize): void {
  noteOpcode(op);
  if (isMemory(op)) noteData(op);
}

// ---- Condition codes and exceptions ----
@inline export function begin(): void {
  beginX87(load<u16>(FCW));
}
export function setCodes(mask: u32, codes: u32): void {
  store<u16>(FSW, <u16>((load<u16>(FSW) & ~mask) | codes));
}
/** ES and B follow from flags and masks. */
export function summarize(): void {
  const unmasked = load<u16>(FSW) & ~load<u16>(FCW) & 63;
  setCodes(ES_B, unmasked ? ES_B : 0);
}
/** Flags of what was computed since `begin`; C1 says whether it was rounded up. True where its result is written. */
export function settle(op: usize): bool {
  const flags = reported();
  const masks = load<u16>(FCW) & 63;
  setCodes(C1, flags | (flags & PE && roundedUp ? C1 : 0));
  if (!(flags & ~masks)) return true;
  setCodes(0, ES_B);
  noteException(op);
  return (flags & ~masks & PRE_COMPUTATION) == 0;
}
/** The same where the destination is memory, which an unmasked overflow or underflow leaves alone as well. */
@inline export function wouldStore(): bool {
  return (reported() & ~load<u16>(FCW) & 31) == 0;
}
/** An unmasked overflow or underflow of a store: that it would be inexact is not reported (SDM vol. 1, 8.5.4). */
export function settleUnstored(op: usize): void {
  dropInexact();
  settle(op);
}
/** Stack overflow or underflow: invalid operation with SF, C1 tells which. True where the masked response follows. */
export function stackFault(op: usize, overflow: bool): bool {
  signal(IE);
  const masked = settle(op);
  setCodes(C1, SF | (overflow ? C1 : 0));
  return masked;
}
