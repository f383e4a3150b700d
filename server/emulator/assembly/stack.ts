/** PUSH, POP and their like. RSP changes only when nothing can fault any more. */
import { CPL, REGS, SHADOW, SS, STACK_MODE, TLB_SET } from "./layout";
import { attend, onward, probeWrite, read, write } from "./access";
import { Reason } from "./events";
import { BR, protection, raise } from "./fault";
import { AC_FLAG, ARITHMETIC, DF_FLAG, ID, IF, IOPL, NT, RF, rflags, setFlags, systemFlags, TF, VM } from "./flags";
import { OP_IMMEDIATE, OP_OPERAND } from "./op";
import {
  beginStack, checkRead, commitStack, effective, getRegister, getRm, immediate, isMemory, linearRead, linearWrite, popNext,
  popSized, push, pushSized, RBP, regOf, rmOf, RSP, setRegister, setRegisterSized, setStackTop, stackBit,
  stackLinearRead, stackLinearWrite, stackMask, stackTop,
} from "./operand";
import { loadSegment, selectorOf, v86 } from "./segment";
import { selectTlb } from "./tlb";
import { checkVirtualImage, takeVirtualImage, virtualImage, virtualInV86 } from "./virtualInterrupts";

export function pushR<T>(op: usize): void { push<T>(getRegister<T>(rmOf(op))); }
export function pushM<T>(op: usize): void { push<T>(getRm<T>(op)); }
export function pushI<T>(op: usize): void { push<T>(immediate<T>(op)); }
export function popR<T>(op: usize): void {
  if (sizeof<T>() == 8 && load<u8>(STACK_MODE) == 2) {
    const at = load<u64>(RSP);
    const value = read<T>(at, 1);
    store<u64>(RSP, at + 8);
    setRegister<T>(rmOf(op), value);
    return;
  }
  if (sizeof<T>() == 4 && load<u8>(STACK_MODE) == 1) {
    const at: u32 = load<u32>(RSP);
    const value = read<T>(checkRead(SS, at, 4), 1);
    store<u64>(RSP, <u32>(at + 4));
    setRegister<T>(rmOf(op), value);
    return;
  }
  beginStack();
  const value = popNext<T>();
  commitStack();
  setRegister<T>(rmOf(op), value);
}
/** POP to memory: its address is computed with RSP after the pop (SDM vol. 2, POP). */
export function popM(op: usize): void {
  const size: u32 = load<u8>(op, OP_OPERAND);
  const before = load<u64>(RSP);
  beginStack();
  const value = popSized(size);
  if (!isMemory(op)) {
    commitStack();
    setRegisterSized(rmOf(op), size, value);
    return;
  }
  // The store may fault: then RSP must be as before. It is checked first, at the address it will have.
  commitStack();
  const after = load<u64>(RSP);
  const offset = effective(op);
  store<u64>(RSP, before);
  writeAt(op, offset, size, value);
  store<u64>(RSP, after);
}
function writeAt(op: usize, offset: u64, size: u32, value: u64): void {
  const stack = stackBit(op);
  const linear = linearWrite(op, offset, 1 << size);
  if (size == 1) write<u16>(linear, <u16>value, stack);
  else if (size == 2) write<u32>(linear, <u32>value, stack);
  else write<u64>(linear, value, stack);
}

/** PUSH of a segment register: 32-bit pushes write the selector zero-extended. */
export function pushSegment(op: usize): void {
  beginStack();
  pushSized(load<u8>(op, OP_OPERAND), selectorOf(regOf(op)));
  commitStack();
}
export function popSegment(op: usize): void {
  const before = load<u64>(RSP);
  beginStack();
  const selector = <u32>popSized(load<u8>(op, OP_OPERAND)) & 0xffff;
  const after = stackTop();
  const mask = stackMask();
  loadSegment(regOf(op), selector);
  // The new SS doesn't change how far this pop moved RSP.
  if (mask == 0xffff) store<u16>(RSP, <u16>after);
  else store<u64>(RSP, after);
  if (regOf(op) == SS) {
    store<u8>(SHADOW, 2);
    attend();
  }
}

export function pusha(op: usize): void {
  const size: u32 = load<u8>(op, OP_OPERAND);
  beginStack();
  for (let i = 0; i < 8; i++) pushSized(size, load<u64>(REGS + (i << 3)));
  commitStack();
}
export function popa(op: usize): void {
  const size: u32 = load<u8>(op, OP_OPERAND);
  beginStack();
  // Read all before any register changes: a later read may fault.
  const start = stackTop();
  for (let i = 0; i < 8; i++) popSized(size);
  const end = stackTop();
  setStackTop(start);
  for (let i = 7; i >= 0; i--) {
    const value = popSized(size);
    if (i != 4) setRegisterSized(i << 3, size, value);
  }
  setStackTop(end);
  commitStack();
}

/** V86 with IOPL below 3 traps the instructions that touch IF, where VME does not give them VIF. */
export function v86Sensitive(): void {
  if (v86() && (systemFlags() & IOPL) != IOPL) protection(Reason.V86Sensitive);
}

export function pushf(op: usize): void {
  const size: u32 = load<u8>(op, OP_OPERAND);
  const virtual = size == 1 && virtualInV86();
  if (!virtual) v86Sensitive();
  beginStack();
  pushSized(size, (virtual ? virtualImage() : rflags()) & ~(RF | VM));
  commitStack();
}
export function popf(op: usize): void {
  const size: u32 = load<u8>(op, OP_OPERAND);
  const virtual = size == 1 && virtualInV86();
  if (!virtual) v86Sensitive();
  beginStack();
  const value = <u32>popSized(size);
  if (virtual) {
    checkVirtualImage(value);
    takeVirtualImage(value);
  }
  commitStack();
  const cpl: u32 = load<u8>(CPL);
  let mask: u32 = ARITHMETIC | TF | DF_FLAG | NT;
  if (size > 1) mask |= AC_FLAG | ID;
  if (cpl == 0) mask |= IOPL;
  if (cpl <= (systemFlags() & IOPL) >> 12) mask |= IF;
  setFlags(value & ~RF, mask | (size > 1 ? RF : 0));
  selectTlb();
  attend();
}

/**
 * ENTER: the frame pointers of the outer levels are read before anything changes. The frame pointer has the size of the
 * operand: of 32 bits on a 16-bit stack it is all of ESP (SDM vol. 2, ENTER).
 */
export function enter(op: usize): void {
  const size: u32 = load<u8>(op, OP_OPERAND);
  const bytes: u64 = 1 << size;
  const room = immediate<u64>(op) & 0xffff;
  const level = <u32>(load<u64>(op, OP_IMMEDIATE) >> 16) & 31;
  beginStack();
  pushSized(size, load<u64>(RBP));
  const frame = (load<u64>(RSP) & ~stackMask()) | stackTop();
  if (level) {
    let bp = load<u64>(RBP);
    for (let i: u32 = 1; i < level; i++) {
      bp = (bp - bytes) & stackMask();
      const at = stackLinearRead(bp, <u32>bytes);
      let value: u64;
      if (size == 1) value = read<u16>(at, 1);
      else if (size == 2) value = read<u32>(at, 1);
      else value = read<u64>(at, 1);
      pushSized(size, value);
    }
    pushSized(size, frame);
  }
  const last = (stackTop() - room) & stackMask();
  // The new top must be writable, though nothing is written there.
  probeWrite(stackLinearWrite(last, <u32>bytes), <u32>bytes, 1, load<u32>(TLB_SET));
  setStackTop(last);
  commitStack();
  setRegisterSized(40, size, frame);
}
export function leave(op: usize): void {
  if (load<u8>(STACK_MODE) == 2 && load<u8>(op, OP_OPERAND) == 3) {
    const frame = load<u64>(RBP);
    const outer = read<u64>(frame, 1);
    store<u64>(RSP, frame + 8);
    store<u64>(RBP, outer);
  } else leaveAny(op);
}
function leaveAny(op: usize): void {
  const size: u32 = load<u8>(op, OP_OPERAND);
  setStackTop(load<u64>(RBP) & stackMask());
  const value = popSized(size);
  commitStack();
  setRegisterSized(40, size, value);
}
/** BOUND: the index must lie between the two signed words in memory. */
export function bound(op: usize): void {
  const offset = effective(op);
  let low: i64;
  let high: i64;
  let index: i64;
  if (load<u8>(op, OP_OPERAND) == 1) {
    const at = linearRead(op, offset, 4);
    low = <i16>read<u16>(at, 0);
    high = <i16>read<u16>(onward(at, 2), 0);
    index = getRegister<i16>(regOf(op));
  } else {
    const at = linearRead(op, offset, 8);
    low = <i32>read<u32>(at, 0);
    high = <i32>read<u32>(onward(at, 4), 0);
    index = getRegister<i32>(regOf(op));
  }
  if (index < low || index > high) raise(BR, 0, Reason.BoundRange, <u64>index, <u64>low);
}
