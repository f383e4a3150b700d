/** FPATAN: the angle of the point (ST(0), ST(1)), in all four quadrants (SDM vol. 2, FPATAN). */
import { nanOfTwo } from "../float/arithmetic";
import { DE, signal, stopped } from "../float/environment";
import {
  denormal, exchange, exponent, exponentB, FINITE, high, highB, INFINITE, kind, kindB, low, NAN, setNumber, setSign,
  setZero, sign, signB, ZERO,
} from "../float/number";
import { beginPopping, finishPopping } from "./logarithm";
import { addFraction, addNumber, fraction, multiplyBy, nested, neverExact, over, setFraction, shifted, times } from "./precise";
import { ARCTANGENTS, ODD } from "./series";

const PI_HIGH: u64 = 0xc90fdaa22168c234;
const PI_LOW: u64 = 0xc4c6628b80dc1cd1;
/** 3π/4, with the exponent 1. */
const THREE_QUARTERS_HIGH: u64 = 0x96cbe3f9990e91a7;
const THREE_QUARTERS_LOW: u64 = 0x9394c9e8a0a5159d;

/** The accumulator, at most 1/16 or so in magnitude, becomes its arc tangent. */
function series(): void {
  const h = shifted(high, low, -1 - exponent);
  const l = fraction;
  const square = times(h, l, h, l);
  multiplyBy(nested(square, fraction, ODD, 14, true), fraction, 1);
}

/** The positive accumulator, at most 1, becomes its arc tangent. */
function arctangent(): void {
  if (exponent < -5) {
    series();
    return;
  }
  // arctan u = arctan c + arctan((u - c) / (1 + uc)), c = i/16 next to u. All as fractions of 2.
  const uh = shifted(high, low, 0 - exponent);
  const ul = fraction;
  const i = ((uh >> 58) + 1) >> 1;
  const c = i << 59;
  const below: u32 = uh < c ? 1 : 0;
  const nh = below ? c - uh - <u64>(ul != 0) : uh - c;
  const nl = below ? 0 - ul : ul;
  const dh = times(uh, ul, c, 0) + 0x4000000000000000;
  const dl = fraction;
  const half = shifted(nh, nl, 1);
  setFraction(below, 0, over(half, fraction, dh, dl), fraction);
  const at = ARCTANGENTS + (<usize>(i - 1) << 4);
  if (kind == ZERO) setFraction(0, 0, load<u64>(at), load<u64>(at, 8));
  else {
    series();
    addFraction(0, 0, load<u64>(at), load<u64>(at, 8));
  }
}

export function fpatan(op: usize): void {
  if (!beginPopping(op)) return;
  compute();
  finishPopping(op);
}

/** π × 2^e with a sign. */
function piTimes(s: u32, e: i32): void {
  setNumber(FINITE, s, e + 1, PI_HIGH, PI_LOW);
}

/** x in the accumulator, y in B. */
function compute(): void {
  if ((kind | kindB) & NAN) {
    nanOfTwo();
    return;
  }
  if (denormal) signal(DE);
  if (stopped()) return;
  const s = signB;
  const negative = sign != 0;
  if (kindB == INFINITE) {
    if (kind != INFINITE) piTimes(s, -1);
    else if (negative) setNumber(FINITE, s, 1, THREE_QUARTERS_HIGH, THREE_QUARTERS_LOW);
    else piTimes(s, -2);
    return;
  }
  if (kindB == ZERO || kind == INFINITE) {
    if (negative) piTimes(s, 0);
    else setZero(s);
    return;
  }
  if (kind == ZERO) {
    piTimes(s, -1);
    return;
  }
  const steep = exponentB > exponent || (exponentB == exponent && highB > high);
  if (!steep) exchange();
  // The smaller over the larger.
  const e = exponent - exponentB;
  setFraction(0, e + 1, over(high >> 1, high << 63, highB, 0), fraction);
  arctangent();
  if (steep || negative) {
    if (steep != negative) setSign(1);
    addNumber(0, steep ? 0 : 1, PI_HIGH, PI_LOW);
  }
  setSign(s);
  neverExact();
}
