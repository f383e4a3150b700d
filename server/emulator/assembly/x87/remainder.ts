/** FPREM and FPREM1: exact remainders, in steps where the exponents are 64 apart or more (SDM vol. 2, FPREM). */
import { invalid, nanOfTwo } from "../float/arithmetic";
import { DE, setPrecisionDrop, signal } from "../float/environment";
import {
  denormal, exponent, exponentB, FINITE, high, highB, INFINITE, kind, kindB, NAN, setNumber, setZero, sign, ZERO,
} from "../float/number";
import { roundF80 } from "../float/round";
import { beginBinary } from "./arithmetic";
import { C0, C1, C2, C3, setCodes, settle } from "./status";
import { setST } from "./registers";

/** Low bits of the quotient, and the remainder before normalization: rest < divisor, both × 2^scale. */
let quotient: u64 = 0;
let rest: u64 = 0;

/** `steps` bits of (high / highB) by long division; the dividend may be above the divisor at first. */
function reduce(steps: i32): void {
  let r = high;
  let q: u64 = 0;
  if (r >= highB) {
    r -= highB;
    q = 1;
  }
  for (let i = 0; i < steps; i++) {
    const carry = r >> 63 != 0;
    r <<= 1;
    q <<= 1;
    if (carry || r >= highB) {
      r -= highB;
      q |= 1;
    }
  }
  quotient = q;
  rest = r;
}

function setRest(s: u32, e: i32): void {
  if (!rest) setZero(s);
  else {
    const shift = clz(rest);
    setNumber(FINITE, s, e - <i32>shift, rest << shift, 0);
  }
}

/** A quotient was found: C0, C3 and C1 tell its low bits, which they don't for NaN, infinity and what is invalid. */
let divided: bool = false;

/** True where it is complete (C2 = 0); `quotient` holds the low bits then. */
function remainder(nearest: bool): bool {
  quotient = 0;
  divided = false;
  if ((kind | kindB) & NAN) {
    nanOfTwo();
    return true;
  }
  if (kind == INFINITE || kindB == ZERO) {
    invalid();
    return true;
  }
  if (denormal) signal(DE);
  divided = true;
  if (kind == ZERO || kindB == INFINITE) return true;
  const apart = exponent - exponentB;
  const s = sign;
  if (apart >= 64) {
    // 32 to 63 bits of the quotient at a time; the rest is scaled back.
    const steps = (apart & 31) | 32;
    reduce(steps);
    setRest(s, exponent - steps);
    return false;
  }
  if (apart < -1 || (apart < 0 && !nearest)) return true;
  if (apart < 0) {
    // The dividend is between a quarter of the divisor and the divisor: the quotient is 0 or 1.
    if (high <= highB) return true;
    quotient = 1;
    // |dividend - divisor|, in units of the dividend's last bit: 2 × divisor - dividend.
    rest = (highB << 1) - high;
    setRest(s ^ 1, exponent);
    return true;
  }
  reduce(apart);
  let other: u32 = 0;
  if (nearest) {
    const twice = rest << 1;
    const above = rest >> 63 != 0 || twice > highB;
    if (above || (twice == highB && (quotient & 1) != 0)) {
      rest = highB - rest;
      quotient++;
      other = 1;
    }
  }
  setRest(s ^ (rest ? other : 0), exponentB);
  return true;
}

export function fprem(op: usize, nearest: bool): void {
  if (!beginBinary(op)) {
    setCodes(C2, 0);
    return;
  }
  const complete = remainder(nearest);
  setPrecisionDrop(0);
  roundF80();
  if (!settle(op)) divided = false;
  else setST(0);
  if (!divided) {
    setCodes(C1 | C2, 0);
    return;
  }
  const q = <u32>quotient;
  const codes = complete ? (q & 4 ? C0 : 0) | (q & 2 ? C3 : 0) | (q & 1 ? C1 : 0) : C2;
  setCodes(C0 | C1 | C2 | C3, codes);
}
