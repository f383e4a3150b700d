/** Packed integers, logic and shuffles: two vectors to one (SDM vol. 2). An MMX form is computed in the low half. */
import { SSE_A, SSE_B, SSE_RESULT, SSE_WINDOW } from "../layout";
import * as O from "./operation";

/** The low halves of both, one behind the other: what MMX packs. */
@inline export function joined(a: v128, b: v128): v128 {
  return v128.shuffle<u64>(a, b, 0, 2);
}
@inline function upper(a: v128): v128 {
  return v128.shuffle<u64>(a, a, 1, 1);
}
@inline function count(b: v128): u64 {
  return i64x2.extract_lane(b, 0);
}
/** A count beyond the width shifts everything out, or fills with the sign. */
@inline function within(n: u64, most: u64): i32 {
  return <i32>min<u64>(n, most);
}
@inline function nothing(): v128 {
  return i64x2.splat(0);
}

@inline function highWords(low: v128, high: v128): v128 {
  return v128.shuffle<u16>(low, high, 1, 3, 5, 7, 9, 11, 13, 15);
}
function sumOfDifferences(a: v128, b: v128): v128 {
  const difference = i8x16.sub(i8x16.max_u(a, b), i8x16.min_u(a, b));
  const sums = i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(difference));
  return v128.and(i64x2.add(sums, i64x2.shr_u(sums, 32)), i64x2.splat(0xffff));
}
export function shiftBytes(a: v128, right: bool, by: u64): v128 {
  const n = <usize>min<u64>(by, 16);
  v128.store(SSE_WINDOW, right ? a : nothing());
  v128.store(SSE_WINDOW, right ? nothing() : a, 16);
  return v128.load(SSE_WINDOW + (right ? n : 16 - n));
}
/** Four words of the half at `offset`, by two bits each; the other half stays. */
function shuffleWords(b: v128, offset: usize, order: u32): v128 {
  v128.store(SSE_B, b);
  v128.store(SSE_RESULT, b);
  for (let i: usize = 0; i < 4; i++)
    store<u16>(SSE_RESULT + offset + (i << 1), load<u16>(SSE_B + offset + (((order >> (<u32>i << 1)) & 3) << 1)));
  return v128.load(SSE_RESULT);
}
/** Two doublewords of `a`, then two of `b`. */
function shuffleDoubles(a: v128, b: v128, order: u32): v128 {
  v128.store(SSE_A, a);
  v128.store(SSE_B, b);
  for (let i: usize = 0; i < 4; i++)
    store<u32>(SSE_RESULT + (i << 2), load<u32>((i < 2 ? SSE_A : SSE_B) + (((order >> (<u32>i << 1)) & 3) << 2)));
  return v128.load(SSE_RESULT);
}

export function packed(operation: u32, mmx: bool, a: v128, b: v128, immediate: u32): v128 {
  switch (operation) {
    case O.PUNPCKLBW: return v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    case O.PUNPCKLWD: return v128.shuffle<u16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    case O.PUNPCKLDQ: return v128.shuffle<u32>(a, b, 0, 4, 1, 5);
    case O.PUNPCKLQDQ: return v128.shuffle<u64>(a, b, 0, 2);
    case O.PUNPCKHBW:
      if (mmx) return upper(packed(O.PUNPCKLBW, false, a, b, 0));
      return v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    case O.PUNPCKHWD:
      if (mmx) return upper(packed(O.PUNPCKLWD, false, a, b, 0));
      return v128.shuffle<u16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
    case O.PUNPCKHDQ:
      if (mmx) return upper(packed(O.PUNPCKLDQ, false, a, b, 0));
      return v128.shuffle<u32>(a, b, 2, 6, 3, 7);
    case O.PUNPCKHQDQ: return v128.shuffle<u64>(a, b, 1, 3);
    case O.PACKSSWB: return mmx ? i8x16.narrow_i16x8_s(joined(a, b), a) : i8x16.narrow_i16x8_s(a, b);
    case O.PACKUSWB: return mmx ? i8x16.narrow_i16x8_u(joined(a, b), a) : i8x16.narrow_i16x8_u(a, b);
    case O.PACKSSDW: return mmx ? i16x8.narrow_i32x4_s(joined(a, b), a) : i16x8.narrow_i32x4_s(a, b);
    case O.PCMPGTB: return i8x16.gt_s(a, b);
    case O.PCMPGTW: return i16x8.gt_s(a, b);
    case O.PCMPGTD: return i32x4.gt_s(a, b);
    case O.PCMPEQB: return i8x16.eq(a, b);
    case O.PCMPEQW: return i16x8.eq(a, b);
    case O.PCMPEQD: return i32x4.eq(a, b);
    case O.PSRLW: return count(b) > 15 ? nothing() : i16x8.shr_u(a, <i32>count(b));
    case O.PSRLD: return count(b) > 31 ? nothing() : i32x4.shr_u(a, <i32>count(b));
    case O.PSRLQ: return count(b) > 63 ? nothing() : i64x2.shr_u(a, <i32>count(b));
    case O.PSRAW: return i16x8.shr_s(a, within(count(b), 15));
    case O.PSRAD: return i32x4.shr_s(a, within(count(b), 31));
    case O.PSLLW: return count(b) > 15 ? nothing() : i16x8.shl(a, <i32>count(b));
    case O.PSLLD: return count(b) > 31 ? nothing() : i32x4.shl(a, <i32>count(b));
    case O.PSLLQ: return count(b) > 63 ? nothing() : i64x2.shl(a, <i32>count(b));
    case O.PSRLDQ: return shiftBytes(a, true, count(b));
    case O.PSLLDQ: return shiftBytes(a, false, count(b));
    case O.PADDB: return i8x16.add(a, b);
    case O.PADDW: return i16x8.add(a, b);
    case O.PADDD: return i32x4.add(a, b);
    case O.PADDQ: return i64x2.add(a, b);
    case O.PSUBB: return i8x16.sub(a, b);
    case O.PSUBW: return i16x8.sub(a, b);
    case O.PSUBD: return i32x4.sub(a, b);
    case O.PSUBQ: return i64x2.sub(a, b);
    case O.PADDSB: return i8x16.add_sat_s(a, b);
    case O.PADDSW: return i16x8.add_sat_s(a, b);
    case O.PADDUSB: return i8x16.add_sat_u(a, b);
    case O.PADDUSW: return i16x8.add_sat_u(a, b);
    case O.PSUBSB: return i8x16.sub_sat_s(a, b);
    case O.PSUBSW: return i16x8.sub_sat_s(a, b);
    case O.PSUBUSB: return i8x16.sub_sat_u(a, b);
    case O.PSUBUSW: return i16x8.sub_sat_u(a, b);
    case O.PMULLW: return i16x8.mul(a, b);
    case O.PMULHW: return highWords(i32x4.extmul_low_i16x8_s(a, b), i32x4.extmul_high_i16x8_s(a, b));
    case O.PMULHUW: return highWords(i32x4.extmul_low_i16x8_u(a, b), i32x4.extmul_high_i16x8_u(a, b));
    case O.PMULUDQ: return i64x2.mul(v128.and(a, i64x2.splat(0xffffffff)), v128.and(b, i64x2.splat(0xffffffff)));
    case O.PMADDWD: return i32x4.dot_i16x8_s(a, b);
    case O.PSADBW: return sumOfDifferences(a, b);
    case O.PAVGB: return i8x16.avgr_u(a, b);
    case O.PAVGW: return i16x8.avgr_u(a, b);
    case O.PMINUB: return i8x16.min_u(a, b);
    case O.PMAXUB: return i8x16.max_u(a, b);
    case O.PMINSW: return i16x8.min_s(a, b);
    case O.PMAXSW: return i16x8.max_s(a, b);
    case O.AND: return v128.and(a, b);
    case O.ANDN: return v128.andnot(b, a);
    case O.OR: return v128.or(a, b);
    case O.XOR: return v128.xor(a, b);
    case O.PSHUFW: case O.PSHUFLW: return shuffleWords(b, 0, immediate);
    case O.PSHUFHW: return shuffleWords(b, 8, immediate);
    case O.PSHUFD: return shuffleDoubles(b, b, immediate);
    case O.SHUFPS: return shuffleDoubles(a, b, immediate);
    default:
      // SHUFPD
      return i64x2(
        immediate & 1 ? i64x2.extract_lane(a, 1) : i64x2.extract_lane(a, 0),
        immediate & 2 ? i64x2.extract_lane(b, 1) : i64x2.extract_lane(b, 0),
      );
  }
}
