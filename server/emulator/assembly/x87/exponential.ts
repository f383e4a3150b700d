/** F2XM1: 2^x - 1 for -1 ≤ x ≤ 1. */
import { nanOfOne } from "../float/arithmetic";
import { DE, PE, setPrecisionDrop, signal, stopped } from "../float/environment";
import {
  denormal, exponent, FINITE, high, INFINITE, kind, low, NAN, setNumber, sign, ZERO,
} from "../float/number";
import { roundF80 } from "../float/round";
import { beginUnary, finishUnary } from "./arithmetic";
import { fraction, multiplyBy, nested, neverExact, shifted } from "./precise";
import { EXPONENTIAL } from "./series";

const LN2_HIGH: u64 = 0xb17217f7d1cf79ab;
const LN2_LOW: u64 = 0xc9e3b39803f2f6af;

export function f2xm1(op: usize): void {
  if (!beginUnary(op)) return;
  compute();
  setPrecisionDrop(0);
  roundF80();
  finishUnary(op);
}

function compute(): void {
  if (kind & NAN) {
    nanOfOne();
    return;
  }
  if (denormal) signal(DE);
  if (kind == ZERO || stopped()) return;
  if (kind == INFINITE) {
    if (sign) setNumber(FINITE, 1, 0, 0x8000000000000000, 0);
    return;
  }
  // Outside of ±1 the result is undefined: it stays as it is.
  if (exponent >= 0) {
    if (high != 0x8000000000000000 || exponent != 0) signal(PE);
    else if (sign) setNumber(FINITE, 1, -1, high, 0);
    return;
  }
  multiplyBy(LN2_HIGH, LN2_LOW, 0);
  // (exp y - 1) / y for y = x ln 2.
  const yh = shifted(high, low, -1 - exponent);
  const series = nested(yh, fraction, EXPONENTIAL, 28, sign != 0);
  multiplyBy(series, fraction, 1);
  neverExact();
}
