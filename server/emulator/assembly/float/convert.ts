/** The accumulator to integers (SDM vol. 1, 4.8.4.2, 8.3.6 and 11.5.2.1): out of range and NaN are the integer indefinite with IE. */
import { DOWN, IE, NEAREST, PE, rounding, setRoundedUp, signal, TO_ZERO } from "./environment";
import {
  exponent, FINITE, high, kind, setNumber, setZero, sign, ZERO,
} from "./number";
import { lower, shiftRightJam } from "./wide";

/** The integer part that rounding gives, and whether something was lost. */
let magnitude: u64 = 0;
let lost: bool = false;

/** Rounds a finite accumulator below 2^64 to `magnitude` in `mode`; false where it reaches 2^64. */
function toMagnitude(mode: u32): bool {
  if (exponent > 63) return false;
  const whole = shiftRightJam(high, 0, <u64>(63 - exponent));
  const rest = lower;
  lost = rest != 0;
  let up = false;
  if (mode == NEAREST) up = rest >> 63 != 0 && (rest << 1 != 0 || (whole & 1) != 0);
  else if (mode != TO_ZERO) up = lost && (sign != 0) == (mode == DOWN);
  magnitude = whole + <u64>up;
  setRoundedUp(up);
  return !(up && magnitude == 0);
}

/** A signed integer of `bits` bits (16, 32 or 64), in `mode`. */
export function toInteger(bits: u64, mode: u32): i64 {
  const indefinite = (<u64>1) << (bits - 1);
  setRoundedUp(false);
  if (kind == ZERO) return 0;
  if (kind == FINITE && toMagnitude(mode) && magnitude < indefinite + <u64>sign) {
    if (lost) signal(PE);
    return sign ? -<i64>magnitude : <i64>magnitude;
  }
  setRoundedUp(false);
  signal(IE);
  // Sign-extended, as a negative number of that size.
  return -<i64>indefinite;
}

/** An unsigned integer below 2^64 in the mode of the environment, for BCD; ~0 with IE where there is none. */
export function toUnsigned(): u64 {
  setRoundedUp(false);
  if (kind == ZERO) return 0;
  if (kind == FINITE && toMagnitude(rounding)) {
    if (lost) signal(PE);
    return magnitude;
  }
  setRoundedUp(false);
  signal(IE);
  return ~(<u64>0);
}

/** Rounds the accumulator to an integral value of the same format: FRNDINT. */
export function toIntegral(mode: u32): void {
  if (kind != FINITE || exponent >= 63) return;
  toMagnitude(mode);
  if (lost) signal(PE);
  if (!magnitude) setZero(sign);
  else {
    const shift = clz(magnitude);
    setNumber(FINITE, sign, 63 - <i32>shift, magnitude << shift, 0);
  }
}
