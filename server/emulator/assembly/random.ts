/**
 * RDRAND and RDSEED (SDM vol. 2): always successful, and the same numbers in every run, from a generator of 64 bits of state
 * per vCPU that begins at the vCPU's number. No CPU model offers them unless it is asked to, since a guest may take them for real entropy.
 */
import { RANDOM } from "./layout";
import { setArithmetic } from "./flags";
import { rmOf, setRegister } from "./operand";

/** Splitmix64: a Weyl sequence through a mixing function. */
function next(): u64 {
  const state = load<u64>(RANDOM) + 0x9e3779b97f4a7c15;
  store<u64>(RANDOM, state);
  let x = state;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}
/** CF says that the number is valid; the other arithmetic flags become 0. */
export function random<T>(op: usize): void {
  setRegister<T>(rmOf(op), <T>next());
  setArithmetic(1);
}
