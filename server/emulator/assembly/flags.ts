/**
 * Lazy arithmetic flags: the sign-extended result and one word of carries, from which each flag is cheap.
 * AUX: bit 31 CF, bit 30 CF xor OF, bit 3 AF, bits 15:8 a delta of parity, bit 0 a delta of sign.
 */
import { FLAG_AUX, FLAG_RESULT, SYSTEM_FLAGS } from "./layout";

export const CF = 1;
export const PF_FLAG = 4;
export const AF = 0x10;
export const ZF = 0x40;
export const SF = 0x80;
export const TF = 0x100;
export const IF = 0x200;
export const DF_FLAG = 0x400;
export const OF_FLAG = 0x800;
export const IOPL = 0x3000;
export const NT = 0x4000;
export const RF = 0x10000;
export const VM = 0x20000;
export const AC_FLAG = 0x40000;
export const VIF = 0x80000;
export const VIP = 0x100000;
export const ID = 0x200000;
export const ARITHMETIC = 0x8d5;
/** Every flag that exists; the other bits are fixed. */
export const ALL_FLAGS = 0x3f7fd5;

@inline export function signed<T>(value: T): i64 {
  if (sizeof<T>() == 1) return <i64><i8>value;
  if (sizeof<T>() == 2) return <i64><i16>value;
  if (sizeof<T>() == 4) return <i64><i32>value;
  return <i64>value;
}

/** Flags of `a + b (+ carry) = r`. */
@inline export function flagsAdd<T>(a: T, b: T, r: T): void {
  const carries: T = <T>((a & b) | ((a | b) & ~r));
  store<i64>(FLAG_RESULT, signed<T>(r));
  store<u32>(FLAG_AUX, (<u32>(carries >> <T>(sizeof<T>() * 8 - 2)) << 30) | (<u32>carries & 8));
}

/** Flags of `a - b (- borrow) = r`. */
@inline export function flagsSub<T>(a: T, b: T, r: T): void {
  const borrows: T = <T>((~a & b) | ((~a | b) & r));
  store<i64>(FLAG_RESULT, signed<T>(r));
  store<u32>(FLAG_AUX, (<u32>(borrows >> <T>(sizeof<T>() * 8 - 2)) << 30) | (<u32>borrows & 8));
}

/** Flags of AND, OR, XOR, TEST: CF and OF clear, AF undefined (clear here). */
@inline export function flagsLogic<T>(r: T): void {
  store<i64>(FLAG_RESULT, signed<T>(r));
  store<u32>(FLAG_AUX, 0);
}

@inline export function carry(): u32 {
  return load<u32>(FLAG_AUX) >> 31;
}
@inline export function zero(): bool {
  return load<i64>(FLAG_RESULT) == 0;
}
@inline export function sign(): u32 {
  return <u32>(load<u64>(FLAG_RESULT) >> 63) ^ (load<u32>(FLAG_AUX) & 1);
}
@inline export function overflow(): u32 {
  const aux = load<u32>(FLAG_AUX);
  return (aux >> 31) ^ ((aux >> 30) & 1);
}
@inline export function parity(): u32 {
  return (popcnt<u32>((load<u32>(FLAG_RESULT) ^ (load<u32>(FLAG_AUX) >> 8)) & 0xff) & 1) ^ 1;
}
@inline export function adjust(): u32 {
  return (load<u32>(FLAG_AUX) >> 3) & 1;
}

/** The six arithmetic flags in their places. */
export function arithmetic(): u32 {
  return carry() | (parity() << 2) | (adjust() << 4) | (<u32>zero() << 6) | (sign() << 7) | (overflow() << 11);
}

/** Sets the six arithmetic flags from an EFLAGS image. */
export function setArithmetic(flags: u32): void {
  const c = flags & 1;
  const o = (flags >> 11) & 1;
  const z = (flags >> 6) & 1;
  const p = (flags >> 2) & 1;
  // Result 0 has even parity, result 1 odd; the parity delta mends the rest, and the sign delta the sign.
  store<i64>(FLAG_RESULT, z ? 0 : 1);
  const parityDelta = p == z ? 0 : 1;
  store<u32>(FLAG_AUX, (c << 31) | ((c ^ o) << 30) | (((flags >> 4) & 1) << 3) | (parityDelta << 8) | ((flags >> 7) & 1));
}

/** CF alone. */
export function setCarry(c: u32): void {
  const o = overflow();
  store<u32>(FLAG_AUX, (load<u32>(FLAG_AUX) & 0x3fffffff) | (c << 31) | ((c ^ o) << 30));
}

/** CF and OF alone. */
export function setCarryOverflow(c: u32, o: u32): void {
  store<u32>(FLAG_AUX, (load<u32>(FLAG_AUX) & 0x3fffffff) | (c << 31) | ((c ^ o) << 30));
}

/** Result flags of a shift or multiplication, with CF and OF given. */
@inline export function flagsResult<T>(r: T, c: u32, o: u32): void {
  store<i64>(FLAG_RESULT, signed<T>(r));
  store<u32>(FLAG_AUX, (c << 31) | ((c ^ o) << 30));
}

/** ZF alone, the others kept. */
export function setZero(z: u32): void {
  setArithmetic((arithmetic() & ~ZF) | (z << 6));
}

@inline export function systemFlags(): u32 {
  return load<u32>(SYSTEM_FLAGS);
}

/** The whole of RFLAGS. */
export function rflags(): u32 {
  return arithmetic() | systemFlags();
}

/** Replaces the flags in `mask` by those of `value`; bit 1 stays set. */
export function setFlags(value: u32, mask: u32): void {
  const all = (rflags() & ~mask) | (value & mask);
  setArithmetic(all);
  store<u32>(SYSTEM_FLAGS, (all & ~ARITHMETIC) | 2);
}

/** Condition code 0 to 15 (SDM vol. 1, appendix B). */
export function condition(code: u32): bool {
  let holds: bool;
  switch (code >> 1) {
    case 0: holds = overflow() != 0; break;
    case 1: holds = carry() != 0; break;
    case 2: holds = zero(); break;
    case 3: holds = carry() != 0 || zero(); break;
    case 4: holds = sign() != 0; break;
    case 5: holds = parity() != 0; break;
    case 6: holds = sign() != overflow(); break;
    default: holds = zero() || sign() != overflow(); break;
  }
  return holds != ((code & 1) != 0);
}
