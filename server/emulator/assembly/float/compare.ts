/** Comparison of the accumulator with B. */
import { DE, IE, signal } from "./environment";
import {
  denormal, exponent, exponentB, high, highB, INFINITE, kind, kindB, NAN, QUIET, sign, signB, ZERO,
} from "./number";

export const EQUAL: u32 = 0;
export const LESS: u32 = 1;
export const GREATER: u32 = 2;
export const UNORDERED: u32 = 3;

/** EQUAL, LESS (the accumulator is less than B), GREATER or UNORDERED; a signalling one is invalid with quiet NaNs too. */
export function compareNumbers(signalling: bool): u32 {
  const kinds = kind | kindB;
  if (kinds & NAN) {
    if (signalling || (kinds & NAN & ~QUIET) != 0) signal(IE);
    return UNORDERED;
  }
  if (denormal) signal(DE);
  if (kinds == ZERO) return EQUAL;
  if (kind == ZERO) return signB ? GREATER : LESS;
  if (kindB == ZERO || sign != signB) return sign ? LESS : GREATER;
  return sign ? magnitudes(true) : magnitudes(false);
}

function magnitudes(negative: bool): u32 {
  let less: bool;
  if (kind == INFINITE || kindB == INFINITE) {
    if (kind == kindB) return EQUAL;
    less = kindB == INFINITE;
  } else if (exponent != exponentB) less = exponent < exponentB;
  else {
    if (high == highB) return EQUAL;
    less = high < highB;
  }
  return less != negative ? LESS : GREATER;
}
