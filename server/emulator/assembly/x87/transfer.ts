/** Loads and stores: binary formats, integers and packed BCD (SDM vol. 1, 8.3.3). */
import { TLB_SET } from "../layout";
import { onward, probeWrite, read, write } from "../access";
import { nanOfOne } from "../float/arithmetic";
import { toInteger, toUnsigned } from "../float/convert";
import { DE, IE, raised, rounding, setRoundedUp, signal, TO_ZERO } from "../float/environment";
import {
  denormal, fromB, kind, NAN, noDenormal, setInteger, setSigned, sign, toB, unpackF32, unpackF64,
} from "../float/number";
import { packF32, packF64 } from "../float/round";
import { effective, linearRead, linearWrite, loadOperand, stackBit, storeOperand } from "../operand";
import { addressOf, getST, isEmpty, pop, setRaw, setST, setSTIndefinite, setTop, top } from "./registers";
import { begin, C1, note, setCodes, settle, settleUnstored, stackFault, wouldStore } from "./status";

/** Memory formats of the arithmetic instructions, by bits 2:1 of the opcode: D8, DA, DC, DE. */
export const M32: u32 = 0;
export const I32: u32 = 1;
export const M64: u32 = 2;
export const I16: u32 = 3;

/** Reads a source operand and begins: it is in B then. */
export function readSource(op: usize, format: u32): void {
  let bits: u64;
  if (format == M64) bits = loadOperand<u64>(op);
  else if (format == I16) bits = <u64><i64><i16>loadOperand<u16>(op);
  else if (format == I32) bits = <u64><i64><i32>loadOperand<u32>(op);
  else bits = loadOperand<u32>(op);
  begin();
  noDenormal();
  unpackSource(format, bits);
  toB();
}
function unpackSource(format: u32, bits: u64): void {
  if (format == M32) unpackF32(<u32>bits);
  else if (format == M64) unpackF64(bits);
  else setSigned(<i64>bits);
}

/** Room for a push: false with the masked response done where there is none. */
export function beginPush(op: usize): bool {
  if (isEmpty(7)) return true;
  if (stackFault(op, true)) {
    setTop(top() - 1);
    setSTIndefinite(0);
  }
  return false;
}

/** FLD m32 and m64: conversion to the extended format. */
export function fld(op: usize, format: u32): void {
  readSource(op, format);
  note(op);
  if (!beginPush(op)) return;
  fromB();
  if (kind & NAN) nanOfOne();
  else if (denormal) signal(DE);
  // An unmasked DE is reported, but the number is pushed all the same.
  const refused = (raised & IE) != 0;
  if (!settle(op) && refused) return;
  setTop(top() - 1);
  setST(0);
}
/** FILD: exact. */
export function fild(op: usize, bits: u32): void {
  const value = bits == 16 ? <i64><i16>loadOperand<u16>(op) : bits == 32 ? <i64><i32>loadOperand<u32>(op) : loadOperand<i64>(op);
  begin();
  note(op);
  if (!beginPush(op)) return;
  pushInteger(<u32>(value < 0), value < 0 ? <u64>-value : <u64>value);
}
function pushInteger(negative: u32, magnitude: u64): void {
  setInteger(negative, magnitude);
  setCodes(C1, 0);
  setTop(top() - 1);
  setST(0);
}

/** FLD m80 and ST(i): the bits as they are. */
export function pushRaw(op: usize, head: u32, significand: u64): void {
  begin();
  note(op);
  if (!beginPush(op)) return;
  setCodes(C1, 0);
  setTop(top() - 1);
  setRaw(0, head, significand);
}
export function fldM80(op: usize): void {
  const at = linearRead(op, effective(op), 10);
  const significand = read<u64>(at, stackBit(op));
  pushRaw(op, read<u16>(onward(at, 8), stackBit(op)), significand);
}
export function fldST(op: usize, i: u32): void {
  begin();
  if (isEmpty(i)) {
    note(op);
    // ST(i) is missing; the push itself may overflow, but underflow is found first.
    if (stackFault(op, false)) {
      setTop(top() - 1);
      setSTIndefinite(0);
    }
    return;
  }
  const at = addressOf(i);
  pushRaw(op, load<u16>(at, 8), load<u64>(at));
}

/** FST and FSTP m32 and m64. */
export function fst(op: usize, format: u32, popping: bool): void {
  begin();
  const empty = isEmpty(0);
  if (empty) {
    signal(IE);
    if (wouldStore()) storeBits(op, format, format == M64 ? 0xfff8000000000000 : 0xffc00000);
    else probeStore(op, format == M64 ? 8 : 4);
    note(op);
    if (stackFault(op, false) && popping) pop();
    return;
  }
  noDenormal();
  getST(0);
  if (kind & NAN) nanOfOne();
  const bits = format == M64 ? packF64() : <u64>packF32();
  const stored = wouldStore();
  if (stored) storeBits(op, format, bits);
  else probeStore(op, format == M64 ? 8 : 4);
  note(op);
  if (stored) settle(op);
  else settleUnstored(op);
  if (stored && popping) pop();
}
function storeBits(op: usize, format: u32, bits: u64): void {
  if (format == M64) storeOperand<u64>(op, bits);
  else storeOperand<u32>(op, <u32>bits);
}
/** Nothing is stored with an unmasked exception, but the destination must be writable (AMD family 26). */
function probeStore(op: usize, bytes: u32): void {
  probeWrite(linearWrite(op, effective(op), bytes), bytes, stackBit(op), load<u32>(TLB_SET));
}

/** FST ST(i): the bits as they are. */
export function fstST(op: usize, i: u32, popping: bool): void {
  begin();
  note(op);
  if (isEmpty(0)) {
    if (!stackFault(op, false)) return;
    setSTIndefinite(i);
  } else {
    setCodes(C1, 0);
    const at = addressOf(0);
    setRaw(i, load<u16>(at, 8), load<u64>(at));
  }
  if (popping) pop();
}

/** D9 D8 to DF: FSTP that doesn't look for an underflow; an empty ST(0) is popped, nothing is copied. */
export function fstpUnchecked(op: usize, i: u32): void {
  if (!isEmpty(0)) {
    fstST(op, i, true);
    return;
  }
  note(op);
  setCodes(C1, 0);
  pop();
}

/** Ten bytes are written as one: both ends must be writable before the first. The address of the lower one. */
function probeTen(op: usize): u64 {
  const at = linearWrite(op, effective(op), 10);
  const stack = stackBit(op);
  const set = load<u32>(TLB_SET);
  probeWrite(at, 8, stack, set);
  probeWrite(onward(at, 8), 2, stack, set);
  return at;
}
function storeTen(op: usize, head: u32, significand: u64): void {
  const at = probeTen(op);
  const stack = stackBit(op);
  write<u64>(at, significand, stack);
  write<u16>(onward(at, 8), <u16>head, stack);
}
export function fstpM80(op: usize): void {
  begin();
  const empty = isEmpty(0);
  const at = addressOf(0);
  if (empty) {
    signal(IE);
    if (wouldStore()) storeTen(op, 0xffff, 0xc000000000000000);
    else probeTen(op);
    note(op);
    if (stackFault(op, false)) pop();
    return;
  }
  storeTen(op, load<u16>(at, 8), load<u64>(at));
  note(op);
  setCodes(C1, 0);
  pop();
}

/** FIST, FISTP and FISTTP. */
export function fist(op: usize, bits: u32, popping: bool, truncate: bool): void {
  begin();
  const empty = isEmpty(0);
  let value: i64 = 0;
  if (empty) {
    signal(IE);
    value = -<i64>((<u64>1) << (<u64>bits - 1));
  } else {
    getST(0);
    value = toInteger(bits, truncate ? TO_ZERO : rounding);
  }
  const stored = wouldStore();
  if (stored) {
    if (bits == 16) storeOperand<u16>(op, <u16>value);
    else if (bits == 32) storeOperand<u32>(op, <u32>value);
    else storeOperand<u64>(op, <u64>value);
  } else probeStore(op, bits >> 3);
  note(op);
  if (empty) stackFault(op, false);
  else settle(op);
  if (stored && popping) pop();
}

// ---- Packed BCD: 18 digits, and the sign in bit 79 ----
const BCD_LIMIT: u64 = 999999999999999999;

export function fbld(op: usize): void {
  const at = linearRead(op, effective(op), 10);
  const low = read<u64>(at, stackBit(op));
  const top = read<u16>(onward(at, 8), stackBit(op));
  begin();
  note(op);
  if (!beginPush(op)) return;
  let value: u64 = (<u64>top >> 4 & 15) * 10 + (top & 15);
  for (let shift: i32 = 60; shift >= 0; shift -= 4) value = value * 10 + ((low >> shift) & 15);
  pushInteger(<u32>top >> 15, value);
  // Minus zero is a number of its own.
  if (!value && top >> 15) setRaw(0, 0x8000, 0);
}

export function fbstp(op: usize): void {
  begin();
  const empty = isEmpty(0);
  let value: u64 = BCD_LIMIT + 1;
  if (empty) signal(IE);
  else {
    getST(0);
    value = toUnsigned();
    if (value > BCD_LIMIT) {
      // Too large after rounding: the result of the rounding doesn't count.
      begin();
      signal(IE);
      setRoundedUp(false);
    }
  }
  const stored = wouldStore();
  if (stored) {
    let head: u32 = 0xffff;
    let low: u64 = 0xc000000000000000;
    if (value <= BCD_LIMIT) {
      low = 0;
      for (let shift: u64 = 0; shift < 64; shift += 4) {
        low |= value % 10 << shift;
        value /= 10;
      }
      head = (sign << 15) | <u32>(value / 10 << 4) | <u32>(value % 10);
    }
    storeTen(op, head, low);
  } else probeTen(op);
  note(op);
  if (empty) stackFault(op, false);
  else settle(op);
  if (stored) pop();
}
