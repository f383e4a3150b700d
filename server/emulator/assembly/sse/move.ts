/** Moves: loads, stores, parts of registers, between register files, and under a mask (SDM vol. 2). */
import { ADDRESS_MASKS, SSE_A, TLB_SET } from "../layout";
import { onward, probeWrite, write } from "../access";
import { OP_ADDRESS, OP_OPERAND, OP_IMMEDIATE } from "../op";
import { getRm, isMemory, linearWrite, RDI, regOf, rmOf, setRegister, setRm, stackBit } from "../operand";
import { enterMmx } from "./available";
import { checkAlignment, destination, mm, movedSource, setDestination, setMm, sizeOf, source, storeVector, xmm } from "./operand";
import * as O from "./operation";
import { MM } from "./table";

/** MOVAPS, MOVDQU, MOVQ, LDDQU and their like. */
export function loadWhole(op: usize, cell: u32): void {
  const value = movedSource(op, cell);
  if (cell & MM) {
    enterMmx();
    setMm(regOf(op), i64x2.extract_lane(value, 0));
  } else if (sizeOf(cell) == 3) v128.store(xmm(regOf(op)), i64x2(i64x2.extract_lane(value, 0), 0));
  else v128.store(xmm(regOf(op)), value);
}

/** MOVAPS, MOVDQU, MOVQ to memory or a register, MOVNTPS and its like. */
export function storeWhole(op: usize, cell: u32): void {
  const value = destination(op, cell);
  if (isMemory(op)) storeVector(op, cell, value);
  if (cell & MM) {
    enterMmx();
    if (!isMemory(op)) setMm(rmOf(op), i64x2.extract_lane(value, 0));
  } else if (!isMemory(op)) v128.store(xmm(rmOf(op)), value);
}

/** MOVSS, MOVSD: from memory with zeros above, between registers the low element only. */
export function moveScalar(op: usize, cell: u32): void {
  if (isMemory(op)) setDestination(op, cell, source(op, cell));
  else if (sizeOf(cell) == 2) store<u32>(xmm(regOf(op)), load<u32>(xmm(rmOf(op))));
  else store<u64>(xmm(regOf(op)), load<u64>(xmm(rmOf(op))));
}
export function storeScalar(op: usize, cell: u32): void {
  if (isMemory(op)) storeVector(op, cell, destination(op, cell));
  else if (sizeOf(cell) == 2) store<u32>(xmm(rmOf(op)), load<u32>(xmm(regOf(op))));
  else store<u64>(xmm(rmOf(op)), load<u64>(xmm(regOf(op))));
}
export function storeLow(op: usize, cell: u32): void {
  const value = destination(op, cell);
  if (isMemory(op)) storeVector(op, cell, value);
  else v128.store(xmm(rmOf(op)), i64x2(i64x2.extract_lane(value, 0), 0));
}

/** MOVLPS, MOVLPD; MOVHLPS between registers. */
export function moveLow(op: usize, cell: u32): void {
  const b = source(op, cell);
  store<u64>(xmm(regOf(op)), isMemory(op) ? i64x2.extract_lane(b, 0) : i64x2.extract_lane(b, 1));
}
/** MOVHPS, MOVHPD; MOVLHPS between registers. */
export function moveHigh(op: usize, cell: u32): void {
  store<u64>(xmm(regOf(op)), i64x2.extract_lane(source(op, cell), 0), 8);
}
export function storeHigh(op: usize, cell: u32): void {
  const value = destination(op, cell);
  storeVector(op, cell, v128.shuffle<u64>(value, value, 1, 1));
}

/** MOVD, MOVQ from a general register or memory. */
export function fromGeneralRegister(op: usize, cell: u32): void {
  const value: u64 = load<u8>(op, OP_OPERAND) == 3 ? getRm<u64>(op) : <u64>getRm<u32>(op);
  if (cell & MM) enterMmx();
  setDestination(op, cell, i64x2(value, 0));
}
export function toGeneralRegister(op: usize, cell: u32): void {
  const value: u64 = i64x2.extract_lane(destination(op, cell), 0);
  if (load<u8>(op, OP_OPERAND) == 3) setRm<u64>(op, value);
  else setRm<u32>(op, <u32>value);
  if (cell & MM) enterMmx();
}

export function movq2dq(op: usize): void {
  const value = load<u64>(mm(rmOf(op)));
  enterMmx();
  v128.store(xmm(regOf(op)), i64x2(value, 0));
}
export function movdq2q(op: usize): void {
  enterMmx();
  setMm(regOf(op), load<u64>(xmm(rmOf(op))));
}

/** MOVDDUP, MOVSLDUP, MOVSHDUP. */
export function duplicate(op: usize, cell: u32, operation: u32): void {
  const b = source(op, cell);
  const value =
    operation == O.MOVDDUP ? v128.shuffle<u64>(b, b, 0, 0)
    : operation == O.MOVSLDUP ? v128.shuffle<u32>(b, b, 0, 0, 2, 2)
    : v128.shuffle<u32>(b, b, 1, 1, 3, 3);
  setDestination(op, cell, value);
}

/** MOVMSKPS, MOVMSKPD (`double`): the signs. */
export function signs(op: usize, cell: u32, double: bool): void {
  const b = source(op, cell);
  setRegister<u64>(regOf(op), double ? i64x2.bitmask(b) : i32x4.bitmask(b));
}
export function byteSigns(op: usize, cell: u32): void {
  const mask = i8x16.bitmask(source(op, cell));
  if (cell & MM) enterMmx();
  setRegister<u64>(regOf(op), mask);
}

export function insertWord(op: usize, cell: u32): void {
  const word = getRm<u16>(op);
  const number: u32 = load<u8>(op, OP_IMMEDIATE) & (cell & MM ? 3 : 7);
  v128.store(SSE_A, destination(op, cell));
  store<u16>(SSE_A + (number << 1), word);
  if (cell & MM) enterMmx();
  setDestination(op, cell, v128.load(SSE_A));
}
export function extractWord(op: usize, cell: u32): void {
  const number: u32 = load<u8>(op, OP_IMMEDIATE) & (cell & MM ? 3 : 7);
  v128.store(SSE_A, source(op, cell));
  if (cell & MM) enterMmx();
  setRegister<u64>(regOf(op), load<u16>(SSE_A + (number << 1)));
}

/**
 * MASKMOVQ, MASKMOVDQU: the bytes whose mask byte is negative, to DS:RDI. All bytes must be writable, those that stay
 * as they are too (the manual leaves that to the model, SDM vol. 2; AMD's do it).
 */
export function maskedMove(op: usize, cell: u32): void {
  const size: u32 = cell & MM ? 8 : 16;
  const mask: u32 = i8x16.bitmask(source(op, cell));
  v128.store(SSE_A, destination(op, cell));
  const offset = load<u64>(RDI) & load<u64>(ADDRESS_MASKS + (<usize>load<u8>(op, OP_ADDRESS) << 3));
  const at = linearWrite(op, offset, size);
  const stack = stackBit(op);
  checkAlignment(at, 8, stack);
  const first = min<u32>(size, 0x1000 - (<u32>at & 0xfff));
  probeWrite(at, 1, stack, load<u32>(TLB_SET));
  if (first < size) probeWrite(onward(at, first), 1, stack, load<u32>(TLB_SET));
  for (let i: u32 = 0; i < size; i++) if ((mask >> i) & 1) write<u8>(onward(at, i), load<u8>(SSE_A + i), stack);
  if (cell & MM) enterMmx();
}
