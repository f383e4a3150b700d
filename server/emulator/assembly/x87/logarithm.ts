/** FYL2X and FYL2XP1: y × log2 x by the series of artanh. */
import { invalid, multiplyNumbers, nanOfTwo } from "../float/arithmetic";
import { DE, PE, setPrecisionDrop, signal, stopped, UE, ZE } from "../float/environment";
import {
  denormal, exponent, exponentB, high, highB, INFINITE, kind, kindB, low, NAN, noDenormal, setInfinite, setSign, setSigned,
  setZero, sign, signB, toB, ZERO,
} from "../float/number";
import { roundF80 } from "../float/round";
import { getST, isEmpty, pop, setST, setSTIndefinite } from "./registers";
import { begin, note, settle, stackFault } from "./status";
import { addFraction, addNumber, fraction, multiplyBy, nested, neverExact, over, setFraction, shifted, times } from "./precise";
import { ODD } from "./series";

const ROOT_2: u64 = 0xb504f333f9de6484;
/** 2 / ln 2 = 4 × this. */
const TWO_OVER_LN2_HIGH: u64 = 0xb8aa3b295c17f0bb;
const TWO_OVER_LN2_LOW: u64 = 0xbe87fed0691d3e89;

/** ST(0) to the accumulator, ST(1) to B; the result goes to ST(1), which becomes ST(0). */
export function beginPopping(op: usize): bool {
  begin();
  note(op);
  if (isEmpty(0) || isEmpty(1)) {
    if (stackFault(op, false)) {
      setSTIndefinite(1);
      pop();
    }
    return false;
  }
  noDenormal();
  getST(1);
  toB();
  getST(0);
  return true;
}
export function finishPopping(op: usize): void {
  setPrecisionDrop(0);
  roundF80();
  if (!settle(op)) return;
  setST(1);
  pop();
}

/** z in the accumulator becomes 2 artanh z / ln 2. */
function artanh(): void {
  const zh = shifted(high, low, -1 - exponent);
  const zl = fraction;
  const square = times(zh, zl, zh, zl);
  const series = nested(square, fraction, ODD, 24, false);
  multiplyBy(series, fraction, 1);
  multiplyBy(TWO_OVER_LN2_HIGH, TWO_OVER_LN2_LOW, 2);
}

/** (nh:nl) × 2^e / (4 d), d a fraction of 4. */
function ratio(s: u32, e: i32, nh: u64, nl: u64, dh: u64, dl: u64): void {
  setFraction(s, e, nh, nl);
  const h = shifted(high, low, 2);
  const at = exponent + 1;
  setFraction(s, at, over(h, fraction, dh, dl), fraction);
}

/** The binary logarithm of the positive finite accumulator, all 128 bits of it, times B. */
function logarithm(): void {
  let k = exponent;
  // m in [√½, √2): log2 m = 2 artanh((m - 1) / (m + 1)) / ln 2.
  const below = high >= ROOT_2;
  const nh = below ? 0 - high - <u64>(low != 0) : high - 0x8000000000000000;
  const nl = below ? 0 - low : low;
  if (below) k++;
  if (nh | nl) {
    const dh = shifted(high, low, below ? 2 : 1) + 0x4000000000000000;
    ratio(<u32>below, below ? 0 : 1, nh, nl, dh, fraction);
    artanh();
    if (k) addFraction(<u32>(k < 0), 64, <u64>(k < 0 ? -k : k), 0);
  } else setSigned(k);
  timesB();
}
function timesB(): void {
  const s = sign ^ signB;
  multiplyBy(highB, 0, exponentB + 1);
  setSign(s);
  neverExact();
}

/** ST(0) is a power of two, not 1: the result may be exact, but PE is set, and UE where it is denormal. */
let powerOfTwo: bool = false;

export function fyl2x(op: usize): void {
  if (!beginPopping(op)) return;
  powerOfTwo = false;
  computeLogarithm();
  if (powerOfTwo && !stopped()) {
    setPrecisionDrop(0);
    roundF80();
    signal(kind != INFINITE && high >> 63 == 0 ? UE | PE : PE);
  }
  finishPopping(op);
}
function computeLogarithm(): void {
  if ((kind | kindB) & NAN) {
    nanOfTwo();
    return;
  }
  if (kind == ZERO) {
    if (kindB == ZERO) invalid();
    else {
      if (kindB != INFINITE) signal(ZE);
      else if (denormal) signal(DE);
      setInfinite(signB ^ 1);
    }
    return;
  }
  if (sign) {
    invalid();
    return;
  }
  if (kind == INFINITE) {
    if (kindB == ZERO) invalid();
    else {
      if (denormal) signal(DE);
      setInfinite(signB);
    }
    return;
  }
  const power = high == 0x8000000000000000;
  if (kindB == INFINITE) {
    if (power && exponent == 0) invalid();
    else {
      if (denormal) signal(DE);
      setInfinite(signB ^ <u32>(exponent < 0));
    }
    return;
  }
  if (denormal) signal(DE);
  if (kindB == ZERO) setZero(signB ^ <u32>(exponent < 0));
  else if (power) {
    setSigned(exponent);
    powerOfTwo = kind != ZERO;
    multiplyNumbers();
  } else if (!stopped()) logarithm();
}

/** y × log2(x + 1), exact to the last bit near 0 too. */
export function fyl2xp1(op: usize): void {
  if (!beginPopping(op)) return;
  computeOnePlus();
  finishPopping(op);
}
function computeOnePlus(): void {
  if ((kind | kindB) & NAN) {
    nanOfTwo();
    return;
  }
  if (kind == ZERO || kindB == ZERO) {
    if ((kind | kindB) == INFINITE) invalid();
    else {
      if (denormal) signal(DE);
      setZero(sign ^ signB);
    }
    return;
  }
  if (kind == INFINITE || kindB == INFINITE) {
    if (kind == INFINITE && sign != 0) invalid();
    else {
      if (denormal) signal(DE);
      setInfinite(sign ^ signB);
    }
    return;
  }
  if (denormal) signal(DE);
  if (stopped()) return;
  if (exponent >= -1) {
    // Beyond the range that the instruction is defined for.
    if (sign != 0 && exponent >= 0) {
      signal(PE);
      return;
    }
    addNumber(0, 0, 0x8000000000000000, 0);
    logarithm();
    return;
  }
  const part = shifted(high, 0, 1 - exponent);
  const rest = fraction;
  // 2 + x as a fraction of 4.
  const dh: u64 = sign ? 0x8000000000000000 - part - <u64>(rest != 0) : 0x8000000000000000 + part;
  ratio(sign, exponent + 1, high, 0, dh, sign ? 0 - rest : rest);
  artanh();
  timesB();
}
