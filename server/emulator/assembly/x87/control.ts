/** Control instructions: FNINIT, FNCLEX, control and status words, the environment and the whole state (SDM vol. 1, 8.1.10). */
import {
  CR0, FCW, FOP, FPU_CS, FPU_DATA, FPU_DS, FPU_INSTRUCTION, FSW, FTW, SYSTEM_FLAGS, TLB_SET,
} from "../layout";
import { onward, probeWrite, read, write } from "../access";
import { VM } from "../flags";
import { OP_OPERAND } from "../op";
import { effective, linearRead, linearWrite, loadOperand, RAX, stackBit, storeOperand } from "../operand";
import { addressOf, setRaw, tagOf } from "./registers";
import { setCodes, summarize } from "./status";

const EXCEPTIONS_BUSY: u32 = 0x80ff;
/** Bits of the control word that exist; bit 6 reads as 1. */
const CONTROL_BITS: u16 = 0x1f3f;

export function setControl(value: u16): void {
  store<u16>(FCW, (value & CONTROL_BITS) | 0x40);
  summarize();
}

export function fninit(): void {
  store<u16>(FCW, 0x37f);
  store<u16>(FSW, 0);
  store<u8>(FTW, 0);
  store<u16>(FOP, 0);
  store<u64>(FPU_INSTRUCTION, 0);
  store<u64>(FPU_DATA, 0);
  store<u16>(FPU_CS, 0);
  store<u16>(FPU_DS, 0);
}
export function fnclex(): void {
  setCodes(EXCEPTIONS_BUSY, 0);
}
export function fnstswAx(): void {
  store<u16>(RAX, load<u16>(FSW));
}
export function fnstsw(op: usize): void {
  storeOperand<u16>(op, load<u16>(FSW));
}
export function fnstcw(op: usize): void {
  storeOperand<u16>(op, load<u16>(FCW));
}
export function fldcw(op: usize): void {
  setControl(loadOperand<u16>(op));
}

// ---- The environment: 7 words, or 7 doublewords whose upper halves are ones where they are reserved ----
/** A word of the environment at its index, in the 16-bit or 32-bit layout. */
let wide: bool = false;
let base: u64 = 0;
let stack: u32 = 0;
/** Real-address and V86 layout: linear addresses instead of selectors and offsets. */
let linear: bool = false;

function locate(op: usize): u32 {
  wide = load<u8>(op, OP_OPERAND) != 1;
  stack = stackBit(op);
  linear = !(load<u64>(CR0) & 1) || (load<u32>(SYSTEM_FLAGS) & VM) != 0;
  return wide ? 28 : 14;
}
function at(index: u32): u64 {
  return onward(base, index << (wide ? 2 : 1));
}
function put(index: u32, value: u32): void {
  if (wide) write<u32>(at(index), value, stack);
  else write<u16>(at(index), <u16>value, stack);
}
function get(index: u32): u32 {
  return wide ? read<u32>(at(index), stack) : <u32>read<u16>(at(index), stack);
}

/** All bytes must be writable before the first changes. */
function locateForWrite(op: usize, registers: u32): void {
  const size = locate(op) + registers;
  base = linearWrite(op, effective(op), size);
  const set = load<u32>(TLB_SET);
  const unit: u32 = wide ? 4 : 2;
  probeWrite(base, unit, stack, set);
  probeWrite(onward(base, size - unit), unit, stack, set);
}

function fullTag(): u32 {
  let tag: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) tag |= tagOf(i) << (i << 1);
  return tag;
}

function putEnvironment(): void {
  const instruction = load<u64>(FPU_INSTRUCTION);
  const data = load<u64>(FPU_DATA);
  const fcs = <u32>load<u16>(FPU_CS);
  const fds = <u32>load<u16>(FPU_DS);
  const opcode = <u32>load<u16>(FOP) & 0x7ff;
  const ones: u32 = wide ? 0xffff0000 : 0;
  put(0, ones | load<u16>(FCW));
  put(1, ones | load<u16>(FSW));
  put(2, ones | fullTag());
  if (linear) {
    const ip = <u32>instruction + (fcs << 4);
    const dp = <u32>data + (fds << 4);
    put(3, (wide ? 0xffff0000 : 0) | (ip & 0xffff));
    put(4, (wide ? (ip >> 16 & 0xffff) << 12 : ip >> 16 << 12) | opcode);
    put(5, (wide ? 0xffff0000 : 0) | (dp & 0xffff));
    put(6, wide ? (dp >> 16 & 0xffff) << 12 : dp >> 16 << 12);
  } else {
    put(3, <u32>instruction);
    put(4, wide ? fcs | (opcode << 16) : fcs);
    put(5, <u32>data);
    put(6, ones | fds);
  }
}

/** FNSTENV masks all exceptions behind it. */
export function fnstenv(op: usize): void {
  locateForWrite(op, 0);
  putEnvironment();
  store<u16>(FCW, load<u16>(FCW) | 63);
  summarize();
}
/** The alignment of FSAVE and FRSTOR is that of their words (SDM vol. 3, table 6-7), so registers move by twos. */
export function fnsave(op: usize): void {
  locateForWrite(op, 80);
  putEnvironment();
  let to = onward(base, wide ? 28 : 14);
  for (let i: u32 = 0; i < 8; i++) {
    const from = addressOf(i);
    for (let j: u32 = 0; j < 10; j += 2) write<u16>(onward(to, j), load<u16>(from + j), stack);
    to = onward(to, 10);
  }
  fninit();
}

let control: u32 = 0;
let status: u32 = 0;
let tags: u32 = 0;
let instructionLow: u32 = 0;
let instructionHigh: u32 = 0;
let dataLow: u32 = 0;
let dataHigh: u32 = 0;

/** Reads all of it before anything changes. */
function getEnvironment(): void {
  control = get(0);
  status = get(1);
  tags = get(2);
  instructionLow = get(3);
  instructionHigh = get(4);
  dataLow = get(5);
  dataHigh = get(6);
}
function setEnvironment(): void {
  store<u16>(FSW, <u16>status);
  setControl(<u16>control);
  let full: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) if (((tags >> (i << 1)) & 3) != 3) full |= 1 << i;
  store<u8>(FTW, <u8>full);
  if (linear) {
    const mask: u32 = wide ? 0xffff : 0xf;
    store<u64>(FPU_INSTRUCTION, (instructionLow & 0xffff) | (<u64>((instructionHigh >> 12) & mask) << 16));
    store<u64>(FPU_DATA, (dataLow & 0xffff) | (<u64>((dataHigh >> 12) & mask) << 16));
    store<u16>(FPU_CS, 0);
    store<u16>(FPU_DS, 0);
    store<u16>(FOP, <u16>instructionHigh & 0x7ff);
    return;
  }
  store<u64>(FPU_INSTRUCTION, instructionLow);
  store<u64>(FPU_DATA, dataLow);
  store<u16>(FPU_CS, <u16>instructionHigh);
  store<u16>(FPU_DS, <u16>dataHigh);
  if (wide) store<u16>(FOP, <u16>(instructionHigh >> 16) & 0x7ff);
}

export function fldenv(op: usize): void {
  const size = locate(op);
  base = linearRead(op, effective(op), size);
  getEnvironment();
  setEnvironment();
}
export function frstor(op: usize): void {
  const size = locate(op);
  base = linearRead(op, effective(op), size + 80);
  getEnvironment();
  // The last bytes are read first: a fault leaves everything as it was.
  read<u16>(onward(base, size + 78), stack);
  const first = onward(base, size);
  for (let i: u32 = 0; i < 80; i += 16) read<u8>(onward(first, i), stack);
  setEnvironment();
  const full = load<u8>(FTW);
  for (let i: u32 = 0; i < 8; i++) {
    const from = onward(first, i * 10);
    let significand: u64 = 0;
    for (let j: u32 = 0; j < 8; j += 2) significand |= <u64>read<u16>(onward(from, j), stack) << (j << 3);
    setRaw(i, read<u16>(onward(from, 8), stack), significand);
  }
  store<u8>(FTW, full);
}
