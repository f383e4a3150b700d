/** Addition, multiplication, division and square root: accumulator op B to the accumulator, not rounded yet. */
import { DE, DOWN, IE, rounding, signal, x87Rules, ZE } from "./environment";
import {
  denormal, exchange, exponent, exponentB, FINITE, fromB, high, highB, INFINITE, kind, kindB, NAN, quieten,
  setIndefinite, setInfinite, setNumber, setSignB, setZero, sign, signB, SIGNALLING, UNSUPPORTED, ZERO,
} from "./number";
import { divide, lower, multiply, remainder, shiftRightJam } from "./wide";

const INTEGER_BIT: u64 = 0x8000000000000000;

/** Masked response: the default NaN. */
export function invalid(): void {
  signal(IE);
  setIndefinite();
}

/** One operand or both are NaN: what the result is (SDM vol. 1, Table 4-7). */
export function nanOfTwo(): void {
  const kinds = kind | kindB;
  if (kinds & UNSUPPORTED) {
    invalid();
    return;
  }
  if (kinds & SIGNALLING) signal(IE);
  if (!(kind & NAN)) fromB();
  else if (x87Rules && (kindB & NAN) != 0) {
    if (kind != kindB) {
      if (kind == SIGNALLING) fromB();
    } else if (highB > high || (highB == high && signB < sign)) fromB();
  }
  quieten();
}
/** The operand is NaN. */
export function nanOfOne(): void {
  if (kind == UNSUPPORTED) {
    invalid();
    return;
  }
  if (kind == SIGNALLING) signal(IE);
  quieten();
}

@inline function noteDenormal(): void {
  if (denormal) signal(DE);
}

export function subtract(): void {
  if (!(kindB & NAN)) setSignB(signB ^ 1);
  add();
}

export function add(): void {
  const kinds = kind | kindB;
  if (kinds & NAN) {
    nanOfTwo();
    return;
  }
  if (kinds & INFINITE) {
    if ((kind & kindB) == INFINITE && sign != signB) invalid();
    else {
      noteDenormal();
      if (kind != INFINITE) fromB();
    }
    return;
  }
  noteDenormal();
  if (!kind || !kindB) {
    if (kind) return;
    if (kindB) fromB();
    else if (sign != signB) setZero(<u32>(rounding == DOWN));
    return;
  }
  if (exponent < exponentB || (exponent == exponentB && high < highB)) exchange();
  const h = shiftRightJam(highB, 0, <u64>(exponent - exponentB));
  const l = lower;
  if (sign == signB) {
    const sum = high + h;
    if (sum < h) setNumber(FINITE, sign, exponent + 1, INTEGER_BIT | (sum >> 1), (sum << 63) | (l >> 1) | (l & 1));
    else setNumber(FINITE, sign, exponent, sum, l);
    return;
  }
  const difference = high - h - <u64>(l != 0);
  const rest = 0 - l;
  if (difference) {
    const shift = clz(difference);
    const top = shift ? (difference << shift) | (rest >> (64 - shift)) : difference;
    setNumber(FINITE, sign, exponent - <i32>shift, top, rest << shift);
  } else if (rest) {
    const shift = clz(rest);
    setNumber(FINITE, sign, exponent - 64 - <i32>shift, rest << shift, 0);
  } else setZero(<u32>(rounding == DOWN));
}

export function multiplyNumbers(): void {
  const kinds = kind | kindB;
  if (kinds & NAN) {
    nanOfTwo();
    return;
  }
  const s = sign ^ signB;
  if (kinds & INFINITE) {
    if (kind == ZERO || kindB == ZERO) invalid();
    else {
      noteDenormal();
      setInfinite(s);
    }
    return;
  }
  noteDenormal();
  if (!kind || !kindB) {
    setZero(s);
    return;
  }
  const h = multiply(high, highB);
  const l = lower;
  const e = exponent + exponentB;
  if (h & INTEGER_BIT) setNumber(FINITE, s, e + 1, h, l);
  else setNumber(FINITE, s, e, (h << 1) | (l >> 63), l << 1);
}

export function divideNumbers(): void {
  const kinds = kind | kindB;
  if (kinds & NAN) {
    nanOfTwo();
    return;
  }
  const s = sign ^ signB;
  if (kinds & INFINITE) {
    if ((kind & kindB) == INFINITE) invalid();
    else {
      noteDenormal();
      if (kind == INFINITE) setInfinite(s);
      else setZero(s);
    }
    return;
  }
  if (kindB == ZERO) {
    if (kind == ZERO) invalid();
    else {
      signal(ZE);
      setInfinite(s);
    }
    return;
  }
  noteDenormal();
  if (!kind) {
    setZero(s);
    return;
  }
  let e = exponent - exponentB;
  let q: u64;
  if (high < highB) {
    q = divide(high, 0, highB);
    e--;
  } else q = divide(high >> 1, high << 63, highB);
  let l: u64 = 0;
  if (remainder) {
    const twice = remainder << 1;
    const half = remainder >> 63 != 0 || twice >= highB;
    const rest = half ? twice - highB : twice;
    l = (<u64>half << 63) | <u64>(rest != 0);
  }
  setNumber(FINITE, s, e, q, l);
}

export function squareRoot(): void {
  if (kind & NAN) {
    nanOfOne();
    return;
  }
  if (kind == ZERO) return;
  if (sign) {
    invalid();
    return;
  }
  noteDenormal();
  if (kind == INFINITE) return;
  // n is the radicand as an integer of 127 or 128 bits, so that its root has 64.
  const odd = (exponent & 1) != 0;
  const n1 = odd ? high : high >> 1;
  const n0 = odd ? 0 : high << 63;
  // The host's root has 53 bits; one step of Newton's method gives the rest to within one.
  const first = sqrt<f64>(<f64>n1 * 18446744073709551616.0);
  let s = first >= 18446744073709551615.0 ? ~(<u64>0) : <u64>first;
  let p1 = multiply(s, s);
  let below = n1 > p1 || (n1 == p1 && n0 >= lower);
  const d0 = below ? n0 - lower : lower - n0;
  const d1 = below ? n1 - p1 - <u64>(n0 < lower) : p1 - n1 - <u64>(lower < n0);
  const step = <u64>((<f64>d1 * 18446744073709551616.0 + <f64>d0) / (2.0 * <f64>s));
  if (!below) s -= step;
  else s = s + step < s ? ~(<u64>0) : s + step;
  if (s < INTEGER_BIT) s = INTEGER_BIT;
  while (true) {
    p1 = multiply(s, s);
    if (p1 < n1 || (p1 == n1 && lower <= n0)) break;
    s--;
  }
  // What is left of n is at most 2s, which takes 65 bits.
  let r0 = n0 - lower;
  let r1 = n1 - p1 - <u64>(n0 < lower);
  while (r1 > 1 || (r1 == 1 && r0 > s << 1)) {
    s++;
    p1 = multiply(s, s);
    r0 = n0 - lower;
    r1 = n1 - p1 - <u64>(n0 < lower);
  }
  const l: u64 = (r0 | r1) == 0 ? 0 : r1 != 0 || r0 > s ? 0xc000000000000000 : 1;
  setNumber(FINITE, 0, exponent >> 1, s, l);
}
