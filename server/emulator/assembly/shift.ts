/** Shifts, rotates, multiplication, division (SDM vol. 2: counts are masked to 5 bits, 6 with REX.W; count 0 keeps flags). */
import { writeModified } from "./access";
import { Reason } from "./events";
import { DE, raise } from "./fault";
import { carry, flagsResult, setCarryOverflow, signed } from "./flags";
import {
  finishRm, getRegister, getRm, immediate, modifyOperand, modifyRm, RAX, RCX, RDX, regOf, rmOf, setRegister,
} from "./operand";

const ROL = 0;
const ROR = 1;
const RCL = 2;
const RCR = 3;
const SHL = 4;
const SHR = 5;
const SAR = 7;

/** Result of the last `shiftValue`: what CF and OF become, and whether SF, ZF and PF change as well. */
let outCarry: u32 = 0;
let outOverflow: u32 = 0;

@inline function msb<T>(value: T): u32 {
  return <u32>(<u64>value >> (sizeof<T>() * 8 - 1)) & 1;
}

/** `which` is ModRM.reg of the group; `count` is masked and not zero. */
function shiftValue<T>(which: u32, a: T, count: u32): T {
  const bits: u32 = sizeof<T>() * 8;
  const wide: u64 = <u64>a;
  let r: T;
  switch (which) {
    case ROL: {
      const n = count & (bits - 1);
      r = n ? <T>((wide << n) | (wide >> (bits - n))) : a;
      outCarry = <u32>r & 1;
      outOverflow = msb<T>(r) ^ outCarry;
      break;
    }
    case ROR: {
      const n = count & (bits - 1);
      r = n ? <T>((wide >> n) | (wide << (bits - n))) : a;
      outCarry = msb<T>(r);
      outOverflow = outCarry ^ (<u32>(<u64>r >> (bits - 2)) & 1);
      break;
    }
    case RCL: {
      let c: u32 = carry();
      let v: u64 = wide;
      const n = bits < 32 ? count % (bits + 1) : count;
      for (let i: u32 = 0; i < n; i++) {
        const out = <u32>(v >> (bits - 1)) & 1;
        v = (v << 1) | c;
        c = out;
      }
      r = <T>v;
      outCarry = c;
      outOverflow = msb<T>(r) ^ c;
      break;
    }
    case RCR: {
      let c: u32 = carry();
      let v: u64 = wide;
      const n = bits < 32 ? count % (bits + 1) : count;
      // OF is defined for a count of 1: the old sign against the old carry.
      outOverflow = msb<T>(a) ^ c;
      for (let i: u32 = 0; i < n; i++) {
        const out = <u32>v & 1;
        v = ((v & (~(<u64>0) >> (64 - bits))) >> 1) | (<u64>c << (bits - 1));
        c = out;
      }
      r = <T>v;
      if (n != 1) outOverflow = msb<T>(r) ^ (<u32>(<u64>r >> (bits - 2)) & 1);
      outCarry = c;
      break;
    }
    case SHR: {
      r = count < bits ? <T>(wide >> count) : 0;
      outCarry = count <= bits ? <u32>(wide >> (count - 1)) & 1 : 0;
      outOverflow = msb<T>(a);
      break;
    }
    case SAR: {
      const s = signed<T>(a);
      r = count < bits ? <T>(s >> count) : <T>(s >> 63);
      outCarry = <u32>(s >> min<u32>(count - 1, 63)) & 1;
      outOverflow = 0;
      break;
    }
    default: {
      r = count < bits ? <T>(wide << count) : 0;
      outCarry = count <= bits ? <u32>(wide >> (bits - count)) & 1 : 0;
      outOverflow = msb<T>(r) ^ outCarry;
      break;
    }
  }
  return r;
}

@inline function countMask<T>(): u32 {
  return sizeof<T>() == 8 ? 63 : 31;
}

@inline function settleShift<T>(which: u32, r: T): void {
  if (which < 4) setCarryOverflow(outCarry, outOverflow);
  else flagsResult<T>(r, outCarry, outOverflow);
}

@inline function shiftRegister<T>(op: usize, count: u32): void {
  if (!count) {
    // A 32-bit operation clears the upper half even so.
    if (sizeof<T>() == 4) setRegister<T>(rmOf(op), getRegister<T>(rmOf(op)));
    return;
  }
  const r = shiftValue<T>(regOf(op), getRegister<T>(rmOf(op)), count);
  setRegister<T>(rmOf(op), r);
  settleShift<T>(regOf(op), r);
}
@inline function shiftMemory<T>(op: usize, count: u32): void {
  const a = modifyOperand<T>(op);
  if (!count) {
    writeModified<T>(a);
    return;
  }
  const r = shiftValue<T>(regOf(op), a, count);
  writeModified<T>(r);
  settleShift<T>(regOf(op), r);
}
export function shiftRI<T>(op: usize): void { shiftRegister<T>(op, immediate<u32>(op) & countMask<T>()); }
export function shiftRC<T>(op: usize): void { shiftRegister<T>(op, load<u32>(RCX) & countMask<T>()); }
export function shiftMI<T>(op: usize): void { shiftMemory<T>(op, immediate<u32>(op) & countMask<T>()); }
export function shiftMC<T>(op: usize): void { shiftMemory<T>(op, load<u32>(RCX) & countMask<T>()); }

/** The commonest: a register by an immediate that isn't 0 after masking and less than the width. */
export function shlRI<T>(op: usize): void {
  const a = getRegister<T>(rmOf(op));
  const n = immediate<T>(op);
  const r: T = <T>(a << n);
  setRegister<T>(rmOf(op), r);
  const c = <u32>(<u64>a >> (sizeof<T>() * 8 - <u64>n)) & 1;
  flagsResult<T>(r, c, msb<T>(r) ^ c);
}
export function shrRI<T>(op: usize): void {
  const a = getRegister<T>(rmOf(op));
  const n = immediate<T>(op);
  const r: T = <T>(a >> n);
  setRegister<T>(rmOf(op), r);
  flagsResult<T>(r, <u32>(<u64>a >> (<u64>n - 1)) & 1, msb<T>(a));
}

/** SHLD and SHRD: beyond the width of a 16-bit operand the result is undefined; the bits wrap as on a 486. */
function double<T>(left: bool, a: T, b: T, count: u32): T {
  const bits: u32 = sizeof<T>() * 8;
  let r: T;
  if (left) {
    if (count <= bits) {
      r = count == bits ? b : <T>((<u64>a << count) | (<u64>b >> (bits - count)));
      outCarry = <u32>(<u64>a >> (bits - count)) & 1;
    } else {
      const n = count - bits;
      r = <T>((<u64>b << n) | (<u64>a >> (bits - n)));
      outCarry = <u32>(<u64>b >> (bits - n)) & 1;
    }
  } else {
    if (count <= bits) {
      r = count == bits ? b : <T>((<u64>a >> count) | (<u64>b << (bits - count)));
      outCarry = <u32>(<u64>a >> (count - 1)) & 1;
    } else {
      const n = count - bits;
      r = <T>((<u64>b >> n) | (<u64>a << (bits - n)));
      outCarry = <u32>(<u64>b >> (n - 1)) & 1;
    }
  }
  outOverflow = msb<T>(r) ^ msb<T>(a);
  return r;
}
@inline function doubleShift<T>(op: usize, left: bool, count: u32): void {
  const a = modifyRm<T>(op);
  if (!count) {
    finishRm<T>(op, a);
    return;
  }
  const r = double<T>(left, a, getRegister<T>(regOf(op)), count);
  finishRm<T>(op, r);
  flagsResult<T>(r, outCarry, outOverflow);
}
export function shldI<T>(op: usize): void { doubleShift<T>(op, true, immediate<u32>(op) & countMask<T>()); }
export function shldC<T>(op: usize): void { doubleShift<T>(op, true, load<u32>(RCX) & countMask<T>()); }
export function shrdI<T>(op: usize): void { doubleShift<T>(op, false, immediate<u32>(op) & countMask<T>()); }
export function shrdC<T>(op: usize): void { doubleShift<T>(op, false, load<u32>(RCX) & countMask<T>()); }

/** Upper half of the unsigned 128-bit product. */
export function mulHigh(a: u64, b: u64): u64 {
  const al = a & 0xffffffff;
  const ah = a >> 32;
  const bl = b & 0xffffffff;
  const bh = b >> 32;
  const low = al * bl;
  const m1 = ah * bl + (low >> 32);
  const m2 = al * bh + (m1 & 0xffffffff);
  return ah * bh + (m1 >> 32) + (m2 >> 32);
}
/** Upper half of the signed 128-bit product. */
export function mulHighSigned(a: i64, b: i64): i64 {
  return <i64>mulHigh(<u64>a, <u64>b) - (a < 0 ? b : 0) - (b < 0 ? a : 0);
}

/** IMUL r, r/m and IMUL r, r/m, imm. CF and OF say that the product was cut. */
@inline function imul<T>(a: T, b: T): T {
  let r: T;
  let cut: u32;
  if (sizeof<T>() == 8) {
    r = <T>(a * b);
    cut = <u32>(mulHighSigned(<i64>a, <i64>b) != <i64>r >> 63);
  } else {
    const wide = signed<T>(a) * signed<T>(b);
    r = <T>wide;
    cut = <u32>(wide != signed<T>(r));
  }
  flagsResult<T>(r, cut, cut);
  return r;
}
export function imulR<T>(op: usize): void {
  const b = getRm<T>(op);
  setRegister<T>(regOf(op), imul<T>(getRegister<T>(regOf(op)), b));
}
export function imulI<T>(op: usize): void {
  const a = getRm<T>(op);
  setRegister<T>(regOf(op), imul<T>(a, immediate<T>(op)));
}

/** MUL: rDX:rAX (AX for bytes). */
export function mul<T>(op: usize): void {
  const b = getRm<T>(op);
  const a = load<T>(RAX);
  if (sizeof<T>() == 8) {
    const high = mulHigh(<u64>a, <u64>b);
    const low = <u64>a * <u64>b;
    store<u64>(RAX, low);
    store<u64>(RDX, high);
    flagsResult<u64>(low, <u32>(high != 0), <u32>(high != 0));
  } else {
    const wide = <u64>a * <u64>b;
    const high = <u32>(wide >> (sizeof<T>() * 8));
    storeProduct<T>(wide);
    flagsResult<T>(<T>wide, <u32>(high != 0), <u32>(high != 0));
  }
}
export function imulA<T>(op: usize): void {
  const b = getRm<T>(op);
  const a = load<T>(RAX);
  if (sizeof<T>() == 8) {
    const high = mulHighSigned(<i64>a, <i64>b);
    const low = <i64>a * <i64>b;
    store<i64>(RAX, low);
    store<i64>(RDX, high);
    const cut = <u32>(high != low >> 63);
    flagsResult<u64>(<u64>low, cut, cut);
  } else {
    const wide = signed<T>(a) * signed<T>(b);
    storeProduct<T>(<u64>wide);
    const cut = <u32>(wide != signed<T>(<T>wide));
    flagsResult<T>(<T>wide, cut, cut);
  }
}
@inline function storeProduct<T>(wide: u64): void {
  if (sizeof<T>() == 1) store<u16>(RAX, <u16>wide);
  else if (sizeof<T>() == 2) {
    store<u16>(RAX, <u16>wide);
    store<u16>(RDX, <u16>(wide >> 16));
  } else {
    store<u64>(RAX, wide & 0xffffffff);
    store<u64>(RDX, wide >> 32);
  }
}

function divideError(dividend: u64, divisor: u64): void {
  raise(DE, 0, Reason.DivideError, dividend, divisor);
}

let quotient128: u64 = 0;
let remainder128: u64 = 0;

/** Unsigned 128 by 64 bits; the caller has made sure that the quotient fits (high < divisor). */
function divide128(high: u64, low: u64, divisor: u64): void {
  let q: u64 = 0;
  let r = high;
  for (let i = 0; i < 64; i++) {
    const out = r >> 63;
    r = (r << 1) | (low >> 63);
    low <<= 1;
    q <<= 1;
    if (out || r >= divisor) {
      r -= divisor;
      q |= 1;
    }
  }
  quotient128 = q;
  remainder128 = r;
}

@inline function dividend<T>(): u64 {
  if (sizeof<T>() == 1) return load<u16>(RAX);
  if (sizeof<T>() == 2) return load<u16>(RAX) | (<u64>load<u16>(RDX) << 16);
  return load<u32>(RAX) | (<u64>load<u32>(RDX) << 32);
}
@inline function storeQuotient<T>(q: u64, r: u64): void {
  if (sizeof<T>() == 1) store<u16>(RAX, <u16>((q & 0xff) | (r << 8)));
  else if (sizeof<T>() == 2) {
    store<u16>(RAX, <u16>q);
    store<u16>(RDX, <u16>r);
  } else {
    store<u64>(RAX, q & 0xffffffff);
    store<u64>(RDX, r & 0xffffffff);
  }
}

export function div<T>(op: usize): void {
  const d = <u64>getRm<T>(op);
  if (sizeof<T>() == 8) {
    const high = load<u64>(RDX);
    const low = load<u64>(RAX);
    if (high >= d) divideError(low, d);
    if (high == 0) {
      store<u64>(RAX, low / d);
      store<u64>(RDX, low % d);
    } else {
      divide128(high, low, d);
      store<u64>(RAX, quotient128);
      store<u64>(RDX, remainder128);
    }
    return;
  }
  const n = dividend<T>();
  if (d == 0) divideError(n, d);
  const q = n / d;
  if (q >> (sizeof<T>() * 8)) divideError(n, d);
  storeQuotient<T>(q, n % d);
}

export function idiv<T>(op: usize): void {
  const raw = getRm<T>(op);
  const d = signed<T>(raw);
  if (sizeof<T>() == 8) {
    divideSigned128(d);
    return;
  }
  let n: i64;
  if (sizeof<T>() == 1) n = <i64><i16>dividend<T>();
  else if (sizeof<T>() == 2) n = <i64><i32>dividend<T>();
  else n = <i64>dividend<T>();
  if (d == 0 || (d == -1 && n == i64.MIN_VALUE)) divideError(<u64>n, <u64>d);
  const q = n / d;
  if (q != signed<T>(<T>q)) divideError(<u64>n, <u64>d);
  storeQuotient<T>(<u64>q, <u64>(n % d));
}

function divideSigned128(d: i64): void {
  let high = load<u64>(RDX);
  let low = load<u64>(RAX);
  const negative = <i64>high < 0;
  if (negative) {
    low = 0 - low;
    high = ~high + <u64>(low == 0);
  }
  const divisor = <u64>(d < 0 ? -d : d);
  if (high >= divisor) divideError(load<u64>(RAX), <u64>d);
  divide128(high, low, divisor);
  const minus = negative != d < 0;
  // The quotient's magnitude may be 2^63 only when it is negative.
  if (quotient128 > (minus ? <u64>0x8000000000000000 : <u64>0x7fffffffffffffff)) divideError(load<u64>(RAX), <u64>d);
  store<u64>(RAX, minus ? 0 - quotient128 : quotient128);
  store<u64>(RDX, negative ? 0 - remainder128 : remainder128);
}
