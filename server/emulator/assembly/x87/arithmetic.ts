/** FADD, FMUL, FSUB(R), FDIV(R) in all forms, FSQRT, FSCALE, FRNDINT, FXTRACT, FABS, FCHS (SDM vol. 1, 8.3.5). */
import { add, divideNumbers, invalid, multiplyNumbers, nanOfOne, nanOfTwo, squareRoot, subtract } from "../float/arithmetic";
import { toIntegral } from "../float/convert";
import { DE, rounding, setPrecisionDrop, signal, ZE } from "../float/environment";
import {
  denormal, exchange, exponent, exponentB, fromB, high, highB, INFINITE, kind, kindB, NAN, noDenormal, setInfinite,
  setInteger, setNumber, setZero, sign, signB, toB, ZERO,
} from "../float/number";
import { roundF80 } from "../float/round";
import {
  addressOf, getST, isEmpty, markEmpty, pop, setRaw, setST, setSTIndefinite, setTop, top,
} from "./registers";
import { begin, C1, note, settle, setCodes, stackFault } from "./status";

const ADD: u32 = 0;
const MULTIPLY: u32 = 1;
const SUBTRACT: u32 = 4;
const REVERSE_SUBTRACT: u32 = 5;
const DIVIDE: u32 = 6;

/** The accumulator (destination) and B (source) by the number in ModRM.reg. */
function compute(which: u32): void {
  switch (which) {
    case ADD: add(); break;
    case MULTIPLY: multiplyNumbers(); break;
    case SUBTRACT: subtract(); break;
    case REVERSE_SUBTRACT: exchange(); subtract(); break;
    case DIVIDE: divideNumbers(); break;
    // 7, the reverse of it.
    default: exchange(); divideNumbers(); break;
  }
  roundF80();
}

/** ST(0) op a source that was unpacked into B after `begin` and `noDenormal`. */
export function arithmeticWithB(op: usize, which: u32): void {
  note(op);
  if (isEmpty(0)) {
    if (stackFault(op, false)) setSTIndefinite(0);
    return;
  }
  getST(0);
  compute(which);
  if (settle(op)) setST(0);
}

/** ST(destination) op ST(source), with a pop behind it. */
export function arithmeticRegisters(op: usize, which: u32, destination: u32, source: u32, popping: bool): void {
  begin();
  note(op);
  let written: bool;
  if (isEmpty(0) || isEmpty(destination | source)) {
    written = stackFault(op, false);
    if (written) setSTIndefinite(destination);
  } else {
    noDenormal();
    getST(source);
    toB();
    getST(destination);
    compute(which);
    written = settle(op);
    if (written) setST(destination);
  }
  if (written && popping) pop();
}

/** FABS and FCHS change the sign bit of anything. */
export function changeSign(op: usize, mask: u32, flip: u32): void {
  begin();
  note(op);
  if (isEmpty(0)) {
    if (stackFault(op, false)) setSTIndefinite(0);
    return;
  }
  setCodes(C1, 0);
  const at = addressOf(0);
  store<u16>(at, <u16>((load<u16>(at, 8) & mask) ^ flip), 8);
}

/** Begins an instruction on ST(0) alone: false where it is done, the stack being empty. */
export function beginUnary(op: usize): bool {
  begin();
  note(op);
  if (isEmpty(0)) {
    if (stackFault(op, false)) setSTIndefinite(0);
    return false;
  }
  noDenormal();
  getST(0);
  return true;
}
export function finishUnary(op: usize): void {
  if (settle(op)) setST(0);
}

export function fsqrt(op: usize): void {
  if (!beginUnary(op)) return;
  squareRoot();
  roundF80();
  finishUnary(op);
}

export function frndint(op: usize): void {
  if (!beginUnary(op)) return;
  if (kind & NAN) nanOfOne();
  else {
    if (denormal) signal(DE);
    toIntegral(rounding);
  }
  finishUnary(op);
}

/** ST(0) × 2 to the power of ST(1) toward zero. */
export function fscale(op: usize): void {
  if (!beginBinary(op)) return;
  scale();
  finishUnary(op);
}
function scale(): void {
  if ((kind | kindB) & NAN) {
    nanOfTwo();
    return;
  }
  if (kindB == INFINITE) {
    if (signB ? kind == INFINITE : kind == ZERO) invalid();
    else {
      if (denormal) signal(DE);
      if (signB) setZero(sign);
      else setInfinite(sign);
    }
    return;
  }
  if (denormal) signal(DE);
  if (kind == INFINITE || kind == ZERO) return;
  let by: i32 = 0;
  // Beyond 2^16 everything overflows or underflows, also with an adjusted exponent.
  if (kindB != ZERO && exponentB >= 0) by = exponentB > 16 ? 0x20000 : <i32>(highB >> (63 - <u64>exponentB));
  setNumber(kind, sign, exponent + (signB ? -by : by), high, 0);
  // The significand is exact already: precision control doesn't apply.
  setPrecisionDrop(0);
  roundF80();
}

/** ST(0) and ST(1) to the accumulator and B: false where it is done, one of them being empty. */
export function beginBinary(op: usize): bool {
  begin();
  note(op);
  if (isEmpty(0) || isEmpty(1)) {
    if (stackFault(op, false)) setSTIndefinite(0);
    return false;
  }
  noDenormal();
  getST(1);
  toB();
  getST(0);
  return true;
}

/** The exponent replaces ST(0), the significand is pushed. */
export function fxtract(op: usize): void {
  begin();
  note(op);
  if (isEmpty(0) || !isEmpty(7)) {
    if (stackFault(op, !isEmpty(0))) {
      setSTIndefinite(0);
      setTop(top() - 1);
      setSTIndefinite(0);
    }
    return;
  }
  noDenormal();
  getST(0);
  if (kind & NAN) nanOfOne();
  else if (kind == ZERO) signal(ZE);
  else if (denormal) signal(DE);
  if (!settle(op)) return;
  toB();
  if (kind == ZERO) setInfinite(1);
  else if (kind == INFINITE) setInfinite(0);
  else if (!(kind & NAN)) setInteger(<u32>(exponent < 0), <u64>(exponent < 0 ? -exponent : exponent));
  setST(0);
  setTop(top() - 1);
  fromB();
  if (!(kind & (NAN | INFINITE)) && kind != ZERO) setNumber(kind, sign, 0, high, 0);
  setST(0);
}

/** ST(i) exchanges with ST(0); an empty one becomes the indefinite first. */
export function fxch(op: usize, i: u32): void {
  begin();
  note(op);
  if (isEmpty(0) || isEmpty(i)) {
    const low = isEmpty(0);
    const other = isEmpty(i);
    if (!stackFault(op, false)) return;
    if (low) setSTIndefinite(0);
    if (other) setSTIndefinite(i);
  } else setCodes(C1, 0);
  const a = addressOf(0);
  const b = addressOf(i);
  const significand = load<u64>(a);
  const head = load<u16>(a, 8);
  setRaw(0, load<u16>(b, 8), load<u64>(b));
  setRaw(i, head, significand);
}

export function ffree(op: usize, i: u32, popping: bool): void {
  note(op);
  setCodes(C1, 0);
  markEmpty(i);
  if (popping) pop();
}
export function moveTop(op: usize, by: u32): void {
  note(op);
  setCodes(C1, 0);
  setTop(top() + by);
}
