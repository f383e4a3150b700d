/**
 * The x87 register stack (SDM vol. 1, 8.1.2). Registers are kept by their physical number, as MMX sees them; ST(i) is
 * register TOP + i. The tag word is a bit per full register; which kind of number it holds is found when it is asked for.
 */
import { FSW, FTW, ST } from "../layout";
import { headF80 } from "../float/round";
import { high, setIndefinite, unpackF80 } from "../float/number";

@inline export function top(): u32 {
  return (load<u16>(FSW) >> 11) & 7;
}
export function setTop(number: u32): void {
  store<u16>(FSW, <u16>((load<u16>(FSW) & 0xc7ff) | ((number & 7) << 11)));
}
/** Where ST(i) lies: significand u64, sign and exponent u16. */
@inline export function addressOf(i: u32): usize {
  return ST + <usize>(((top() + i) & 7) << 4);
}
@inline function bitOf(i: u32): u32 {
  return 1 << ((top() + i) & 7);
}
@inline export function isEmpty(i: u32): bool {
  return (load<u8>(FTW) & bitOf(i)) == 0;
}
export function markFull(i: u32): void {
  store<u8>(FTW, <u8>(load<u8>(FTW) | bitOf(i)));
}
export function markEmpty(i: u32): void {
  store<u8>(FTW, <u8>(load<u8>(FTW) & ~bitOf(i)));
}
export function pop(): void {
  markEmpty(0);
  setTop(top() + 1);
}

/** ST(i) to the accumulator. */
export function getST(i: u32): void {
  const at = addressOf(i);
  unpackF80(load<u16>(at, 8), load<u64>(at));
}
/** The rounded accumulator to ST(i). */
export function setST(i: u32): void {
  setRaw(i, headF80(), high);
}
export function setRaw(i: u32, head: u32, significand: u64): void {
  const at = addressOf(i);
  store<u64>(at, significand);
  store<u64>(at, head, 8);
  markFull(i);
}
export function setSTIndefinite(i: u32): void {
  setIndefinite();
  setST(i);
}

/** The two tag bits of physical register `number` (SDM vol. 1, 8.1.7): 0 valid, 1 zero, 2 special, 3 empty. */
export function tagOf(number: u32): u32 {
  if (!((load<u8>(FTW) >> number) & 1)) return 3;
  const at = ST + <usize>(number << 4);
  const exponent = load<u16>(at, 8) & 0x7fff;
  const significand = load<u64>(at);
  if (exponent == 0) return significand ? 2 : 1;
  return exponent == 0x7fff || significand >> 63 == 0 ? 2 : 0;
}
