/**
 * Unpacked numbers. A finite one is (high:low) × 2^(exponent - 127) with bit 63 of `high` set, so 1 ≤ significand < 2 with
 * `exponent`; `low` holds what an operation found beyond 64 bits, its last bit sticky. Operations work on the accumulator
 * (kind, sign, exponent, high, low) and the operand B, and leave their result in the accumulator.
 */
import { denormalsAreZero } from "./environment";

/** Kinds: bits, so that a pair is tested at once. */
export const ZERO: u32 = 0;
export const FINITE: u32 = 1;
export const INFINITE: u32 = 2;
export const QUIET: u32 = 4;
export const SIGNALLING: u32 = 8;
/** Unnormals, pseudo-infinities and pseudo-NaNs of the 80-bit format (SDM vol. 1, 8.2.2). */
export const UNSUPPORTED: u32 = 16;
export const NAN: u32 = QUIET | SIGNALLING | UNSUPPORTED;

const INTEGER_BIT: u64 = 0x8000000000000000;
const QUIET_BIT: u64 = 0x4000000000000000;

export let kind: u32 = 0;
export let sign: u32 = 0;
export let exponent: i32 = 0;
export let high: u64 = 0;
export let low: u64 = 0;
export let kindB: u32 = 0;
export let signB: u32 = 0;
export let exponentB: i32 = 0;
export let highB: u64 = 0;
/** One of the operands unpacked since `noDenormal` is denormal. */
export let denormal: bool = false;

@inline export function setNumber(k: u32, s: u32, e: i32, h: u64, l: u64): void {
  kind = k;
  sign = s;
  exponent = e;
  high = h;
  low = l;
}
@inline export function setSign(s: u32): void {
  sign = s;
}
@inline export function setB(k: u32, s: u32, e: i32, h: u64): void {
  kindB = k;
  signB = s;
  exponentB = e;
  highB = h;
}
@inline export function setSignB(s: u32): void {
  signB = s;
}
@inline export function toB(): void {
  setB(kind, sign, exponent, high);
}
export function fromB(): void {
  setNumber(kindB, signB, exponentB, highB, 0);
}
export function exchange(): void {
  const k = kind;
  const s = sign;
  const e = exponent;
  const h = high;
  fromB();
  setB(k, s, e, h);
}
@inline export function noDenormal(): void {
  denormal = false;
}
export function setZero(s: u32): void {
  setNumber(ZERO, s, 0, 0, 0);
}
export function setInfinite(s: u32): void {
  setNumber(INFINITE, s, 0, INTEGER_BIT, 0);
}
/** The default NaN: negative, quiet, no payload. */
export function setIndefinite(): void {
  setNumber(QUIET, 1, 0, INTEGER_BIT | QUIET_BIT, 0);
}
/** Makes the NaN in the accumulator quiet. */
export function quieten(): void {
  setNumber(QUIET, sign, 0, high | QUIET_BIT, 0);
}
/** `value` × 2^0. */
export function setInteger(negative: u32, magnitude: u64): void {
  if (!magnitude) {
    setZero(0);
    return;
  }
  const shift = clz(magnitude);
  setNumber(FINITE, negative, 63 - <i32>shift, magnitude << shift, 0);
}
export function setSigned(value: i64): void {
  setInteger(<u32>(value < 0), value < 0 ? <u64>-value : <u64>value);
}

/** A fraction whose bit 63 weighs 2^e; normalized here. */
function setDenormal(s: u32, e: i32, fraction: u64): void {
  if (denormalsAreZero) {
    setZero(s);
    return;
  }
  denormal = true;
  const shift = clz(fraction);
  setNumber(FINITE, s, e - <i32>shift, fraction << shift, 0);
}
function setSpecial(s: u32, significand: u64): void {
  if (significand == INTEGER_BIT) setInfinite(s);
  else setNumber(significand & QUIET_BIT ? QUIET : SIGNALLING, s, 0, significand, 0);
}

export function unpackF32(bits: u32): void {
  const s = bits >> 31;
  const e = (bits >> 23) & 0xff;
  const fraction = <u64>(bits & 0x7fffff) << 40;
  if (e == 0xff) setSpecial(s, fraction | INTEGER_BIT);
  else if (e) setNumber(FINITE, s, <i32>e - 127, fraction | INTEGER_BIT, 0);
  else if (fraction) setDenormal(s, -126, fraction);
  else setZero(s);
}
export function unpackF64(bits: u64): void {
  const s = <u32>(bits >> 63);
  const e = <u32>(bits >> 52) & 0x7ff;
  const fraction = (bits & 0xfffffffffffff) << 11;
  if (e == 0x7ff) setSpecial(s, fraction | INTEGER_BIT);
  else if (e) setNumber(FINITE, s, <i32>e - 1023, fraction | INTEGER_BIT, 0);
  else if (fraction) setDenormal(s, -1022, fraction);
  else setZero(s);
}
/** Sign and exponent, and the significand with its explicit integer bit. */
export function unpackF80(head: u32, significand: u64): void {
  const s = (head >> 15) & 1;
  const e = head & 0x7fff;
  if (e == 0) {
    // Pseudo-denormals (integer bit set) have the exponent of denormals and count as such.
    if (significand) setDenormal(s, -16382, significand);
    else setZero(s);
  } else if (!(significand & INTEGER_BIT)) setNumber(UNSUPPORTED, s, 0, significand, 0);
  else if (e == 0x7fff) setSpecial(s, significand);
  else setNumber(FINITE, s, <i32>e - 16383, significand, 0);
}
