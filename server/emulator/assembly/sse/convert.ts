/** Conversions between integers and floating point, and between the formats (SDM vol. 2, CVT…; vol. 1, 11.4.1.6). */
import { SSE_B, SSE_RESULT } from "../layout";
import {
  f32ToF64, f32ToI32, f32ToI64, f64ToF32, f64ToI32, f64ToI64, i32ToF32, i32ToF64, i64ToF32, i64ToF64,
} from "../float/float";
import { OP_OPERAND } from "../op";
import { getRm, regOf, setRegister } from "../operand";
import { isDouble, operands, writeResult } from "./arithmetic";
import { enterMmx } from "./available";
import { begin, settle } from "./mxcsr";
import { setMm, xmm } from "./operand";
import * as O from "./operation";

@inline function isWide(op: usize): bool {
  return load<u8>(op, OP_OPERAND) == 3;
}

/** CVTSI2SS, CVTSI2SD: an integer of a general register or memory; the rest of the register stays. */
export function fromGeneral(op: usize, cell: u32): void {
  const value: i64 = isWide(op) ? getRm<u64>(op) : <i64><i32>getRm<u32>(op);
  begin();
  if (isDouble(cell)) {
    const result = i64ToF64(value);
    settle();
    store<u64>(xmm(regOf(op)), result);
  } else {
    const result = i64ToF32(value);
    settle();
    store<u32>(xmm(regOf(op)), result);
  }
}

/** CVTSS2SI, CVTSD2SI and the truncating ones, to a general register of 32 or 64 bits. */
export function toGeneral(op: usize, cell: u32, truncate: bool): void {
  operands(op, cell);
  begin();
  if (isWide(op)) {
    const result = isDouble(cell) ? f64ToI64(load<u64>(SSE_B), truncate) : f32ToI64(load<u32>(SSE_B), truncate);
    settle();
    setRegister<u64>(regOf(op), result);
  } else {
    const result = isDouble(cell) ? f64ToI32(load<u64>(SSE_B), truncate) : f32ToI32(load<u32>(SSE_B), truncate);
    settle();
    setRegister<u32>(regOf(op), result);
  }
}

/** CVTPS2PI, CVTPD2PI and the truncating ones: two integers to an MMX register. */
export function toMmx(op: usize, cell: u32, truncate: bool): void {
  operands(op, cell);
  // Even if the conversion ends in #XM.
  enterMmx();
  begin();
  const low = <u32>(isDouble(cell) ? f64ToI32(load<u64>(SSE_B), truncate) : f32ToI32(load<u32>(SSE_B), truncate));
  const high = <u32>(isDouble(cell) ? f64ToI32(load<u64>(SSE_B, 8), truncate) : f32ToI32(load<u32>(SSE_B, 4), truncate));
  settle();
  setMm(regOf(op), (<u64>high << 32) | low);
}

/** CVTPI2PS and CVTPI2PD: two integers of an MMX register or memory. */
export function fromMmx(op: usize, integers: u64, double: bool): void {
  const low = <i32>integers;
  const high = <i32>(integers >> 32);
  const register = xmm(regOf(op));
  begin();
  if (double) {
    v128.store(register, i64x2(i32ToF64(low), i32ToF64(high)));
    return;
  }
  const first: u64 = i32ToF32(low);
  const second: u64 = i32ToF32(high);
  settle();
  store<u64>(register, (second << 32) | first);
}

/** Conversions between XMM registers; where the result is shorter than the register, zeros are above it. */
export function convert(op: usize, cell: u32, operation: u32): void {
  operands(op, cell);
  // The scalar ones keep the rest of the register.
  if (operation != O.CVTSS2SD && operation != O.CVTSD2SS) v128.store(SSE_RESULT, i64x2.splat(0));
  begin();
  switch (operation) {
    case O.CVTSS2SD: store<u64>(SSE_RESULT, f32ToF64(load<u32>(SSE_B))); break;
    case O.CVTSD2SS: store<u32>(SSE_RESULT, f64ToF32(load<u64>(SSE_B))); break;
    case O.CVTPS2PD: case O.CVTDQ2PD:
      for (let i: usize = 0; i < 2; i++) {
        const from = SSE_B + (i << 2);
        const value = operation == O.CVTPS2PD ? f32ToF64(load<u32>(from)) : i32ToF64(load<i32>(from));
        store<u64>(SSE_RESULT + (i << 3), value);
      }
      break;
    case O.CVTPD2PS:
      for (let i: usize = 0; i < 2; i++) store<u32>(SSE_RESULT + (i << 2), f64ToF32(load<u64>(SSE_B + (i << 3))));
      break;
    case O.CVTPD2DQ: case O.CVTTPD2DQ:
      for (let i: usize = 0; i < 2; i++)
        store<i32>(SSE_RESULT + (i << 2), f64ToI32(load<u64>(SSE_B + (i << 3)), operation == O.CVTTPD2DQ));
      break;
    case O.CVTDQ2PS:
      for (let i: usize = 0; i < 16; i += 4) store<u32>(SSE_RESULT + i, i32ToF32(load<i32>(SSE_B + i)));
      break;
    default:
      // CVTPS2DQ, CVTTPS2DQ
      for (let i: usize = 0; i < 16; i += 4)
        store<i32>(SSE_RESULT + i, f32ToI32(load<u32>(SSE_B + i), operation == O.CVTTPS2DQ));
  }
  settle();
  writeResult(op);
}
