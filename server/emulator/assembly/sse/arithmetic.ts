/** Floating-point arithmetic on XMM registers, by mandatory prefix: PS, PD, SS, SD (SDM vol. 1, 10.4.1.2 and 11.4.1.2). */
import { SSE_A, SSE_B, SSE_RESULT } from "../layout";
import {
  LESS, GREATER, addF32, addF64, compareF32, compareF64, divF32, divF64, mulF32, mulF64, sqrtF32, sqrtF64, subF32, subF64,
} from "../float/float";
import { denormalsAreZero } from "../float/environment";
import { regOf } from "../operand";
import { begin, settle } from "./mxcsr";
import { destination, source, xmm } from "./operand";
import * as O from "./operation";
import { PREFIX_SHIFT } from "./table";

const PD: u32 = 1;
const SS: u32 = 2;

@inline export function isDouble(cell: u32): bool {
  return ((cell >> PREFIX_SHIFT) & 1) != 0;
}
/** How many elements of 32 or 64 bits the instruction works on. */
@inline export function elements(cell: u32): u32 {
  const prefix = cell >> PREFIX_SHIFT;
  return prefix >= SS ? 1 : prefix == PD ? 2 : 4;
}

/** MIN and MAX give an operand as it counts: with DAZ a denormal is a zero. */
@inline function daz32(bits: u32): u32 {
  return denormalsAreZero && (bits & 0x7f800000) == 0 ? bits & 0x80000000 : bits;
}
@inline function daz64(bits: u64): u64 {
  return denormalsAreZero && (bits & 0x7ff0000000000000) == 0 ? bits & 0x8000000000000000 : bits;
}

function single(operation: u32, a: u32, b: u32): u32 {
  switch (operation) {
    case O.ADD: return addF32(a, b);
    case O.MUL: return mulF32(a, b);
    case O.SUB: return subF32(a, b);
    case O.DIV: return divF32(a, b);
    // The second operand where both are equal, zeros or one is NaN.
    case O.MIN: return compareF32(a, b, true) == LESS ? daz32(a) : daz32(b);
    case O.MAX: return compareF32(a, b, true) == GREATER ? daz32(a) : daz32(b);
    default: return sqrtF32(b);
  }
}
function double(operation: u32, a: u64, b: u64): u64 {
  switch (operation) {
    case O.ADD: return addF64(a, b);
    case O.MUL: return mulF64(a, b);
    case O.SUB: return subF64(a, b);
    case O.DIV: return divF64(a, b);
    case O.MIN: return compareF64(a, b, true) == LESS ? daz64(a) : daz64(b);
    case O.MAX: return compareF64(a, b, true) == GREATER ? daz64(a) : daz64(b);
    default: return sqrtF64(b);
  }
}

/** Both operands to SSE_A and SSE_B, and to SSE_RESULT what the register keeps. */
export function operands(op: usize, cell: u32): void {
  const b = source(op, cell);
  const a = destination(op, cell);
  v128.store(SSE_A, a);
  v128.store(SSE_B, b);
  v128.store(SSE_RESULT, a);
}
export function writeResult(op: usize): void {
  v128.store(xmm(regOf(op)), v128.load(SSE_RESULT));
}

/** ADD, SUB, MUL, DIV, MIN, MAX, SQRT. */
export function arithmetic(op: usize, cell: u32, operation: u32): void {
  operands(op, cell);
  begin();
  const count = elements(cell);
  if (isDouble(cell)) {
    for (let i: usize = 0; i < count << 3; i += 8)
      store<u64>(SSE_RESULT + i, double(operation, load<u64>(SSE_A + i), load<u64>(SSE_B + i)));
  } else {
    for (let i: usize = 0; i < count << 2; i += 4)
      store<u32>(SSE_RESULT + i, single(operation, load<u32>(SSE_A + i), load<u32>(SSE_B + i)));
  }
  settle();
  writeResult(op);
}

/** ADDSUBPD (66), ADDSUBPS (F2): even elements are subtracted, odd ones added. */
export function addSubtract(op: usize, cell: u32): void {
  operands(op, cell);
  begin();
  if (cell >> PREFIX_SHIFT == PD) {
    store<u64>(SSE_RESULT, subF64(load<u64>(SSE_A), load<u64>(SSE_B)));
    store<u64>(SSE_RESULT, addF64(load<u64>(SSE_A, 8), load<u64>(SSE_B, 8)), 8);
  } else {
    for (let i: usize = 0; i < 16; i += 4)
      store<u32>(SSE_RESULT + i, single(i & 4 ? O.ADD : O.SUB, load<u32>(SSE_A + i), load<u32>(SSE_B + i)));
  }
  settle();
  writeResult(op);
}

/** HADDPD, HSUBPD (66), HADDPS, HSUBPS (F2): neighbours of the destination, then of the source. */
export function horizontal(op: usize, cell: u32, operation: u32): void {
  operands(op, cell);
  begin();
  if (cell >> PREFIX_SHIFT == PD) {
    store<u64>(SSE_RESULT, double(operation, load<u64>(SSE_A), load<u64>(SSE_A, 8)));
    store<u64>(SSE_RESULT, double(operation, load<u64>(SSE_B), load<u64>(SSE_B, 8)), 8);
  } else {
    for (let i: usize = 0; i < 4; i++) {
      const from = (i < 2 ? SSE_A : SSE_B) + ((i & 1) << 3);
      store<u32>(SSE_RESULT + (i << 2), single(operation, load<u32>(from), load<u32>(from, 4)));
    }
  }
  settle();
  writeResult(op);
}
