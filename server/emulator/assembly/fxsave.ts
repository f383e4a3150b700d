/**
 * FXSAVE and FXRSTOR, and the legacy region that XSAVE shares with them (SDM vol. 1, 10.5, 13.4.1; APM vol. 2, 11.4.4).
 * Without a pending exception AMD processors save no opcode and pointers of the x87: those that do not report RstrFpErrPtrs
 * leave memory alone and restore nothing either; the others write zeros and restore whatever is there (AMD family 26).
 */
import {
  CPL, CPUID_88_EBX, CR4, EFER, FEATURES, FOP, FPU_CS, FPU_DATA, FPU_DS, FPU_INSTRUCTION, FSW, HAS_AMD, MODE, MXCSR,
  RUN_FX_IMAGE, TLB_SET, XMM,
} from "./layout";
import { onward, probeRead, probeWrite, read, write } from "./access";
import { Reason } from "./events";
import { GP, protection, raise } from "./fault";
import { OP_OPERAND } from "./op";
import { effective, linearRead, linearWrite, stackBit } from "./operand";
import { mxcsrMask } from "./sse/mxcsr";
import { IMAGE_WORDS, imageWord, setImage } from "./x87/image";
import { available } from "./x87/status";

const OSFXSR: u64 = 0x200;
const FFXSR: u64 = 0x4000;
const RESTORES_POINTERS: u32 = 4;
const EXCEPTION_SUMMARY: u32 = 0x80;
export const FX_SIZE: u32 = 512;
/** MXCSR and its mask lie in this quadword of the image. */
const MXCSR_WORD: u32 = 3;

/** Whether opcode and pointers are saved, where the status word is `status`. */
function savesPointers(status: u32): bool {
  return !(load<u32>(FEATURES) & HAS_AMD) || (status & EXCEPTION_SUMMARY) != 0;
}
@inline function restoresPointers(): bool {
  return (load<u32>(CPUID_88_EBX) & RESTORES_POINTERS) != 0;
}
/** Sixteen XMM registers in 64-bit mode, else eight. */
export function xmmBytes(): u32 {
  return load<u8>(MODE) == 2 ? 256 : 128;
}
/** AMD's fast form: 64-bit mode at CPL 0 with EFER.FFXSR has no XMM registers in the image. */
function movesXmm(): bool {
  if (!(load<u64>(CR4) & OSFXSR)) return false;
  return !(load<u64>(EFER) & FFXSR) || load<u8>(MODE) != 2 || load<u8>(CPL) != 0;
}

export function saveX87(at: u64, wide: bool, stack: u32): void {
  if (savesPointers(load<u16>(FSW))) {
    write<u64>(at, imageWord(0, wide), stack);
    write<u64>(at + 8, imageWord(1, wide), stack);
    write<u64>(at + 16, imageWord(2, wide), stack);
  } else {
    write<u32>(at, <u32>imageWord(0, wide), stack);
    write<u16>(at + 4, <u16>(imageWord(0, wide) >> 32), stack);
    if (restoresPointers()) {
      write<u16>(at + 6, 0, stack);
      write<u64>(at + 8, 0, stack);
      write<u64>(at + 16, 0, stack);
    }
  }
  for (let i = MXCSR_WORD + 1; i < IMAGE_WORDS; i++) write<u64>(at + (i << 3), imageWord(i, wide), stack);
}
export function saveMxcsr(at: u64, stack: u32): void {
  write<u64>(at + 24, <u64>load<u32>(MXCSR) | (<u64>mxcsrMask() << 32), stack);
}
export function saveXmm(at: u64, stack: u32): void {
  for (let i: u32 = 0; i < xmmBytes(); i += 8) write<u64>(at + 160 + i, load<u64>(XMM + i), stack);
}

/** Copies bytes `[from, to)` of the image to RUN_FX_IMAGE, whole quadwords. */
export function fetchImage(at: u64, from: u32, to: u32, stack: u32): void {
  for (let i = from; i < to; i += 8) store<u64>(RUN_FX_IMAGE + i, read<u64>(at + i, stack));
}
/** MXCSR of the fetched image; #GP(0) for a bit that does not exist. */
export function checkedMxcsr(): u32 {
  const value = load<u32>(RUN_FX_IMAGE + 24);
  if (value & ~mxcsrMask()) protection(Reason.MxcsrReserved, value);
  return value;
}
export function loadX87(wide: bool): void {
  const opcode = load<u16>(FOP);
  const instruction = load<u64>(FPU_INSTRUCTION);
  const data = load<u64>(FPU_DATA);
  const fcs = load<u16>(FPU_CS);
  const fds = load<u16>(FPU_DS);
  setImage(RUN_FX_IMAGE, wide);
  if (restoresPointers() || savesPointers(load<u16>(RUN_FX_IMAGE + 2))) return;
  store<u16>(FOP, opcode);
  store<u64>(FPU_INSTRUCTION, instruction);
  store<u64>(FPU_DATA, data);
  store<u16>(FPU_CS, fcs);
  store<u16>(FPU_DS, fds);
}
export function loadXmm(): void {
  memory.copy(XMM, RUN_FX_IMAGE + 160, xmmBytes());
}

/** All bytes of `[at, at + size)`, which crosses at most one page, must be writable before the first changes. */
export function probeArea(at: u64, size: u32, stack: u32): void {
  const set = load<u32>(TLB_SET);
  probeWrite(at, 8, stack, set);
  if ((at & 0xfff) + size > 0x1000) probeWrite(onward(at | 0xfff, 1), 8, stack, set);
}

/** The same for a read: the bytes that nobody looks at are part of the operand too. */
export function probeReadArea(at: u64, size: u32, stack: u32): void {
  const set = load<u32>(TLB_SET);
  probeRead(at, 8, stack, set);
  if ((at & 0xfff) + size > 0x1000) probeRead(onward(at | 0xfff, 1), 8, stack, set);
}

/** The reserved bytes at the end stay as they are. */
export function fxsave(op: usize): void {
  available();
  const at = linearWrite(op, effective(op), FX_SIZE);
  if (at & 15) raise(GP, 0, Reason.Alignment, at, 16);
  const stack = stackBit(op);
  probeArea(at, FX_SIZE, stack);
  saveX87(at, load<u8>(op, OP_OPERAND) == 3, stack);
  saveMxcsr(at, stack);
  if (movesXmm()) saveXmm(at, stack);
}

export function fxrstor(op: usize): void {
  available();
  const at = linearRead(op, effective(op), FX_SIZE);
  if (at & 15) raise(GP, 0, Reason.Alignment, at, 16);
  const stack = stackBit(op);
  probeReadArea(at, FX_SIZE, stack);
  fetchImage(at, 0, 160 + xmmBytes(), stack);
  const mxcsr = checkedMxcsr();
  loadX87(load<u8>(op, OP_OPERAND) == 3);
  store<u32>(MXCSR, mxcsr);
  if (movesXmm()) loadXmm();
}
