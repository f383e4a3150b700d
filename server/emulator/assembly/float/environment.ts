/** Control and result of the floating-point engine: what MXCSR and the x87 control word set, and the flags that come back. */

export const IE: u32 = 1;
export const DE: u32 = 2;
export const ZE: u32 = 4;
export const OE: u32 = 8;
export const UE: u32 = 16;
export const PE: u32 = 32;
/** Found before anything is computed: unmasked, they keep the others from being found (SDM vol. 1, 4.9.1 and 11.5.2). */
export const PRE_COMPUTATION: u32 = IE | DE | ZE;

export const NEAREST: u32 = 0;
export const DOWN: u32 = 1;
export const UP: u32 = 2;
export const TO_ZERO: u32 = 3;

/** NEAREST, DOWN, UP or TO_ZERO. */
export let rounding: u32 = 0;
/** Masked exceptions, a bit each. */
export let masks: u32 = 63;
export let flushToZero: bool = false;
export let denormalsAreZero: bool = false;
/** Two NaNs: the x87 takes the larger significand, SSE the first operand (SDM vol. 1, Table 4-7). */
export let x87Rules: bool = false;
/** Bits that a significand loses in an x87 register: 0, 11 or 40 by the precision control. */
export let precisionDrop: u64 = 0;
/** Results may come from the host's arithmetic: nearest, inexact masked and known, so that no flag can be missed. */
export let quick: bool = false;

/** Exceptions met since `begin…`. */
export let raised: u32 = 0;
/** The last rounding made the significand larger in magnitude (x87: C1). */
export let roundedUp: bool = false;

/** Sets all of it from MXCSR (SDM vol. 1, 10.2.3), `raised` is 0 then. */
export function beginSse(mxcsr: u32): void {
  rounding = (mxcsr >> 13) & 3;
  masks = (mxcsr >> 7) & 63;
  // FTZ counts only while underflow is masked (SDM vol. 1, 10.2.3.3).
  flushToZero = (mxcsr & 0x8000) != 0 && (masks & UE) != 0;
  denormalsAreZero = (mxcsr & 0x40) != 0;
  x87Rules = false;
  quick = rounding == NEAREST && (masks & PE) != 0 && (mxcsr & PE) != 0;
  raised = 0;
}

/** Sets all of it from an x87 control word (SDM vol. 1, 8.1.5), `raised` is 0 then. */
export function beginX87(control: u32): void {
  rounding = (control >> 10) & 3;
  masks = control & 63;
  flushToZero = false;
  denormalsAreZero = false;
  x87Rules = true;
  quick = false;
  const precision = (control >> 8) & 3;
  // 01 is reserved and works as 64 bits.
  precisionDrop = precision == 0 ? 40 : precision == 2 ? 11 : 0;
  raised = 0;
  roundedUp = false;
}

/** What precision control doesn't apply to is rounded to 64 bits: a drop of 0. */
export function setPrecisionDrop(drop: u64): void {
  precisionDrop = drop;
}
export function setRoundedUp(up: bool): void {
  roundedUp = up;
}
@inline export function signal(exceptions: u32): void {
  raised |= exceptions;
}
/** Takes PE back: what was rounded is not written. */
export function dropInexact(): void {
  raised &= ~PE;
}
/** An unmasked pre-computation exception is met: there is no result. */
@inline export function stopped(): bool {
  return (raised & ~masks & PRE_COMPUTATION) != 0;
}
/** The flags to set in MXCSR or the status word. */
export function reported(): u32 {
  return stopped() ? raised & PRE_COMPUTATION : raised;
}
/** The exceptions that are not masked among them. */
export function unmasked(): u32 {
  return reported() & ~masks;
}
