/**
 * One x87 instruction: a switch over the 64 memory forms and one over the 64 groups of register forms, by the low three bits
 * of the opcode and ModRM.reg (SDM vol. 2, tables ). The immediate of the op record is the opcode as FOP has it.
 */
import { CPUID_1_ECX } from "../layout";
import { undefined_ } from "../fault";
import { immediate } from "../operand";
import {
  arithmeticRegisters, arithmeticWithB, changeSign, ffree, frndint, fscale, fsqrt, fxch, fxtract, moveTop,
} from "./arithmetic";
import { fpatan } from "./arctangent";
import { compareRegisters, compareToFlags, compareWithB, fcmov, ftst, fxam } from "./compare";
import { loadConstant } from "./constant";
import {
  fldcw, fldenv, fnclex, fninit, fnsave, fnstcw, fnstenv, fnstsw, fnstswAx, frstor,
} from "./control";
import { f2xm1 } from "./exponential";
import { fyl2x, fyl2xp1 } from "./logarithm";
import { fprem } from "./remainder";
import { available, note, pending, reportPending, waitAvailable } from "./status";
import {
  fbld, fbstp, fild, fist, fld, fldM80, fldST, fst, fstpM80, fstpUnchecked, fstST, M32, M64, readSource,
} from "./transfer";
import { fcos, fptan, fsin, fsincos } from "./trigonometry";

/** Memory forms that don't look for pending exceptions: FNSTENV, FNSTCW, FNSAVE, FNSTSW. */
@inline function isNonWaiting(number: u32): bool {
  return number == 0x0e || number == 0x0f || number == 0x2e || number == 0x2f;
}

/** Memory forms that are no instruction: D9 /1, DB /4 and /6, DD /5. #UD comes before a pending exception. */
@inline function isUndefinedMemory(number: u32): bool {
  return number == 0x09 || number == 0x1c || number == 0x1e || number == 0x2d;
}

export function x87Memory(op: usize): void {
  available();
  const code = immediate<u32>(op);
  const number = ((code >> 5) & 0x38) | ((code >> 3) & 7);
  if (pending() && !isNonWaiting(number)) {
    if (isUndefinedMemory(number)) undefined_();
    reportPending();
    return;
  }
  switch (number) {
    case 0x08: fld(op, M32); return;
    case 0x0a: fst(op, M32, false); return;
    case 0x0b: fst(op, M32, true); return;
    case 0x0c: fldenv(op); return;
    case 0x0d: fldcw(op); return;
    case 0x0e: fnstenv(op); return;
    case 0x0f: fnstcw(op); return;
    case 0x18: fild(op, 32); return;
    case 0x19: fisttp(op, 32); return;
    case 0x1a: fist(op, 32, false, false); return;
    case 0x1b: fist(op, 32, true, false); return;
    case 0x1d: fldM80(op); return;
    case 0x1f: fstpM80(op); return;
    case 0x28: fld(op, M64); return;
    case 0x29: fisttp(op, 64); return;
    case 0x2a: fst(op, M64, false); return;
    case 0x2b: fst(op, M64, true); return;
    case 0x2c: frstor(op); return;
    case 0x2e: fnsave(op); return;
    case 0x2f: fnstsw(op); return;
    case 0x38: fild(op, 16); return;
    case 0x39: fisttp(op, 16); return;
    case 0x3a: fist(op, 16, false, false); return;
    case 0x3b: fist(op, 16, true, false); return;
    case 0x3c: fbld(op); return;
    case 0x3d: fild(op, 64); return;
    case 0x3e: fbstp(op); return;
    case 0x3f: fist(op, 64, true, false); return;
  }
  // D8, DA, DC and DE: arithmetic with m32, i32, m64 and i16.
  if (number & 8) {
    undefined_();
    return;
  }
  readSource(op, number >> 4);
  const which = number & 7;
  if (which == 2) compareWithB(op, 0);
  else if (which == 3) compareWithB(op, 1);
  else arithmeticWithB(op, which);
}

/** FISTTP comes with SSE3. */
function fisttp(op: usize, bits: u32): void {
  if (!(load<u32>(CPUID_1_ECX) & 1)) undefined_();
  fist(op, bits, true, true);
}

/** Register forms that don't look for pending exceptions: FNENI, FNDISI, FNCLEX, FNINIT, FNSETPM, FNSTSW AX. */
@inline function isControl(code: u32): bool {
  return (code >= 0x3e0 && code <= 0x3e4) || code == 0x7e0;
}

/** Register forms that are no instruction, as below. */
function isUndefinedRegister(number: u32, i: u32): bool {
  switch (number) {
    case 0x0a: return i != 0;
    case 0x0c: return i == 2 || i == 3 || i > 5;
    case 0x0d: return i == 7;
    case 0x15: case 0x33: return i != 1;
    case 0x1c: return i > 4;
    case 0x3c: return i != 0;
    case 0x14: case 0x16: case 0x17: case 0x1f: case 0x2e: case 0x2f: case 0x3f: return true;
    default: return false;
  }
}

export function x87Register(op: usize): void {
  available();
  const code = immediate<u32>(op);
  const i = code & 7;
  const which = (code >> 3) & 7;
  const number = ((code >> 5) & 0x38) | which;
  if (pending() && !isControl(code)) {
    if (isUndefinedRegister(number, i)) undefined_();
    reportPending();
    return;
  }
  switch (number) {
    case 0x00: case 0x01: case 0x04: case 0x05: case 0x06: case 0x07: arithmeticRegisters(op, which, 0, i, false); return;
    // D0 and D8 of DC, and D0 of DE, are aliases.
    case 0x02: case 0x22: compareRegisters(op, i, true, 0); return;
    case 0x03: case 0x23: case 0x32: compareRegisters(op, i, true, 1); return;
    case 0x08: fldST(op, i); return;
    case 0x09: case 0x29: case 0x39: fxch(op, i); return;
    case 0x0a: if (i) undefined_(); else note(op); return;
    case 0x0b: fstpUnchecked(op, i); return;
    case 0x0c: testAndSign(op, i); return;
    case 0x0d: if (i == 7) undefined_(); else loadConstant(op, i); return;
    case 0x0e: case 0x0f: functions(op, code & 15); return;
    case 0x10: fcmov(op, 2, i); return;
    case 0x11: fcmov(op, 4, i); return;
    case 0x12: fcmov(op, 6, i); return;
    case 0x13: fcmov(op, 10, i); return;
    case 0x15: if (i == 1) compareRegisters(op, 1, false, 2); else undefined_(); return;
    case 0x18: fcmov(op, 3, i); return;
    case 0x19: fcmov(op, 5, i); return;
    case 0x1a: fcmov(op, 7, i); return;
    case 0x1b: fcmov(op, 11, i); return;
    case 0x1c: control(op, i); return;
    case 0x1d: compareToFlags(op, i, false, 0); return;
    case 0x1e: compareToFlags(op, i, true, 0); return;
    case 0x20: case 0x21: arithmeticRegisters(op, which, i, 0, false); return;
    // With ST(i) as the destination the reverse forms lie the other way round.
    case 0x24: case 0x25: case 0x26: case 0x27: arithmeticRegisters(op, which ^ 1, i, 0, false); return;
    case 0x28: ffree(op, i, false); return;
    case 0x2a: fstST(op, i, false); return;
    case 0x2b: case 0x3a: case 0x3b: fstST(op, i, true); return;
    case 0x2c: compareRegisters(op, i, false, 0); return;
    case 0x2d: compareRegisters(op, i, false, 1); return;
    case 0x30: case 0x31: arithmeticRegisters(op, which, i, 0, true); return;
    case 0x33: if (i == 1) compareRegisters(op, 1, true, 2); else undefined_(); return;
    case 0x34: case 0x35: case 0x36: case 0x37: arithmeticRegisters(op, which ^ 1, i, 0, true); return;
    case 0x38: ffree(op, i, true); return;
    case 0x3c: if (i) undefined_(); else fnstswAx(); return;
    case 0x3d: compareToFlags(op, i, false, 1); return;
    case 0x3e: compareToFlags(op, i, true, 1); return;
    default: undefined_(); return;
  }
}

/** D9 E0 to E7. */
function testAndSign(op: usize, i: u32): void {
  switch (i) {
    case 0: changeSign(op, 0xffff, 0x8000); return;
    case 1: changeSign(op, 0x7fff, 0); return;
    case 4: ftst(op); return;
    case 5: fxam(op); return;
    default: undefined_(); return;
  }
}

/** D9 F0 to FF. */
function functions(op: usize, number: u32): void {
  switch (number) {
    case 0: f2xm1(op); return;
    case 1: fyl2x(op); return;
    case 2: fptan(op); return;
    case 3: fpatan(op); return;
    case 4: fxtract(op); return;
    case 5: fprem(op, true); return;
    case 6: moveTop(op, 7); return;
    case 7: moveTop(op, 1); return;
    case 8: fprem(op, false); return;
    case 9: fyl2xp1(op); return;
    case 10: fsqrt(op); return;
    case 11: fsincos(op); return;
    case 12: frndint(op); return;
    case 13: fscale(op); return;
    case 14: fsin(op); return;
    default: fcos(op); return;
  }
}

/** DB E0 to E7: FNENI, FNDISI and FNSETPM of the 8087 and 80287 do nothing. */
function control(op: usize, i: u32): void {
  switch (i) {
    case 0: case 1: case 4: return;
    case 2: fnclex(); return;
    case 3: fninit(); return;
    default: undefined_(); return;
  }
}

/** WAIT looks for pending exceptions and does nothing else; #NM by CR0.MP with TS. */
export function fwait(op: usize): void {
  waitAvailable();
  if (pending()) reportPending();
}
