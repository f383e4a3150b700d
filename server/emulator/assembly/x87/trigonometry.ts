/**
 * FSIN, FCOS, FSINCOS and FPTAN. The angle is reduced by π rounded to 66 bits, as Intel documents it (SDM vol. 1, 8.3.8) and
 * AMD's CPUs do it: near multiples of π the results are those of this π.
 */
import { invalid, nanOfOne } from "../float/arithmetic";
import { DE, setPrecisionDrop, signal, stopped } from "../float/environment";
import {
  denormal, exponent, FINITE, high, INFINITE, kind, low, NAN, noDenormal, setNumber, setSign, sign, ZERO,
} from "../float/number";
import { headF80, roundF80 } from "../float/round";
import { beginUnary, finishUnary } from "./arithmetic";
import { fraction, multiplyBy, nested, neverExact, over, setFraction, shifted, times } from "./precise";
import { getST, isEmpty, setRaw, setST, setSTIndefinite, setTop, top } from "./registers";
import { COSINE, SINE } from "./series";
import { begin, C2, note, setCodes, settle, stackFault } from "./status";

/** π/2 × 2^65, 66 bits. */
const HALF_PI_HIGH: u64 = 3;
const HALF_PI_LOW: u64 = 0x243f6a8885a308d3;

/** Which quarter of the circle the angle was in, and whether the rest was taken from the other end of it. */
let quadrant: u32 = 0;
let mirrored: bool = false;
/** The rest, at most π/4: significand and exponent, and its square as a fraction. */
let restHigh: u64 = 0;
let restLow: u64 = 0;
let restExponent: i32 = 0;
let squareHigh: u64 = 0;
let squareLow: u64 = 0;

/** Reduces the magnitude of the finite accumulator, which is below 2^63. */
function reduce(): void {
  quadrant = 0;
  mirrored = false;
  if (exponent >= -1) {
    let rh: u64 = 0;
    let rl: u64 = 0;
    const zeros = exponent + 2;
    for (let i = 63 + zeros; i >= 0; i--) {
      rh = (rh << 1) | (rl >> 63);
      rl = (rl << 1) | (i >= zeros ? (high >> <u64>(i - zeros)) & 1 : 0);
      quadrant <<= 1;
      if (rh > HALF_PI_HIGH || (rh == HALF_PI_HIGH && rl >= HALF_PI_LOW)) {
        rh = rh - HALF_PI_HIGH - <u64>(rl < HALF_PI_LOW);
        rl -= HALF_PI_LOW;
        quadrant |= 1;
      }
    }
    const ch = HALF_PI_HIGH - rh - <u64>(HALF_PI_LOW < rl);
    const cl = HALF_PI_LOW - rl;
    if (rh > ch || (rh == ch && rl > cl)) {
      mirrored = true;
      rh = ch;
      rl = cl;
    }
    setFraction(0, 1, (rh << 62) | (rl >> 2), rl << 62);
  }
  quadrant &= 3;
  restHigh = high;
  restLow = low;
  restExponent = exponent;
  const h = shifted(high, low, -1 - exponent);
  const l = fraction;
  squareHigh = times(h, l, h, l);
  squareLow = fraction;
}

function sineOfRest(): void {
  setNumber(FINITE, 0, restExponent, restHigh, restLow);
  multiplyBy(nested(squareHigh, squareLow, SINE, 16, true), fraction, 1);
}
function cosineOfRest(): void {
  setFraction(0, 1, nested(squareHigh, squareLow, COSINE, 16, true), fraction);
}
/** Sine and cosine of the reduced angle whose sign was `s`. */
function sine(s: u32): void {
  if (((quadrant & 1) != 0) != mirrored) cosineOfRest();
  else sineOfRest();
  setSign(s ^ (quadrant >> 1));
  neverExact();
}
function cosine(): void {
  if (((quadrant & 1) != 0) != mirrored) sineOfRest();
  else cosineOfRest();
  setSign(((quadrant + 1) >> 1) & 1);
  neverExact();
}
function tangent(s: u32): void {
  if (restExponent < -50 && ((quadrant & 1) != 0) == mirrored) {
    // The rest itself, and a little more.
    setNumber(FINITE, s ^ (quadrant & 1), restExponent, restHigh, restLow);
    neverExact();
    return;
  }
  cosine();
  const dh = high;
  const dl = low;
  const e = exponent;
  const cs = sign;
  sine(s);
  const n = shifted(high, low, 1);
  setFraction(sign ^ cs, exponent - e + 1, over(n, fraction, dh, dl), fraction);
  neverExact();
}

/** From 2^63 on nothing is done but to set C2. */
function tooLarge(op: usize): bool {
  if (kind != FINITE || exponent < 63) return false;
  settle(op);
  setCodes(0, C2);
  return true;
}
/** What is not a finite number: NaN, infinity, zero. False where the function has to be computed. */
function special(): bool {
  if (kind & NAN) {
    nanOfOne();
    return true;
  }
  if (kind == INFINITE) {
    invalid();
    return true;
  }
  if (denormal) signal(DE);
  return kind == ZERO || stopped();
}
function one(): void {
  setNumber(FINITE, 0, 0, 0x8000000000000000, 0);
}

function beginOne(op: usize): bool {
  if (beginUnary(op)) return !tooLarge(op);
  setCodes(C2, 0);
  return false;
}

export function fsin(op: usize): void {
  if (!beginOne(op)) return;
  setPrecisionDrop(0);
  if (!special()) {
    const s = sign;
    reduce();
    sine(s);
  }
  roundF80();
  finishUnary(op);
  setCodes(C2, 0);
}
export function fcos(op: usize): void {
  if (!beginOne(op)) return;
  setPrecisionDrop(0);
  if (!special()) {
    reduce();
    cosine();
  } else if (kind == ZERO) one();
  roundF80();
  finishUnary(op);
  setCodes(C2, 0);
}

/** Two results need a free register; false where the instruction is done. */
function beginTwo(op: usize): bool {
  begin();
  note(op);
  if (isEmpty(0) || !isEmpty(7)) {
    if (stackFault(op, !isEmpty(0))) {
      setSTIndefinite(0);
      setTop(top() - 1);
      setSTIndefinite(0);
    }
    setCodes(C2, 0);
    return false;
  }
  noDenormal();
  getST(0);
  return !tooLarge(op);
}
/** Rounds the first result; it is kept for `finishTwo`. */
let firstHead: u32 = 0;
let firstSignificand: u64 = 0;
function keepFirst(): void {
  roundF80();
  firstHead = headF80();
  firstSignificand = high;
}
/** The first result replaces ST(0), the second, in the accumulator, is pushed. */
function finishTwo(op: usize): void {
  if (settle(op)) {
    setRaw(0, firstHead, firstSignificand);
    setTop(top() - 1);
    setST(0);
  }
  setCodes(C2, 0);
}

export function fsincos(op: usize): void {
  if (!beginTwo(op)) return;
  setPrecisionDrop(0);
  if (special()) {
    keepFirst();
    if (kind == ZERO) one();
  } else {
    const s = sign;
    reduce();
    sine(s);
    keepFirst();
    cosine();
    roundF80();
  }
  finishTwo(op);
}
export function fptan(op: usize): void {
  if (!beginTwo(op)) return;
  setPrecisionDrop(0);
  if (special()) keepFirst();
  else {
    const s = sign;
    reduce();
    tangent(s);
    keepFirst();
  }
  if (!(kind & NAN)) one();
  finishTwo(op);
}
