/**
 * Floating-point arithmetic on raw bits, for SSE. One instruction is
 *
 *   beginSse(mxcsr);                       // control from MXCSR; `raised` is 0
 *   … operations on each element …         // flags gather in `raised`
 *   if (unmasked()) …                      // MXCSR |= reported(), then #XM (#UD without CR4.OSXMMEXCPT); nothing is written
 *   MXCSR |= reported(); write the results
 *
 * `reported()` leaves out what hardware doesn't look for any more once an unmasked IE, DE or ZE is met, in all elements of a
 * packed operand. With an unmasked exception the results are undefined numbers that must not be written.
 *
 * Two NaNs: the first operand, made quiet, is the result (SDM vol. 1, Table 4-7), so the order of the arguments counts:
 * destination first. DAZ, FTZ, DE and tininess are handled here. MIN and MAX are comparisons: `compareF32(a, b, true)` and
 * the second operand where UNORDERED or EQUAL.
 */
import { add, divideNumbers, multiplyNumbers, nanOfOne, squareRoot, subtract } from "./arithmetic";
import { compareNumbers } from "./compare";
import { toInteger } from "./convert";
import { DE, quick, rounding, signal, TO_ZERO } from "./environment";
import { denormal, kind, NAN, noDenormal, setSigned, toB, unpackF32, unpackF64 } from "./number";
import { packF32, packF64 } from "./round";

export { EQUAL, GREATER, LESS, UNORDERED } from "./compare";
export { beginSse, raised, reported, unmasked } from "./environment";

// The host's arithmetic serves while it cannot miss a flag: to nearest, PE known and masked, operands and result normal (or
// an operand zero), and the result not the smallest normal number, which may come from a tiny one.
@inline function ordinary32(bits: u32): bool {
  return ((bits >> 23) & 0xff) - 1 < 0xfe || bits << 1 == 0;
}
@inline function safe32(bits: u32): bool {
  return ((bits >> 23) & 0xff) - 2 < 0xfd;
}
@inline function ordinary64(bits: u64): bool {
  return ((bits >> 52) & 0x7ff) - 1 < 0x7fe || bits << 1 == 0;
}
@inline function safe64(bits: u64): bool {
  return ((bits >> 52) & 0x7ff) - 2 < 0x7fd;
}

function operands32(a: u32, b: u32): void {
  noDenormal();
  unpackF32(b);
  toB();
  unpackF32(a);
}
function operands64(a: u64, b: u64): void {
  noDenormal();
  unpackF64(b);
  toB();
  unpackF64(a);
}

export function addF32(a: u32, b: u32): u32 {
  if (quick && ordinary32(a) && ordinary32(b)) {
    const r = reinterpret<u32>(reinterpret<f32>(a) + reinterpret<f32>(b));
    if (safe32(r)) return r;
  }
  operands32(a, b);
  add();
  return packF32();
}
export function subF32(a: u32, b: u32): u32 {
  if (quick && ordinary32(a) && ordinary32(b)) {
    const r = reinterpret<u32>(reinterpret<f32>(a) - reinterpret<f32>(b));
    if (safe32(r)) return r;
  }
  operands32(a, b);
  subtract();
  return packF32();
}
export function mulF32(a: u32, b: u32): u32 {
  if (quick && ordinary32(a) && ordinary32(b)) {
    const r = reinterpret<u32>(reinterpret<f32>(a) * reinterpret<f32>(b));
    if (safe32(r)) return r;
  }
  operands32(a, b);
  multiplyNumbers();
  return packF32();
}
export function divF32(a: u32, b: u32): u32 {
  if (quick && ordinary32(a) && ordinary32(b)) {
    const r = reinterpret<u32>(reinterpret<f32>(a) / reinterpret<f32>(b));
    if (safe32(r)) return r;
  }
  operands32(a, b);
  divideNumbers();
  return packF32();
}
export function sqrtF32(a: u32): u32 {
  if (quick && ordinary32(a)) {
    const r = reinterpret<u32>(sqrt<f32>(reinterpret<f32>(a)));
    if (safe32(r)) return r;
  }
  noDenormal();
  unpackF32(a);
  squareRoot();
  return packF32();
}

export function addF64(a: u64, b: u64): u64 {
  if (quick && ordinary64(a) && ordinary64(b)) {
    const r = reinterpret<u64>(reinterpret<f64>(a) + reinterpret<f64>(b));
    if (safe64(r)) return r;
  }
  operands64(a, b);
  add();
  return packF64();
}
export function subF64(a: u64, b: u64): u64 {
  if (quick && ordinary64(a) && ordinary64(b)) {
    const r = reinterpret<u64>(reinterpret<f64>(a) - reinterpret<f64>(b));
    if (safe64(r)) return r;
  }
  operands64(a, b);
  subtract();
  return packF64();
}
export function mulF64(a: u64, b: u64): u64 {
  if (quick && ordinary64(a) && ordinary64(b)) {
    const r = reinterpret<u64>(reinterpret<f64>(a) * reinterpret<f64>(b));
    if (safe64(r)) return r;
  }
  operands64(a, b);
  multiplyNumbers();
  return packF64();
}
export function divF64(a: u64, b: u64): u64 {
  if (quick && ordinary64(a) && ordinary64(b)) {
    const r = reinterpret<u64>(reinterpret<f64>(a) / reinterpret<f64>(b));
    if (safe64(r)) return r;
  }
  operands64(a, b);
  divideNumbers();
  return packF64();
}
export function sqrtF64(a: u64): u64 {
  if (quick && ordinary64(a)) {
    const r = reinterpret<u64>(sqrt<f64>(reinterpret<f64>(a)));
    if (safe64(r)) return r;
  }
  noDenormal();
  unpackF64(a);
  squareRoot();
  return packF64();
}

/** EQUAL, LESS (a < b), GREATER or UNORDERED. `signalling`: quiet NaNs raise IE too (COMISS, CMPLTSS); else only SNaNs do. */
export function compareF32(a: u32, b: u32, signalling: bool): u32 {
  operands32(a, b);
  return compareNumbers(signalling);
}
export function compareF64(a: u64, b: u64, signalling: bool): u32 {
  operands64(a, b);
  return compareNumbers(signalling);
}

/** Between the formats: signalling NaNs become quiet with IE, denormals raise DE. */
function convertNumber(): void {
  if (kind & NAN) nanOfOne();
  else if (denormal) signal(DE);
}
export function f32ToF64(a: u32): u64 {
  noDenormal();
  unpackF32(a);
  convertNumber();
  return packF64();
}
export function f64ToF32(a: u64): u32 {
  noDenormal();
  unpackF64(a);
  convertNumber();
  return packF32();
}

/** Rounded by MXCSR, or with `truncate` toward zero; 80000000 (with 64 bits 80000000_00000000) and IE where there is none. */
export function f32ToI32(a: u32, truncate: bool): i32 {
  unpackF32(a);
  return <i32>toInteger(32, truncate ? TO_ZERO : rounding);
}
export function f32ToI64(a: u32, truncate: bool): i64 {
  unpackF32(a);
  return toInteger(64, truncate ? TO_ZERO : rounding);
}
export function f64ToI32(a: u64, truncate: bool): i32 {
  unpackF64(a);
  return <i32>toInteger(32, truncate ? TO_ZERO : rounding);
}
export function f64ToI64(a: u64, truncate: bool): i64 {
  unpackF64(a);
  return toInteger(64, truncate ? TO_ZERO : rounding);
}
export function i32ToF32(a: i32): u32 {
  setSigned(a);
  return packF32();
}
export function i64ToF32(a: i64): u32 {
  setSigned(a);
  return packF32();
}
export function i32ToF64(a: i32): u64 {
  setSigned(a);
  return packF64();
}
export function i64ToF64(a: i64): u64 {
  setSigned(a);
  return packF64();
}
