/** Vector registers and memory operands of MMX and SSE. Whole operands are read or probed before anything changes. */
import { AC_CHECK, CPUID_81_ECX, FEATURES, HAS_AMD, MODE, MXCSR, ST, TLB_SET, XMM } from "../layout";
import { onward, probeWrite, read, requireCanonical, write } from "../access";
import { Reason } from "../events";
import { AC, GP, raise } from "../fault";
import { effective, isMemory, linearRead, linearWrite, loadOperand, regOf, rmOf, stackBit, storeOperand } from "../operand";
import { ALIGNED, LOW_HALF, MM, SIZE_SHIFT } from "./table";

/** The XMM register of an operand byte (number × 8). */
@inline export function xmm(offset: u32): usize {
  return XMM + (<usize>offset << 1);
}
/** The MMX register: the low 64 bits of an x87 register; REX bits mean nothing. */
@inline export function mm(offset: u32): usize {
  return ST + ((<usize>offset & 56) << 1);
}
@inline export function sizeOf(cell: u32): u32 {
  return (cell >> SIZE_SHIFT) & 7;
}

/** The register in ModRM.reg; of an MMX register the upper half reads as zero. */
export function destination(op: usize, cell: u32): v128 {
  return cell & MM ? v128.load64_zero(mm(regOf(op))) : v128.load(xmm(regOf(op)));
}

/** Writes an MMX register: bits 79:64 become ones (SDM vol. 1, 9.2.1). */
export function setMm(offset: u32, value: u64): void {
  store<u64>(mm(offset), value);
  store<u16>(mm(offset), 0xffff, 8);
}
export function setDestination(op: usize, cell: u32, value: v128): void {
  if (cell & MM) setMm(regOf(op), i64x2.extract_lane(value, 0));
  else v128.store(xmm(regOf(op)), value);
}

/** MXCSR.MM of AMD's misaligned SSE mode lifts the alignment of operands, though not that of aligned moves. */
const MISALIGNED_MODE: u32 = 0x20000;
function misalignedMode(): bool {
  return (load<u32>(MXCSR) & MISALIGNED_MODE) != 0 && (load<u32>(CPUID_81_ECX) & 0x80) != 0;
}
function misaligned(at: u64): void {
  raise(GP, 0, Reason.Alignment, at, 16);
}

/**
 * #AC of an unaligned operand of 16 bytes: AMD looks at all four bits, Intel names a boundary of 8 bytes (SDM vol. 3,
 * interrupt 17), which its two halves check.
 */
export function checkAlignment(at: u64, size: u32, stack: u32): void {
  const mask: u64 = size == 16 && !(load<u32>(FEATURES) & HAS_AMD) ? 7 : size - 1;
  if (load<u8>(AC_CHECK) == 0 || (at & mask) == 0) return;
  if (load<u8>(MODE) == 2) requireCanonical(at, size, stack);
  raise(AC, 0, Reason.Alignment, at, size);
}

function load16(op: usize, aligned: bool): v128 {
  const at = linearRead(op, effective(op), 16);
  if (at & 15) {
    if (aligned) misaligned(at);
    checkAlignment(at, 16, stackBit(op));
  }
  const stack = stackBit(op);
  const low = read<u64>(at, stack);
  return i64x2.replace_lane(i64x2.splat(low), 1, read<u64>(onward(at, 8), stack));
}

function memory_(op: usize, cell: u32, aligned: bool): v128 {
  switch (sizeOf(cell)) {
    case 0: return i64x2(loadOperand<u8>(op), 0);
    case 1: return i64x2(loadOperand<u16>(op), 0);
    case 2: return i64x2(loadOperand<u32>(op), 0);
    case 3: return i64x2(loadOperand<u64>(op), 0);
    default: return load16(op, aligned);
  }
}

/** In the misaligned mode only the half that is used is read, though limit and #AC are those of the whole (AMD family 26). */
function lowHalf(op: usize): v128 {
  const at = linearRead(op, effective(op), 16);
  const stack = stackBit(op);
  checkAlignment(at, 16, stack);
  return i64x2(read<u64>(at, stack), 0);
}

/** ModRM.rm as a vector: a whole register, or a memory operand with zeros above it. */
export function source(op: usize, cell: u32): v128 {
  if (isMemory(op)) {
    const aligned = (cell & ALIGNED) != 0 && !misalignedMode();
    return !aligned && (cell & LOW_HALF) != 0 ? lowHalf(op) : memory_(op, cell, aligned);
  }
  return cell & MM ? v128.load64_zero(mm(rmOf(op))) : v128.load(xmm(rmOf(op)));
}
/** As `source` for a move, whose alignment no mode lifts. */
export function movedSource(op: usize, cell: u32): v128 {
  return isMemory(op) ? memory_(op, cell, (cell & ALIGNED) != 0) : source(op, cell);
}

/** Stores as many bytes of a vector as the memory operand has. */
export function storeVector(op: usize, cell: u32, value: v128): void {
  const low: u64 = i64x2.extract_lane(value, 0);
  switch (sizeOf(cell)) {
    case 2: storeOperand<u32>(op, <u32>low); return;
    case 3: storeOperand<u64>(op, low); return;
  }
  const at = linearWrite(op, effective(op), 16);
  if (at & 15) {
    if (cell & ALIGNED) misaligned(at);
    checkAlignment(at, 16, stackBit(op));
  }
  const stack = stackBit(op);
  const next = onward(at, 8);
  if ((at & 0xfff) > 0xff0) {
    probeWrite(at, 8, stack, load<u32>(TLB_SET));
    probeWrite(next, 8, stack, load<u32>(TLB_SET));
  }
  write<u64>(at, low, stack);
  write<u64>(next, i64x2.extract_lane(value, 1), stack);
}
