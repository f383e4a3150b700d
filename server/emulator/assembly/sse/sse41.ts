/** SSE4.1 beyond packed integers: element moves, PTEST, rounding to integers, dot products (SDM vol. 2). */
import { SSE_A, SSE_B, SSE_RESULT } from "../layout";
import { nanOfOne } from "../float/arithmetic";
import { toIntegral } from "../float/convert";
import { PE, rounding } from "../float/environment";
import { addF32, addF64, mulF32, mulF64 } from "../float/float";
import { NAN, kind, noDenormal, unpackF32, unpackF64 } from "../float/number";
import { packF32, packF64 } from "../float/round";
import { CF, ZF, setArithmetic } from "../flags";
import { OP_IMMEDIATE, OP_OPERAND } from "../op";
import { getRm, isMemory, loadOperand, regOf, rmOf, setRegister, storeOperand } from "../operand";
import { operands, writeResult } from "./arithmetic";
import { begin, settle } from "./mxcsr";
import { destination, source, xmm } from "./operand";
import * as O from "./operation";

@inline function immediateOf(op: usize): u32 {
  return load<u8>(op, OP_IMMEDIATE);
}

/** PEXTRB, PEXTRW, PEXTRD, PEXTRQ, EXTRACTPS: to memory of that size, or zero-extended to a register. */
export function extract(op: usize, cell: u32, operation: u32): void {
  v128.store(SSE_A, destination(op, cell));
  const number = immediateOf(op);
  if (operation == O.PEXTRB) {
    const value = load<u8>(SSE_A + (number & 15));
    if (isMemory(op)) storeOperand<u8>(op, value);
    else setRegister<u64>(rmOf(op), value);
  } else if (operation == O.PEXTRW_STORE) {
    const value = load<u16>(SSE_A + ((number & 7) << 1));
    if (isMemory(op)) storeOperand<u16>(op, value);
    else setRegister<u64>(rmOf(op), value);
  } else if (operation == O.PEXTRD && load<u8>(op, OP_OPERAND) == 3) {
    const value = load<u64>(SSE_A + ((number & 1) << 3));
    if (isMemory(op)) storeOperand<u64>(op, value);
    else setRegister<u64>(rmOf(op), value);
  } else {
    const value = load<u32>(SSE_A + ((number & 3) << 2));
    if (isMemory(op)) storeOperand<u32>(op, value);
    else setRegister<u64>(rmOf(op), value);
  }
}

/** PINSRB, PINSRD, PINSRQ. */
export function insert(op: usize, operation: u32): void {
  const number = immediateOf(op);
  const register = xmm(regOf(op));
  if (operation == O.PINSRB) {
    const value = isMemory(op) ? loadOperand<u8>(op) : <u8>getRm<u32>(op);
    store<u8>(register + (number & 15), value);
  } else if (load<u8>(op, OP_OPERAND) == 3) store<u64>(register + ((number & 1) << 3), getRm<u64>(op));
  else store<u32>(register + ((number & 3) << 2), getRm<u32>(op));
}

/** INSERTPS: an element of the source (from memory the only one), then zeros by mask. */
export function insertSingle(op: usize, cell: u32): void {
  const immediate = immediateOf(op);
  v128.store(SSE_B, source(op, cell));
  const value = load<u32>(SSE_B + (isMemory(op) ? 0 : (immediate >> 6) << 2));
  const register = xmm(regOf(op));
  store<u32>(register + (((immediate >> 4) & 3) << 2), value);
  for (let i: u32 = 0; i < 4; i++) if ((immediate >> i) & 1) store<u32>(register + (i << 2), 0);
}

/** PTEST: ZF where no bit of the source is set in the destination, CF where none is clear there. */
export function testBits(op: usize, cell: u32): void {
  const b = source(op, cell);
  const a = destination(op, cell);
  setArithmetic((v128.any_true(v128.and(b, a)) ? 0 : ZF) | (v128.any_true(v128.andnot(b, a)) ? 0 : CF));
}

function integral32(bits: u32, mode: u32): u32 {
  noDenormal();
  unpackF32(bits);
  if (kind & NAN) nanOfOne();
  else toIntegral(mode);
  return packF32();
}
function integral64(bits: u64, mode: u32): u64 {
  noDenormal();
  unpackF64(bits);
  if (kind & NAN) nanOfOne();
  else toIntegral(mode);
  return packF64();
}
/** ROUNDPS, ROUNDPD, ROUNDSS, ROUNDSD: bit 2 takes the mode of MXCSR, bit 3 keeps PE from being met. */
export function roundToIntegers(op: usize, cell: u32, operation: u32): void {
  operands(op, cell);
  begin();
  const immediate = immediateOf(op);
  const mode = immediate & 4 ? rounding : immediate & 3;
  const double = operation == O.ROUNDPD || operation == O.ROUNDSD;
  const end: usize = operation == O.ROUNDSS ? 4 : operation == O.ROUNDSD ? 8 : 16;
  if (double) for (let i: usize = 0; i < end; i += 8) store<u64>(SSE_RESULT + i, integral64(load<u64>(SSE_B + i), mode));
  else for (let i: usize = 0; i < end; i += 4) store<u32>(SSE_RESULT + i, integral32(load<u32>(SSE_B + i), mode));
  settle(immediate & 8 ? PE : 0);
  writeResult(op);
}

/** DPPS: products that bits 7:4 choose, added in pairs, to the elements that bits 3:0 choose. Each step may end in #XM. */
export function dotSingle(op: usize, cell: u32): void {
  operands(op, cell);
  const immediate = immediateOf(op);
  begin();
  for (let i: u32 = 0; i < 4; i++) {
    const at = i << 2;
    const product = (immediate >> (4 + i)) & 1 ? mulF32(load<u32>(SSE_A + at), load<u32>(SSE_B + at)) : 0;
    store<u32>(SSE_RESULT + at, product);
  }
  settle();
  begin();
  const low = addF32(load<u32>(SSE_RESULT), load<u32>(SSE_RESULT, 4));
  const high = addF32(load<u32>(SSE_RESULT, 8), load<u32>(SSE_RESULT, 12));
  settle();
  begin();
  const sum = addF32(low, high);
  settle();
  for (let i: u32 = 0; i < 4; i++) store<u32>(SSE_RESULT + (i << 2), (immediate >> i) & 1 ? sum : 0);
  writeResult(op);
}
/** DPPD, as DPPS. */
export function dotDouble(op: usize, cell: u32): void {
  operands(op, cell);
  const immediate = immediateOf(op);
  begin();
  const low = immediate & 0x10 ? mulF64(load<u64>(SSE_A), load<u64>(SSE_B)) : 0;
  const high = immediate & 0x20 ? mulF64(load<u64>(SSE_A, 8), load<u64>(SSE_B, 8)) : 0;
  settle();
  begin();
  const sum = addF64(low, high);
  settle();
  store<u64>(SSE_RESULT, immediate & 1 ? sum : 0);
  store<u64>(SSE_RESULT, immediate & 2 ? sum : 0, 8);
  writeResult(op);
}
