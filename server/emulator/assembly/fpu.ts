/**
 * The x87 as far as probing and saving its state goes: control and status words, FXSAVE and FXRSTOR. No instruction that
 * computes in its registers exists here; they are storage.
 */
import {
  CR0, CR4, FCW, FOP, FPU_DATA, FPU_INSTRUCTION, FSW, FTW, MODE, MXCSR, RUN_FX_IMAGE, ST, TLB_SET, XMM,
} from "./layout";
import { onward, probeWrite, read, write } from "./access";
import { Reason } from "./events";
import { GP, NM, protection, raise, undefined_ } from "./fault";
import { effective, getRm, linearRead, linearWrite, RAX, setRm, stackBit } from "./operand";
import { mxcsrMask } from "./sse/mxcsr";

const EM_TS: u64 = 12;
const OSFXSR: u64 = 0x200;
const FX_SIZE: u32 = 512;

/** x87 instructions and FXSAVE: #NM with CR0.EM or TS. */
function x87(): void {
  if (load<u64>(CR0) & EM_TS) raise(NM, 0, Reason.DeviceNotAvailable, load<u64>(CR0));
}
export function fwait(op: usize): void {
  if ((load<u64>(CR0) & 10) == 10) raise(NM, 0, Reason.DeviceNotAvailable, load<u64>(CR0));
}
/** Another x87 instruction. */
export function unmodelled(op: usize): void {
  x87();
  undefined_();
}
export function fninit(op: usize): void {
  x87();
  store<u16>(FCW, 0x37f);
  store<u16>(FSW, 0);
  store<u8>(FTW, 0);
  store<u16>(FOP, 0);
  store<u64>(FPU_INSTRUCTION, 0);
  store<u64>(FPU_DATA, 0);
}
export function fnclex(op: usize): void {
  x87();
  store<u16>(FSW, load<u16>(FSW) & 0x7f00);
}
export function fnstswAx(op: usize): void {
  x87();
  store<u16>(RAX, load<u16>(FSW));
}
export function fnstsw(op: usize): void {
  x87();
  setRm<u16>(op, load<u16>(FSW));
}
export function fnstcw(op: usize): void {
  x87();
  setRm<u16>(op, load<u16>(FCW));
}
export function fldcw(op: usize): void {
  x87();
  store<u16>(FCW, getRm<u16>(op) | 0x40);
}
/** ST(i). The area holds the registers by their physical numbers, as MMX sees them; images hold them from TOP on. */
function stackRegister(i: u32): usize {
  return ST + ((((<u32>load<u16>(FSW) >> 11) + i) & 7) << 4);
}

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
  x87();
  const at = linearWrite(op, effective(op), FX_SIZE);
  if (at & 15) raise(GP, 0, Reason.Alignment, at, 16);
  const stack = stackBit(op);
  // All 512 bytes must be writable, those that stay as they are too.
  probeWrite(at, 8, stack, load<u32>(TLB_SET));
  if (crossesPage(at)) probeWrite(nextPage(at), 8, stack, load<u32>(TLB_SET));
  write<u64>(at, load<u16>(FCW) | (<u64>load<u16>(FSW) << 16) | (<u64>load<u8>(FTW) << 32) | (<u64>load<u16>(FOP) << 48), stack);
  write<u64>(at + 8, load<u64>(FPU_INSTRUCTION), stack);
  write<u64>(at + 16, load<u64>(FPU_DATA), stack);
  write<u64>(at + 24, <u64>load<u32>(MXCSR) | (<u64>mxcsrMask() << 32), stack);
  for (let i: u32 = 0; i < 8; i++) {
    write<u64>(at + 32 + (i << 4), load<u64>(stackRegister(i)), stack);
    write<u64>(at + 40 + (i << 4), load<u16>(stackRegister(i), 8), stack);
  }
  if (!(load<u64>(CR4) & OSFXSR)) return;
  for (let i: u32 = 0; i < xmmBytes(); i += 8) write<u64>(at + 160 + i, load<u64>(XMM + i), stack);
}

export function fxrstor(op: usize): void {
  x87();
  const at = linearRead(op, effective(op), FX_SIZE);
  if (at & 15) raise(GP, 0, Reason.Alignment, at, 16);
  const stack = stackBit(op);
  const end: u32 = 160 + xmmBytes();
  read<u64>(at, stack);
  if (crossesPage(at)) read<u64>(nextPage(at), stack);
  for (let i: u32 = 0; i < end; i += 8) store<u64>(RUN_FX_IMAGE + i, read<u64>(at + i, stack));
  const control = load<u64>(RUN_FX_IMAGE);
  const mxcsr = load<u32>(RUN_FX_IMAGE + 24);
  if (mxcsr & ~mxcsrMask()) protection(Reason.MxcsrReserved, mxcsr);
  store<u16>(FCW, <u16>control | 0x40);
  store<u16>(FSW, <u16>(control >> 16));
  store<u8>(FTW, <u8>(control >> 32));
  store<u16>(FOP, <u16>(control >> 48) & 0x7ff);
  store<u64>(FPU_INSTRUCTION, load<u64>(RUN_FX_IMAGE + 8));
  store<u64>(FPU_DATA, load<u64>(RUN_FX_IMAGE + 16));
  store<u32>(MXCSR, mxcsr);
  for (let i: u32 = 0; i < 8; i++) memory.copy(stackRegister(i), RUN_FX_IMAGE + 32 + (i << 4), 10);
  if (load<u64>(CR4) & OSFXSR) memory.copy(XMM, RUN_FX_IMAGE + 160, xmmBytes());
}
