/** Integers of 128 bits, as far as significands need them. The second half of a result is in `lower` or `remainder`. */

/** The low 64 bits of the last `multiply`, `shiftRightJam`. */
export let lower: u64 = 0;
/** What the last `divide` left over. */
export let remainder: u64 = 0;

/** High half of the 128-bit product; the low half is in `lower`. */
export function multiply(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff;
  const a1 = a >> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >> 32;
  const p00 = a0 * b0;
  const p01 = a0 * b1;
  const p10 = a1 * b0;
  const middle = (p00 >> 32) + (p01 & 0xffffffff) + (p10 & 0xffffffff);
  lower = (middle << 32) | (p00 & 0xffffffff);
  return a1 * b1 + (p01 >> 32) + (p10 >> 32) + (middle >> 32);
}

/** One digit of 32 bits of a quotient (Knuth, TAOCP vol. 2, 4.3.1, algorithm D): `n` ≈ rest:next digit, over d1:d0. */
@inline function digit(rest: u64, next: u64, d1: u64, d0: u64): u64 {
  let q = rest / d1;
  let r = rest % d1;
  while (q > 0xffffffff || q * d0 > ((r << 32) | next)) {
    q--;
    r += d1;
    if (r > 0xffffffff) break;
  }
  return q;
}

/** (high:low) / divisor for high < divisor and a divisor with its top bit set. */
export function divide(high: u64, low: u64, divisor: u64): u64 {
  const d1 = divisor >> 32;
  const d0 = divisor & 0xffffffff;
  const q1 = digit(high, low >> 32, d1, d0);
  const rest = ((high << 32) | (low >> 32)) - q1 * divisor;
  const q0 = digit(rest, low & 0xffffffff, d1, d0);
  remainder = ((rest << 32) | (low & 0xffffffff)) - q0 * divisor;
  return (q1 << 32) | q0;
}

/** (high:low) >> count; bits that fall out leave bit 0 set. */
export function shiftRightJam(high: u64, low: u64, count: u64): u64 {
  if (count == 0) {
    lower = low;
    return high;
  }
  if (count < 64) {
    lower = (high << (64 - count)) | (low >> count) | <u64>(low << (64 - count) != 0);
    return high >> count;
  }
  if (count == 64) lower = high | <u64>(low != 0);
  else if (count < 128) lower = (high >> (count - 64)) | <u64>(((high << (128 - count)) | low) != 0);
  else lower = <u64>((high | low) != 0);
  return 0;
}
