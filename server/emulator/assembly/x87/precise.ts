/**
 * What the transcendental functions are computed with: fractions of 128 bits (high:low), and the accumulator as a number
 * whose significand has 128 bits. Errors stay below 2^-115, so the rounding to 64 bits is almost always that of the true
 * value.
 */
import { exponent, FINITE, high, low, setNumber, setZero, sign } from "../float/number";
import { lower, multiply, shiftRightJam } from "../float/wide";

/** Low half of the last result here. */
export let fraction: u64 = 0;

/** Product of two fractions, its top 128 bits: the high half is returned. */
export function times(ah: u64, al: u64, bh: u64, bl: u64): u64 {
  const m1 = multiply(ah, bl);
  const m0 = lower;
  const n1 = multiply(al, bh);
  const n0 = lower;
  const l1 = multiply(al, bl);
  // The carry out of bits 64 to 127 of the 256-bit product.
  let s = l1 + m0;
  let carry: u64 = <u64>(s < m0);
  s += n0;
  carry += <u64>(s < n0);
  let h = multiply(ah, bh);
  let l = lower + m1;
  if (l < m1) h++;
  l += n1;
  if (l < n1) h++;
  l += carry;
  if (l < carry) h++;
  fraction = l;
  return h;
}

/** Quotient of two fractions, n < d, to 128 bits. */
export function over(nh: u64, nl: u64, dh: u64, dl: u64): u64 {
  let qh: u64 = 0;
  let ql: u64 = 0;
  for (let i = 0; i < 128; i++) {
    const carry = nh >> 63 != 0;
    nh = (nh << 1) | (nl >> 63);
    nl <<= 1;
    qh = (qh << 1) | (ql >> 63);
    ql <<= 1;
    if (carry || nh > dh || (nh == dh && nl >= dl)) {
      nh = nh - dh - <u64>(nl < dl);
      nl -= dl;
      ql |= 1;
    }
  }
  fraction = ql;
  return qh;
}

/** 1 ± t × c1 × (1 ± t × c2 × (…)), c in a table of fractions, as a fraction of 2: the series of the functions here. */
export function nested(th: u64, tl: u64, coefficients: usize, count: i32, alternating: bool): u64 {
  let h: u64 = 0x8000000000000000;
  let l: u64 = 0;
  for (let i = count - 1; i >= 0; i--) {
    h = times(h, l, th, tl);
    h = times(h, fraction, load<u64>(coefficients + (<usize>i << 4)), load<u64>(coefficients + (<usize>i << 4), 8));
    l = fraction;
    if (alternating) {
      // One unit too little, so that the sum never reaches 1 by rounding.
      h = 0x7fffffffffffffff - h;
      l = ~l;
    } else h += 0x8000000000000000;
  }
  fraction = l;
  return h;
}

/** The fraction (h:l) × 2^e becomes the accumulator: 0 ≤ fraction < 1. */
export function setFraction(s: u32, e: i32, h: u64, l: u64): void {
  if (!(h | l)) {
    setZero(s);
    return;
  }
  if (!h) {
    const shift = clz(l);
    setNumber(FINITE, s, e - 65 - <i32>shift, l << shift, 0);
    return;
  }
  const shift = clz(h);
  setNumber(FINITE, s, e - 1 - <i32>shift, shift ? (h << shift) | (l >> (64 - shift)) : h, l << shift);
}

/** Accumulator × (h:l) × 2^e, a fraction; the sign stays. */
export function multiplyBy(h: u64, l: u64, e: i32): void {
  const product = times(high, low, h, l);
  setFraction(sign, exponent + 1 + e, product, fraction);
}

/** (h:l) × 2^-count for a fraction; what falls out is lost. */
export function shifted(h: u64, l: u64, count: i32): u64 {
  if (count >= 128) {
    fraction = 0;
    return 0;
  }
  const top = shiftRightJam(h, l, <u64>count);
  fraction = lower;
  return top;
}

/** Accumulator + number of another sign, exponent and significand, both finite. */
export function addNumber(s: u32, e: i32, h: u64, l: u64): void {
  let ah = high;
  let al = low;
  let ae = exponent;
  let at = sign;
  if (ae < e || (ae == e && (ah < h || (ah == h && al < l)))) {
    ah = h;
    al = l;
    ae = e;
    at = s;
    h = high;
    l = low;
    e = exponent;
    s = sign;
  }
  const bh = shifted(h, l, ae - e);
  const bl = fraction;
  if (at == s) {
    const rl = al + bl;
    const c: u64 = <u64>(rl < al);
    const rh = ah + bh + c;
    if (rh < ah || (rh == ah && c != 0 && bh != 0)) setNumber(FINITE, at, ae + 1, 0x8000000000000000 | (rh >> 1), (rh << 63) | (rl >> 1));
    else setNumber(FINITE, at, ae, rh, rl);
  } else setFraction(at, ae + 1, ah - bh - <u64>(al < bl), al - bl);
}

/** Accumulator + (h:l) × 2^e, a fraction that is not zero. */
export function addFraction(s: u32, e: i32, h: u64, l: u64): void {
  const shift = clz(h);
  addNumber(s, e - 1 - <i32>shift, shift ? (h << shift) | (l >> (64 - shift)) : h, l << shift);
}

/** Marks the accumulator as inexact: its functions never are exact where they are computed by a series. */
export function neverExact(): void {
  setNumber(FINITE, sign, exponent, high, low | 1);
}
