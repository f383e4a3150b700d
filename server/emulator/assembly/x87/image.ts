/** The x87 part of the FXSAVE and XSAVE images (SDM vol. 1, 10.5.1): registers in the order of the stack, tags a bit each. */
import { FCW, FOP, FPU_CS, FPU_DATA, FPU_DS, FPU_INSTRUCTION, FSW, FTW } from "../layout";
import { setControl } from "./control";
import { addressOf, setRaw } from "./registers";

/** Quadwords of the image: number 3 is MXCSR and its mask, which are not the x87's; 4 to 19 are the registers. */
export const IMAGE_WORDS: u32 = 20;

/** Quadword `index` of the image; with REX.W the pointers have 64 bits and no selectors. */
export function imageWord(index: u32, wide: bool): u64 {
  if (index == 0)
    return (
      load<u16>(FCW) | (<u64>load<u16>(FSW) << 16) | (<u64>load<u8>(FTW) << 32) | (<u64>(load<u16>(FOP) & 0x7ff) << 48)
    );
  if (index == 1) return pointer(load<u64>(FPU_INSTRUCTION), load<u16>(FPU_CS), wide);
  if (index == 2) return pointer(load<u64>(FPU_DATA), load<u16>(FPU_DS), wide);
  const at = addressOf((index - 4) >> 1);
  return index & 1 ? <u64>load<u16>(at, 8) : load<u64>(at);
}
function pointer(offset: u64, selector: u32, wide: bool): u64 {
  return wide ? offset : (offset & 0xffffffff) | (<u64>selector << 32);
}

/** Loads all of it from a copy of the image. */
export function setImage(from: usize, wide: bool): void {
  store<u16>(FSW, load<u16>(from, 2));
  setControl(load<u16>(from));
  const instruction = load<u64>(from, 8);
  const data = load<u64>(from, 16);
  store<u64>(FPU_INSTRUCTION, wide ? instruction : instruction & 0xffffffff);
  store<u64>(FPU_DATA, wide ? data : data & 0xffffffff);
  store<u16>(FPU_CS, wide ? 0 : <u16>(instruction >> 32));
  store<u16>(FPU_DS, wide ? 0 : <u16>(data >> 32));
  for (let i: u32 = 0; i < 8; i++)
    setRaw(i, load<u16>(from + (<usize>i << 4), 40), load<u64>(from + (<usize>i << 4), 32));
  store<u8>(FTW, load<u8>(from, 4));
  store<u16>(FOP, load<u16>(from, 6) & 0x7ff);
}
