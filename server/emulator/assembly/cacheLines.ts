/** Instructions on whole caches and CLZERO (SDM vol. 2, WBINVD, WBNOINVD, INVD; APM vol. 3). No cache is modelled. */
import { ADDRESS_MASKS, TLB_SET } from "./layout";
import { probeWrite, write } from "./access";
import { privileged } from "./control";
import { OP_ADDRESS } from "./op";
import { linearWrite, RAX, stackBit } from "./operand";

const LINE: u64 = 64;

export function wbinvd(op: usize): void {
  privileged();
}
/** CLZERO (AMD): zeros the line of linear memory that rAX, cut to the address size, points into. */
export function clzero(op: usize): void {
  const offset = load<u64>(RAX) & load<u64>(ADDRESS_MASKS + (<usize>load<u8>(op, OP_ADDRESS) << 3));
  const at = linearWrite(op, offset, 1) & ~(LINE - 1);
  const stack = stackBit(op);
  probeWrite(at, 8, stack, load<u32>(TLB_SET));
  for (let i: u64 = 0; i < LINE; i += 8) write<u64>(at + i, 0, stack);
}
