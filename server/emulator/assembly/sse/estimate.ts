/**
 * RCPPS, RSQRTPS and their scalar forms. The manuals bound the relative error by 1.5 × 2^-12 and leave the bits to the
 * model (SDM vol. 2, RCPPS). Here: the exact value to the nearest of 12 significant bits. MXCSR doesn't matter, no
 * exception is met; denormals count as zero, and a tiny result is zero.
 */
import { SSE_B, SSE_RESULT } from "../layout";
import { elements, operands, writeResult } from "./arithmetic";
import * as O from "./operation";

const DEFAULT_NAN: u32 = 0xffc00000;
const INFINITY_BITS: u32 = 0x7f800000;

/** To 12 significant bits, then to single precision, which is exact. */
function shortened(value: f64): u32 {
  const bits = reinterpret<u64>(value);
  const rounded = (bits + ((<u64>1) << 40)) >> 41 << 41;
  const exponent = <u32>(rounded >> 52) & 0x7ff;
  if (exponent < 1023 - 126) return <u32>(bits >> 63) << 31;
  return reinterpret<u32>(<f32>reinterpret<f64>(rounded));
}

function estimate(operation: u32, bits: u32): u32 {
  const sign = bits & 0x80000000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > INFINITY_BITS) return bits | 0x400000;
  if (magnitude < 0x800000) return sign | INFINITY_BITS;
  if (operation == O.RSQRT && sign) return DEFAULT_NAN;
  if (magnitude == INFINITY_BITS) return sign;
  const x = <f64>reinterpret<f32>(bits);
  return shortened(1.0 / (operation == O.RSQRT ? sqrt<f64>(x) : x));
}

export function estimates(op: usize, cell: u32, operation: u32): void {
  operands(op, cell);
  const end = <usize>elements(cell) << 2;
  for (let i: usize = 0; i < end; i += 4) store<u32>(SSE_RESULT + i, estimate(operation, load<u32>(SSE_B + i)));
  writeResult(op);
}
