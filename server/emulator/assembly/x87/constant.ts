/** FLD1 and the other constants (SDM vol. 1, 8.3.4): 66 bits of each are kept, and rounded as the control word says. */
import { DOWN, rounding, TO_ZERO, UP } from "../float/environment";
import { beginPush } from "./transfer";
import { setRaw, setTop, top } from "./registers";
import { begin, C1, note, setCodes } from "./status";

/**
 * In the order of ModRM.rm: 1, log2 10, log2 e, π, log10 2, ln 2, 0. The significands are rounded to nearest; whether the
 * true value is below (-1) or above (1) decides what the other modes do.
 */
const HEADS = memory.data<u16>([0x3fff, 0x4000, 0x3fff, 0x4000, 0x3ffd, 0x3ffe, 0]);
const SIGNIFICANDS = memory.data<u64>([
  0x8000000000000000, 0xd49a784bcd1b8afe, 0xb8aa3b295c17f0bc, 0xc90fdaa22168c235, 0x9a209a84fbcff799, 0xb17217f7d1cf79ac, 0,
]);
const BEYOND = memory.data<i8>([0, 1, -1, -1, -1, -1, 0]);

export function loadConstant(op: usize, which: u32): void {
  begin();
  note(op);
  if (!beginPush(op)) return;
  const beyond = load<i8>(BEYOND + which);
  let significand = load<u64>(SIGNIFICANDS + (<usize>which << 3));
  if (beyond > 0 && rounding == UP) significand++;
  if (beyond < 0 && (rounding == DOWN || rounding == TO_ZERO)) significand--;
  setCodes(C1, 0);
  setTop(top() - 1);
  setRaw(0, load<u16>(HEADS + (<usize>which << 1)), significand);
}
