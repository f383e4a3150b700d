/** Bit tests and scans, exchanges, conditional moves, conversions and decimal arithmetic. */
import { ADDRESS_MASKS } from "./layout";
import { read, readToModify, write, writeModified } from "./access";
import { Reason } from "./events";
import { DE, GP, raise } from "./fault";
import {
  adjust, AF, arithmetic, carry, CF, condition, flagsAdd, flagsLogic, flagsSub, OF_FLAG, setArithmetic, setCarry,
  setFlags, setZero, ZF,
} from "./flags";
import { OP_ADDRESS } from "./op";
import {
  effective, finishRm, getRegister, getRm, immediate, isMemory, linearRead, linearWrite, loadOperand, modifyOperand,
  modifyRm, RAX, RBX, RCX, RDX, regOf, rmOf, setRegister, setRm, stackBit,
} from "./operand";

/** BT 4, BTS 5, BTR 6, BTC 7. */
@inline function changeBit<T>(which: u32, value: T, mask: T): T {
  if (which == 5) return <T>(value | mask);
  if (which == 6) return <T>(value & ~mask);
  return <T>(value ^ mask);
}
/** The bit number is a register: with memory it reaches beyond the operand, in units of its size. */
export function bitTestR<T>(op: usize): void {
  const which = immediate<u32>(op);
  const index = getRegister<T>(regOf(op));
  const bits: u32 = sizeof<T>() * 8;
  const mask: T = <T>((<u64>1) << (<u64>index & (bits - 1)));
  let value: T;
  if (isMemory(op)) {
    let wide: i64;
    if (sizeof<T>() == 2) wide = <i64><i16>index;
    else if (sizeof<T>() == 4) wide = <i64><i32>index;
    else wide = <i64>index;
    const shift: i64 = sizeof<T>() == 2 ? 4 : sizeof<T>() == 4 ? 5 : 6;
    const offset =
      (effective(op) + <u64>(wide >> shift) * sizeof<T>()) & load<u64>(ADDRESS_MASKS + (<usize>load<u8>(op, OP_ADDRESS) << 3));
    if (which == 4) value = read<T>(linearRead(op, offset, sizeof<T>()), stackBit(op));
    else {
      value = readToModify<T>(linearWrite(op, offset, sizeof<T>()), stackBit(op));
      writeModified<T>(changeBit<T>(which, value, mask));
    }
  } else {
    value = getRegister<T>(rmOf(op));
    if (which != 4) setRegister<T>(rmOf(op), changeBit<T>(which, value, mask));
  }
  setCarry(<u32>((value & mask) != 0));
}
/** The bit number is an immediate, taken modulo the operand size. */
export function bitTestI<T>(op: usize): void {
  const which = regOf(op);
  const mask: T = <T>((<u64>1) << (immediate<u64>(op) & (sizeof<T>() * 8 - 1)));
  let value: T;
  if (which == 4) value = getRm<T>(op);
  else {
    value = modifyRm<T>(op);
    finishRm<T>(op, changeBit<T>(which, value, mask));
  }
  setCarry(<u32>((value & mask) != 0));
}

/** BSF, BSR: a source of 0 sets ZF and leaves the destination. */
export function bsf<T>(op: usize): void {
  const value = <u64>getRm<T>(op);
  setZero(<u32>(value == 0));
  if (value) setRegister<T>(regOf(op), <T>ctz<u64>(value));
}
export function bsr<T>(op: usize): void {
  const value = <u64>getRm<T>(op);
  setZero(<u32>(value == 0));
  if (value) setRegister<T>(regOf(op), <T>(63 - clz<u64>(value)));
}
@inline function countFlags(source: u64, result: u64): void {
  setFlags((source == 0 ? CF : 0) | (result == 0 ? ZF : 0), CF | ZF);
}
export function tzcnt<T>(op: usize): void {
  const value = <u64>getRm<T>(op);
  const r: u64 = value ? ctz<u64>(value) : sizeof<T>() * 8;
  setRegister<T>(regOf(op), <T>r);
  countFlags(value, r);
}
export function lzcnt<T>(op: usize): void {
  const value = <u64>getRm<T>(op);
  const r: u64 = clz<u64>(value) - (64 - sizeof<T>() * 8);
  setRegister<T>(regOf(op), <T>r);
  countFlags(value, r);
}
export function popcount<T>(op: usize): void {
  const value = <u64>getRm<T>(op);
  setRegister<T>(regOf(op), <T>popcnt<u64>(value));
  setArithmetic(value == 0 ? ZF : 0);
}

/**
 * CMPXCHG writes memory in any case: the old value when the comparison fails. A register destination then stays as it is,
 * its upper half too.
 */
export function cmpxchg<T>(op: usize): void {
  const old = modifyRm<T>(op);
  const a = load<T>(RAX);
  if (old == a) finishRm<T>(op, getRegister<T>(regOf(op)));
  else {
    if (isMemory(op)) writeModified<T>(old);
    setRegister<T>(0, old);
  }
  flagsSub<T>(a, old, <T>(a - old));
}
export function cmpxchg8b(op: usize): void {
  const old = modifyOperand<u64>(op);
  if (old == (<u64>load<u32>(RAX) | (<u64>load<u32>(RDX) << 32))) {
    writeModified<u64>(<u64>load<u32>(RBX) | (<u64>load<u32>(RCX) << 32));
    setZero(1);
  } else {
    writeModified<u64>(old);
    store<u64>(RAX, old & 0xffffffff);
    store<u64>(RDX, old >> 32);
    setZero(0);
  }
}
export function cmpxchg16b(op: usize): void {
  const at = linearWrite(op, effective(op), 16);
  if (at & 15) raise(GP, 0, Reason.Alignment, at, 16);
  // Aligned, so in one page: the check of the lower half for writing is one of both.
  const low = readToModify<u64>(at, stackBit(op));
  const high = read<u64>(at + 8, stackBit(op));
  if (low == load<u64>(RAX) && high == load<u64>(RDX)) {
    writeModified<u64>(load<u64>(RBX));
    write<u64>(at + 8, load<u64>(RCX), stackBit(op));
    setZero(1);
  } else {
    writeModified<u64>(low);
    store<u64>(RAX, low);
    store<u64>(RDX, high);
    setZero(0);
  }
}
export function xadd<T>(op: usize): void {
  const old = modifyRm<T>(op);
  const b = getRegister<T>(regOf(op));
  const r: T = <T>(old + b);
  if (isMemory(op)) {
    writeModified<T>(r);
    setRegister<T>(regOf(op), old);
  } else {
    setRegister<T>(regOf(op), old);
    setRegister<T>(rmOf(op), r);
  }
  flagsAdd<T>(old, b, r);
}

/** CMOVcc reads its source in any case; a 32-bit one clears the upper half in any case. */
export function cmov<T>(op: usize): void {
  const value = getRm<T>(op);
  if (condition(immediate<u32>(op))) setRegister<T>(regOf(op), value);
  else if (sizeof<T>() == 4) setRegister<T>(regOf(op), getRegister<T>(regOf(op)));
}
export function setcc(op: usize): void {
  setRm<u8>(op, <u8>condition(immediate<u32>(op)));
}

/** BSWAP of 16 bits is undefined; it clears them, as most CPUs do. */
export function bswap_<T>(op: usize): void {
  if (sizeof<T>() == 2) setRegister<u16>(rmOf(op), 0);
  else setRegister<T>(rmOf(op), bswap<T>(getRegister<T>(rmOf(op))));
}
export function movbeLoad<T>(op: usize): void {
  setRegister<T>(regOf(op), bswap<T>(loadOperand<T>(op)));
}
export function movbeStore<T>(op: usize): void {
  setRm<T>(op, bswap<T>(getRegister<T>(regOf(op))));
}

/** CBW, CWDE, CDQE. */
export function extendA<T>(op: usize): void {
  if (sizeof<T>() == 2) store<u16>(RAX, <u16>load<i8>(RAX));
  else if (sizeof<T>() == 4) store<u64>(RAX, <u64><u32><i32>load<i16>(RAX));
  else store<i64>(RAX, <i64>load<i32>(RAX));
}
/** CWD, CDQ, CQO. */
export function extendD<T>(op: usize): void {
  if (sizeof<T>() == 2) store<u16>(RDX, load<i16>(RAX) < 0 ? 0xffff : 0);
  else if (sizeof<T>() == 4) store<u64>(RDX, load<i32>(RAX) < 0 ? 0xffffffff : 0);
  else store<i64>(RDX, load<i64>(RAX) >> 63);
}

export function cmc(op: usize): void { setCarry(carry() ^ 1); }
export function clc(op: usize): void { setCarry(0); }
export function stc(op: usize): void { setCarry(1); }
export function lahf(op: usize): void {
  store<u8>(RAX + 1, <u8>((arithmetic() & 0xd5) | 2));
}
export function sahf(op: usize): void {
  setArithmetic((arithmetic() & OF_FLAG) | (load<u8>(RAX + 1) & 0xd5));
}
export function salc(op: usize): void {
  store<u8>(RAX, carry() ? 0xff : 0);
}
export function xlat(op: usize): void {
  const offset = (load<u64>(RBX) + load<u8>(RAX)) & load<u64>(ADDRESS_MASKS + (<usize>load<u8>(op, OP_ADDRESS) << 3));
  store<u8>(RAX, read<u8>(linearRead(op, offset, 1), 0));
}

// ---- Decimal arithmetic (SDM vol. 2, the instructions' pseudo-code) ----
function decimal(subtract: bool): void {
  const old = load<u8>(RAX);
  const oldCarry = carry();
  let al: u32 = old;
  let c: u32 = 0;
  let a: u32 = 0;
  if ((old & 15) > 9 || adjust()) {
    c = oldCarry | <u32>(subtract ? old < 6 : old > 0xf9);
    al = subtract ? al - 6 : al + 6;
    a = 1;
  }
  if (old > 0x99 || oldCarry) {
    al = subtract ? al - 0x60 : al + 0x60;
    c = 1;
  } else if (!subtract) c = 0;
  store<u8>(RAX, <u8>al);
  flagsLogic<u8>(<u8>al);
  setFlags((a ? AF : 0) | c, AF | CF);
}
export function daa(op: usize): void { decimal(false); }
export function das(op: usize): void { decimal(true); }
function ascii(subtract: bool): void {
  let a: u32 = 0;
  if ((load<u8>(RAX) & 15) > 9 || adjust()) {
    const ax = load<u16>(RAX);
    store<u16>(RAX, <u16>(subtract ? ax - 0x106 : ax + 0x106));
    a = 1;
  }
  store<u8>(RAX, load<u8>(RAX) & 15);
  flagsLogic<u8>(load<u8>(RAX));
  setFlags((a ? AF : 0) | a, AF | CF);
}
export function aaa(op: usize): void { ascii(false); }
export function aas(op: usize): void { ascii(true); }
export function aam(op: usize): void {
  const base = immediate<u8>(op);
  if (!base) raise(DE, 0, Reason.DivideError, load<u8>(RAX), 0);
  const al = load<u8>(RAX);
  store<u8>(RAX + 1, al / base);
  store<u8>(RAX, al % base);
  flagsLogic<u8>(load<u8>(RAX));
}
export function aad(op: usize): void {
  const al = <u8>(load<u8>(RAX) + load<u8>(RAX + 1) * immediate<u8>(op));
  store<u16>(RAX, al);
  flagsLogic<u8>(al);
}
