/**
 * Rounding and packing of the accumulator (SDM vol. 1, 4.8.4 and 4.9.1). Tininess is detected after rounding. Masked
 * overflow and underflow give infinity, the largest number, a denormal or zero; unmasked ones an exponent that is adjusted
 * by 24576, which is what an x87 register gets (SDM vol. 1, 8.5.4); SSE and stores to memory write nothing then.
 */
import {
  DOWN, flushToZero, masks, NEAREST, OE, PE, precisionDrop, rounding, setRoundedUp, signal, stopped, TO_ZERO, UE,
} from "./environment";
import {
  exponent, FINITE, high, INFINITE, kind, low, QUIET, setInfinite, setNumber, setZero, sign,
} from "./number";
import { lower, shiftRightJam } from "./wide";

const INTEGER_BIT: u64 = 0x8000000000000000;
const WRAP: i32 = 24576;

/** The last `goesUp` had bits to drop. */
let inexact: bool = false;

/** Whether (h:l) without its `drop` low bits of h (0 to 63) and without l is to be incremented. */
function goesUp(h: u64, l: u64, drop: u64, s: u32): bool {
  let half: bool;
  let rest: bool;
  if (drop) {
    half = ((h >> (drop - 1)) & 1) != 0;
    rest = ((h & (((<u64>1) << (drop - 1)) - 1)) | l) != 0;
  } else {
    half = l >> 63 != 0;
    rest = l << 1 != 0;
  }
  inexact = half || rest;
  if (rounding == NEAREST) return half && (rest || ((h >> drop) & 1) != 0);
  if (rounding == TO_ZERO) return false;
  return inexact && (s != 0) == (rounding == DOWN);
}

/** Rounds a finite accumulator to 64 - drop bits and exponents of least to greatest; bit 63 clear is a denormal result. */
export function round(drop: u64, least: i32, greatest: i32): void {
  let h = high;
  let e = exponent;
  const up = goesUp(h, low, drop, sign);
  let adjusted = false;
  // A number that rounds up to the smallest normal one is not tiny.
  if (e < least && !(e == least - 1 && up && h >> drop == ~(<u64>0) >> drop)) {
    if (masks & UE) {
      underflow(drop, least);
      return;
    }
    signal(UE);
    adjusted = true;
    e += WRAP;
    if (e < least) {
      // So far down that the adjusted exponent underflows too.
      signal(PE);
      setRoundedUp(false);
      setZero(sign);
      return;
    }
  }
  h = h >> drop << drop;
  if (up) {
    h += (<u64>1) << drop;
    if (!h) {
      h = INTEGER_BIT;
      e++;
    }
  }
  if (e > greatest && !adjusted) {
    if (masks & OE) {
      overflow(drop, greatest);
      return;
    }
    signal(OE);
    e -= WRAP;
    if (e > greatest) {
      signal(PE);
      setRoundedUp(true);
      setInfinite(sign);
      return;
    }
  }
  if (inexact) signal(PE);
  setRoundedUp(up);
  setNumber(FINITE, sign, e, h, 0);
}

function underflow(drop: u64, least: i32): void {
  if (flushToZero) {
    signal(UE | PE);
    setZero(sign);
    return;
  }
  let h = shiftRightJam(high, low, <u64>(least - exponent));
  const up = goesUp(h, lower, drop, sign);
  h = (h >> drop) + <u64>up << drop;
  if (inexact) signal(UE | PE);
  setRoundedUp(up);
  if (h) setNumber(FINITE, sign, least, h, 0);
  else setZero(sign);
}

function overflow(drop: u64, greatest: i32): void {
  signal(OE | PE);
  const up = rounding == NEAREST || (rounding != TO_ZERO && (sign != 0) == (rounding == DOWN));
  setRoundedUp(up);
  if (up) setInfinite(sign);
  else setNumber(FINITE, sign, greatest, ~(<u64>0) >> drop << drop, 0);
}

export function packF32(): u32 {
  if (stopped()) return 0;
  if (kind == FINITE) round(40, -126, 127);
  const s = sign << 31;
  if (kind == FINITE) return s | (<u32>(high >> 40) & 0x7fffff) | (high & INTEGER_BIT ? <u32>(exponent + 127) << 23 : 0);
  if (kind == QUIET) return s | 0x7f800000 | (<u32>(high >> 40) & 0x7fffff);
  return kind == INFINITE ? s | 0x7f800000 : s;
}
export function packF64(): u64 {
  if (stopped()) return 0;
  if (kind == FINITE) round(11, -1022, 1023);
  const s = <u64>sign << 63;
  if (kind == FINITE)
    return s | ((high >> 11) & 0xfffffffffffff) | (high & INTEGER_BIT ? <u64>(exponent + 1023) << 52 : 0);
  if (kind == QUIET) return s | 0x7ff0000000000000 | ((high >> 11) & 0xfffffffffffff);
  return kind == INFINITE ? s | 0x7ff0000000000000 : s;
}
/** Rounds to an x87 register, in its precision; `headF80` and `high` are its parts then. */
export function roundF80(): void {
  if (kind == FINITE && !stopped()) round(precisionDrop, -16382, 16383);
}
/** Sign and exponent field of the rounded accumulator; `high` is the significand. */
export function headF80(): u32 {
  const s = sign << 15;
  if (kind == FINITE) return high & INTEGER_BIT ? s | <u32>(exponent + 16383) : s;
  return kind ? s | 0x7fff : s;
}
