/** FXSAVE and FXRSTOR. */
import { CR4, MODE, MXCSR, RUN_FX_IMAGE, TLB_SET, XMM } from "./layout";
import { onward, probeWrite, read, write } from "./access";
import { Reason } from "./events";
import { GP, protection, raise } from "./fault";
import { OP_OPERAND } from "./op";
import { effective, linearRead, linearWrite, stackBit } from "./operand";
import { mxcsrMask } from "./sse/mxcsr";
import { IMAGE_WORDS, imageWord, setImage } from "./x87/image";
import { available } from "./x87/status";

const OSFXSR: u64 = 0x200;
const FX_SIZE: u32 = 512;

/** Sixteen XMM registers in 64-bit mode, else eight. */
function xmmBytes(): u32 {
  return load<u8>(MODE) == 2 ? 256 : 128;
}

@inline function crossesPage(at: u64): bool {
  return (at & 0xfff) > 0x1000 - FX_SIZE;
}
@inline function nextPage(at: u64): u64 {
  return onward(at | 0xfff, 1);
}

/** FXSAVE (SDM vol. 1, 10.5): the reserved bytes at the end stay as they are. */
export function fxsave(op: usize): void {
  available();
  const at = linearWrite(op, effective(op), FX_SIZE);
  if (at & 15) raise(GP, 0, Reason.Alignment, at, 16);
  const stack = stackBit(op);
  // All 512 bytes must be writable, those that stay as they are too.
  probeWrite(at, 8, stack, load<u32>(TLB_SET));
  if (crossesPage(at)) probeWrite(nextPage(at), 8, stack, load<u32>(TLB_SET));
  const wide = load<u8>(op, OP_OPERAND) == 3;
  for (let i: u32 = 0; i < IMAGE_WORDS; i++) if (i != 3) write<u64>(at + (i << 3), imageWord(i, wide), stack);
  write<u64>(at + 24, <u64>load<u32>(MXCSR) | (<u64>mxcsrMask() << 32), stack);
  if (!(load<u64>(CR4) & OSFXSR)) return;
  for (let i: u32 = 0; i < xmmBytes(); i += 8) write<u64>(at + 160 + i, load<u64>(XMM + i), stack);
}

export function fxrstor(op: usize): void {
  available();
  const at = linearRead(op, effective(op), FX_SIZE);
  if (at & 15) raise(GP, 0, Reason.Alignment, at, 16);
  const stack = stackBit(op);
  const end: u32 = 160 + xmmBytes();
  read<u64>(at, stack);
  if (crossesPage(at)) read<u64>(nextPage(at), stack);
  for (let i: u32 = 0; i < end; i += 8) store<u64>(RUN_FX_IMAGE + i, read<u64>(at + i, stack));
  const mxcsr = load<u32>(RUN_FX_IMAGE + 24);
  if (mxcsr & ~mxcsrMask()) protection(Reason.MxcsrReserved, mxcsr);
  setImage(RUN_FX_IMAGE, load<u8>(op, OP_OPERAND) == 3);
  store<u32>(MXCSR, mxcsr);
  if (load<u64>(CR4) & OSFXSR) memory.copy(XMM, RUN_FX_IMAGE + 160, xmmBytes());
}
