/** FCOM, FUCOM, FTST, FCOMI and their like, FXAM, FCMOVcc (SDM vol. 1, 8.3.6). */
import { CPUID_1_EDX, FEATURES, FSW, HAS_AMD } from "../layout";
import { undefined_ } from "../fault";
import { compareNumbers, EQUAL, GREATER, LESS } from "../float/compare";
import { condition, setArithmetic } from "../flags";
import { noDenormal, setZero, toB } from "../float/number";
import { addressOf, getST, isEmpty, pop, setRaw, setSTIndefinite } from "./registers";
import { begin, C0, C1, C2, C3, note, setCodes, settle, stackFault } from "./status";

const CODES = C0 | C2 | C3;

function codesOf(relation: u32): u32 {
  if (relation == EQUAL) return C3;
  if (relation == LESS) return C0;
  return relation == GREATER ? 0 : CODES;
}

/** The accumulator and B, both unpacked. An unmasked exception keeps the registers from being popped, nothing else. */
function finish(op: usize, signalling: bool, pops: u32): void {
  const relation = compareNumbers(signalling);
  const completed = settle(op);
  setCodes(CODES, codesOf(relation));
  if (!completed) return;
  for (let i: u32 = 0; i < pops; i++) pop();
}
function underflow(op: usize, pops: u32): void {
  const completed = stackFault(op, false);
  setCodes(0, CODES);
  if (!completed) return;
  for (let i: u32 = 0; i < pops; i++) pop();
}

/** ST(0) with a source that is in B. */
export function compareWithB(op: usize, pops: u32): void {
  note(op);
  if (isEmpty(0)) {
    underflow(op, pops);
    return;
  }
  getST(0);
  finish(op, true, pops);
}
export function compareRegisters(op: usize, i: u32, signalling: bool, pops: u32): void {
  begin();
  note(op);
  if (isEmpty(0) || isEmpty(i)) {
    underflow(op, pops);
    return;
  }
  noDenormal();
  getST(i);
  toB();
  getST(0);
  finish(op, signalling, pops);
}
export function ftst(op: usize): void {
  begin();
  note(op);
  if (isEmpty(0)) {
    underflow(op, 0);
    return;
  }
  noDenormal();
  setZero(0);
  toB();
  getST(0);
  finish(op, true, 0);
}

/**
 * ZF, PF and CF take the places of C3, C2 and C0; OF, SF and AF are cleared. Intel clears C1 (SDM vol. 2, FCOMI), AMD's CPUs
 * leave it, and all do with FCMOVcc. These instructions come with CMOV.
 */
export function compareToFlags(op: usize, i: u32, signalling: bool, pops: u32): void {
  if (!(load<u32>(CPUID_1_EDX) & 0x8000)) undefined_();
  begin();
  note(op);
  let codes: u32 = CODES;
  let completed: bool;
  if (isEmpty(0) || isEmpty(i)) completed = stackFault(op, false);
  else {
    noDenormal();
    getST(i);
    toB();
    getST(0);
    codes = codesOf(compareNumbers(signalling));
    const before = load<u16>(FSW) & C1;
    completed = settle(op);
    if (load<u32>(FEATURES) & HAS_AMD) setCodes(C1, before);
  }
  setArithmetic(codes >> 8);
  if (!completed) return;
  for (let n: u32 = 0; n < pops; n++) pop();
}

export function fcmov(op: usize, code: u32, i: u32): void {
  if (!(load<u32>(CPUID_1_EDX) & 0x8000)) undefined_();
  begin();
  note(op);
  if (isEmpty(0) || isEmpty(i)) {
    if (stackFault(op, false)) setSTIndefinite(0);
    return;
  }
  if (!condition(code)) return;
  const from = addressOf(i);
  setRaw(0, load<u16>(from, 8), load<u64>(from));
}

/** The class in C3, C2 and C0, the sign in C1 (also of an empty register). */
export function fxam(op: usize): void {
  note(op);
  const at = addressOf(0);
  const head = load<u16>(at, 8);
  const significand = load<u64>(at);
  const exponent = head & 0x7fff;
  let codes: u32;
  if (isEmpty(0)) codes = C3 | C0;
  else if (exponent == 0) codes = significand ? C3 | C2 : C3;
  else if (!(significand >> 63)) codes = 0;
  else if (exponent < 0x7fff) codes = C2;
  else codes = significand << 1 ? C0 : C2 | C0;
  setCodes(CODES | C1, codes | (head & 0x8000 ? C1 : 0));
}
