/** Packed integers of SSSE3 and SSE4.1 (SDM vol. 2): two vectors to one, as in packed.ts. */
import { SSE_A, SSE_B, SSE_RESULT, SSE_WINDOW, XMM } from "../layout";
import * as O from "./operation";
import { joined, shiftBytes } from "./packed";

@inline function evenWords(a: v128, b: v128): v128 {
  return v128.shuffle<u16>(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
}
@inline function oddWords(a: v128, b: v128): v128 {
  return v128.shuffle<u16>(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
}
@inline function evenDoubles(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 0, 2, 4, 6);
}
@inline function oddDoubles(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 1, 3, 5, 7);
}

/** Neighbours of both operands added or subtracted; for MMX `a` holds both operands. */
function neighbours(operation: u32, a: v128, b: v128): v128 {
  switch (operation) {
    case O.PHADDW: return i16x8.add(evenWords(a, b), oddWords(a, b));
    case O.PHADDSW: return i16x8.add_sat_s(evenWords(a, b), oddWords(a, b));
    case O.PHSUBW: return i16x8.sub(evenWords(a, b), oddWords(a, b));
    case O.PHSUBSW: return i16x8.sub_sat_s(evenWords(a, b), oddWords(a, b));
    case O.PHADDD: return i32x4.add(evenDoubles(a, b), oddDoubles(a, b));
    default: return i32x4.sub(evenDoubles(a, b), oddDoubles(a, b));
  }
}

/** Unsigned bytes of `a` by signed ones of `b`, pairs added with saturation. */
function multiplyBytes(a: v128, b: v128): v128 {
  const even = i16x8.mul(v128.and(a, i16x8.splat(0xff)), i16x8.shr_s(i16x8.shl(b, 8), 8));
  const odd = i16x8.mul(i16x8.shr_u(a, 8), i16x8.shr_s(b, 8));
  return i16x8.add_sat_s(even, odd);
}
/** Bits 30:15 of the products, rounded. */
function multiplyRounded(a: v128, b: v128): v128 {
  const half = i32x4.splat(0x4000);
  const low = i32x4.shr_s(i32x4.add(i32x4.extmul_low_i16x8_s(a, b), half), 15);
  const high = i32x4.shr_s(i32x4.add(i32x4.extmul_high_i16x8_s(a, b), half), 15);
  return evenWords(low, high);
}
function align(a: v128, b: v128, by: u32): v128 {
  v128.store(SSE_WINDOW, b);
  v128.store(SSE_WINDOW, a, 16);
  v128.store(SSE_WINDOW, i64x2.splat(0), 32);
  return v128.load(SSE_WINDOW + <usize>min<u32>(by, 32));
}
/** Elements of `size` bytes from `b` where their bit is set. */
function blend(a: v128, b: v128, size: u32, bits: u32): v128 {
  v128.store(SSE_A, a);
  v128.store(SSE_B, b);
  for (let i: u32 = 0; i < 16; i++)
    store<u8>(SSE_RESULT + i, load<u8>(((bits >> (i / size)) & 1 ? SSE_B : SSE_A) + i));
  return v128.load(SSE_RESULT);
}
function smallestWord(b: v128): v128 {
  v128.store(SSE_B, b);
  let index: u32 = 0;
  for (let i: u32 = 1; i < 8; i++) if (load<u16>(SSE_B + (i << 1)) < load<u16>(SSE_B + (index << 1))) index = i;
  return i64x2(<u64>load<u16>(SSE_B + (index << 1)) | (<u64>index << 16), 0);
}
/** MPSADBW: eight sums of four differences between a sliding block of `a` and one of `b`. */
function slidingDifferences(a: v128, b: v128, immediate: u32): v128 {
  v128.store(SSE_A, a);
  v128.store(SSE_B, b);
  const from = SSE_A + (((immediate >> 2) & 1) << 2);
  const block = SSE_B + ((immediate & 3) << 2);
  for (let i: u32 = 0; i < 8; i++) {
    let sum: i32 = 0;
    for (let j: u32 = 0; j < 4; j++) sum += abs<i32>(<i32>load<u8>(from + i + j) - <i32>load<u8>(block + j));
    store<u16>(SSE_RESULT + (i << 1), <u16>sum);
  }
  return v128.load(SSE_RESULT);
}
@inline function lowDoubles(a: v128): v128 {
  return i64x2.shr_s(i64x2.shl(a, 32), 32);
}

export function packedSse4(operation: u32, mmx: bool, a: v128, b: v128, immediate: u32): v128 {
  switch (operation) {
    case O.PSHUFB: return i8x16.swizzle(a, v128.and(b, i8x16.splat(<i8>(mmx ? 0x87 : 0x8f))));
    case O.PHADDW: case O.PHADDD: case O.PHADDSW: case O.PHSUBW: case O.PHSUBD: case O.PHSUBSW:
      return mmx ? neighbours(operation, joined(a, b), a) : neighbours(operation, a, b);
    case O.PMADDUBSW: return multiplyBytes(a, b);
    case O.PSIGNB: {
      const negative = i8x16.shr_s(b, 7);
      return v128.andnot(i8x16.sub(v128.xor(a, negative), negative), i8x16.eq(b, i64x2.splat(0)));
    }
    case O.PSIGNW: {
      const negative = i16x8.shr_s(b, 15);
      return v128.andnot(i16x8.sub(v128.xor(a, negative), negative), i16x8.eq(b, i64x2.splat(0)));
    }
    case O.PSIGND: {
      const negative = i32x4.shr_s(b, 31);
      return v128.andnot(i32x4.sub(v128.xor(a, negative), negative), i32x4.eq(b, i64x2.splat(0)));
    }
    case O.PMULHRSW: return multiplyRounded(a, b);
    case O.PABSB: return i8x16.abs(b);
    case O.PABSW: return i16x8.abs(b);
    case O.PABSD: return i32x4.abs(b);
    case O.PALIGNR: return mmx ? shiftBytes(joined(b, a), true, immediate) : align(a, b, immediate);
    // Masked by the signs of XMM0.
    case O.PBLENDVB: return v128.bitselect(b, a, i8x16.shr_s(v128.load(XMM), 7));
    case O.BLENDVPS: return v128.bitselect(b, a, i32x4.shr_s(v128.load(XMM), 31));
    case O.BLENDVPD: return v128.bitselect(b, a, i64x2.shr_s(v128.load(XMM), 63));
    case O.PMOVSXBW: return i16x8.extend_low_i8x16_s(b);
    case O.PMOVSXBD: return i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(b));
    case O.PMOVSXBQ: return i64x2.extend_low_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(b)));
    case O.PMOVSXWD: return i32x4.extend_low_i16x8_s(b);
    case O.PMOVSXWQ: return i64x2.extend_low_i32x4_s(i32x4.extend_low_i16x8_s(b));
    case O.PMOVSXDQ: return i64x2.extend_low_i32x4_s(b);
    case O.PMOVZXBW: return i16x8.extend_low_i8x16_u(b);
    case O.PMOVZXBD: return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(b));
    case O.PMOVZXBQ: return i64x2.extend_low_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(b)));
    case O.PMOVZXWD: return i32x4.extend_low_i16x8_u(b);
    case O.PMOVZXWQ: return i64x2.extend_low_i32x4_u(i32x4.extend_low_i16x8_u(b));
    case O.PMOVZXDQ: return i64x2.extend_low_i32x4_u(b);
    case O.PMULDQ: return i64x2.mul(lowDoubles(a), lowDoubles(b));
    case O.PCMPEQQ: return i64x2.eq(a, b);
    case O.PACKUSDW: return i16x8.narrow_i32x4_u(a, b);
    case O.PMINSB: return i8x16.min_s(a, b);
    case O.PMINSD: return i32x4.min_s(a, b);
    case O.PMINUW: return i16x8.min_u(a, b);
    case O.PMINUD: return i32x4.min_u(a, b);
    case O.PMAXSB: return i8x16.max_s(a, b);
    case O.PMAXSD: return i32x4.max_s(a, b);
    case O.PMAXUW: return i16x8.max_u(a, b);
    case O.PMAXUD: return i32x4.max_u(a, b);
    case O.PMULLD: return i32x4.mul(a, b);
    case O.PHMINPOSUW: return smallestWord(b);
    case O.BLENDPS: return blend(a, b, 4, immediate);
    case O.BLENDPD: return blend(a, b, 8, immediate);
    case O.PBLENDW: return blend(a, b, 2, immediate);
    default: return slidingDifferences(a, b, immediate);
  }
}
