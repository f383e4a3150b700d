/** Registers, effective addresses, memory operands and the stack. */
import {
  ADDRESS_MASKS, REGS, SEG_ATTRIBUTES, SEG_BASE, SEG_READ_HIGH, SEG_READ_LOW, SEG_WRITE_HIGH, SEG_WRITE_LOW,
  SEGMENT_SIZE, SEGMENTS, SS, STACK_MODE,
} from "./layout";
import { read, readToModify, write, writeModified } from "./access";
import { Reason } from "./events";
import { GP, SS_FAULT, raise } from "./fault";
import {
  FORM_INDEXED, FORM_PLAIN, FORM_PLAIN_32, OP_ADDRESS, OP_BASE, OP_DISPLACEMENT, OP_FLAGS, OP_FLAT, OP_FORM,
  OP_IMMEDIATE, OP_INDEX, OP_MEMORY, OP_REG, OP_RM, OP_SCALE, OP_SEGMENT, OP_STACK,
} from "./op";
import { UNUSABLE } from "./segment";

export const RAX = REGS;
export const RCX = REGS + 8;
export const RDX = REGS + 16;
export const RBX = REGS + 24;
export const RSP = REGS + 32;
export const RBP = REGS + 40;
export const RSI = REGS + 48;
export const RDI = REGS + 56;
export const R11 = REGS + 88;

@inline export function getRegister<T>(offset: u32): T {
  return load<T>(REGS + offset);
}
/** A 32-bit write clears the upper half; 8 and 16-bit writes keep the rest. */
@inline export function setRegister<T>(offset: u32, value: T): void {
  if (sizeof<T>() == 4) store<u64>(REGS + offset, <u64><u32>value);
  else store<T>(REGS + offset, value);
}
@inline export function regOf(op: usize): u32 {
  return load<u8>(op, OP_REG);
}
@inline export function rmOf(op: usize): u32 {
  return load<u8>(op, OP_RM);
}
@inline export function isMemory(op: usize): bool {
  return (load<u8>(op, OP_FLAGS) & OP_MEMORY) != 0;
}
@inline export function immediate<T>(op: usize): T {
  return <T>load<i64>(op, OP_IMMEDIATE);
}
@inline export function stackBit(op: usize): u32 {
  return load<u8>(op, OP_FLAGS) & OP_STACK;
}

/** The offset in its segment. */
@inline export function effective(op: usize): u64 {
  return (
    (load<u64>(REGS + <usize>load<u8>(op, OP_BASE)) +
      (load<u64>(REGS + <usize>load<u8>(op, OP_INDEX)) << <u64>load<u8>(op, OP_SCALE)) +
      <u64><i64>load<i32>(op, OP_DISPLACEMENT)) &
    load<u64>(ADDRESS_MASKS + (<usize>load<u8>(op, OP_ADDRESS) << 3))
  );
}

/** #SS(0) for the stack segment, else #GP(0): null, limit or type. */
export function segmentFault(number: u32, offset: u64, size: u32, write: bool): void {
  const s: usize = SEGMENTS + number * SEGMENT_SIZE;
  const vector = number == SS ? SS_FAULT : GP;
  const attributes = load<u32>(s, SEG_ATTRIBUTES);
  if (attributes & UNUSABLE) raise(vector, 0, Reason.SegmentNull, number, offset);
  const low = write ? load<u64>(s, SEG_WRITE_LOW) : load<u64>(s, SEG_READ_LOW);
  const high = write ? load<u64>(s, SEG_WRITE_HIGH) : load<u64>(s, SEG_READ_HIGH);
  if (low == 1 && high == 0)
    raise(vector, 0, write ? Reason.SegmentWriteType : Reason.SegmentReadType, number, attributes);
  raise(vector, 0, Reason.SegmentLimit, ((<u64>number) << 32) | size, offset);
}

/** Linear address of `offset` in a segment outside 64-bit mode, checked for a read. */
@inline export function checkRead(number: u32, offset: u64, size: u32): u64 {
  const s: usize = SEGMENTS + number * SEGMENT_SIZE;
  if (offset < load<u64>(s, SEG_READ_LOW) || offset + (size - 1) > load<u64>(s, SEG_READ_HIGH))
    segmentFault(number, offset, size, false);
  return (load<u64>(s, SEG_BASE) + offset) & 0xffffffff;
}
@inline export function checkWrite(number: u32, offset: u64, size: u32): u64 {
  const s: usize = SEGMENTS + number * SEGMENT_SIZE;
  if (offset < load<u64>(s, SEG_WRITE_LOW) || offset + (size - 1) > load<u64>(s, SEG_WRITE_HIGH))
    segmentFault(number, offset, size, true);
  return (load<u64>(s, SEG_BASE) + offset) & 0xffffffff;
}

/** Linear address of `offset` in the operand's segment. */
@inline export function linearRead(op: usize, offset: u64, size: u32): u64 {
  const number: u32 = load<u8>(op, OP_SEGMENT);
  if (load<u8>(op, OP_FLAGS) & OP_FLAT) return offset + load<u64>(SEGMENTS + <usize>number * SEGMENT_SIZE, SEG_BASE);
  return checkRead(number, offset, size);
}
@inline export function linearWrite(op: usize, offset: u64, size: u32): u64 {
  const number: u32 = load<u8>(op, OP_SEGMENT);
  if (load<u8>(op, OP_FLAGS) & OP_FLAT) return offset + load<u64>(SEGMENTS + <usize>number * SEGMENT_SIZE, SEG_BASE);
  return checkWrite(number, offset, size);
}

/** Linear address of the memory operand: the usual forms here, the others are computed out of line. */
@inline function operandToRead(op: usize, size: u32): u64 {
  const form = load<u8>(op, OP_FORM);
  if (form == FORM_PLAIN) return plain(op);
  if (form == FORM_PLAIN_32) return checkRead(load<u8>(op, OP_SEGMENT), plain32(op), size);
  if (form == FORM_INDEXED) return indexed(op);
  return anyOperandToRead(op, size);
}
@inline function operandToWrite(op: usize, size: u32): u64 {
  const form = load<u8>(op, OP_FORM);
  if (form == FORM_PLAIN) return plain(op);
  if (form == FORM_PLAIN_32) return checkWrite(load<u8>(op, OP_SEGMENT), plain32(op), size);
  if (form == FORM_INDEXED) return indexed(op);
  return anyOperandToWrite(op, size);
}
@inline function plain(op: usize): u64 {
  return load<u64>(REGS + <usize>load<u8>(op, OP_BASE)) + <u64><i64>load<i32>(op, OP_DISPLACEMENT);
}
@inline function indexed(op: usize): u64 {
  return plain(op) + (load<u64>(REGS + <usize>load<u8>(op, OP_INDEX)) << <u64>load<u8>(op, OP_SCALE));
}
@inline function plain32(op: usize): u64 {
  return <u32>(load<u32>(REGS + <usize>load<u8>(op, OP_BASE)) + load<u32>(op, OP_DISPLACEMENT));
}
function anyOperandToRead(op: usize, size: u32): u64 {
  return linearRead(op, effective(op), size);
}
function anyOperandToWrite(op: usize, size: u32): u64 {
  return linearWrite(op, effective(op), size);
}

@inline export function loadOperand<T>(op: usize): T {
  return read<T>(operandToRead(op, sizeof<T>()), stackBit(op));
}
@inline export function storeOperand<T>(op: usize, value: T): void {
  write<T>(operandToWrite(op, sizeof<T>()), value, stackBit(op));
}
/** First half of a read-modify-write; `writeModified` is the second. */
@inline export function modifyOperand<T>(op: usize): T {
  return readToModify<T>(operandToWrite(op, sizeof<T>()), stackBit(op));
}

/** ModRM.rm, register or memory. */
export function getRm<T>(op: usize): T {
  return isMemory(op) ? loadOperand<T>(op) : getRegister<T>(rmOf(op));
}
export function setRm<T>(op: usize, value: T): void {
  if (isMemory(op)) storeOperand<T>(op, value);
  else setRegister<T>(rmOf(op), value);
}
export function modifyRm<T>(op: usize): T {
  return isMemory(op) ? modifyOperand<T>(op) : getRegister<T>(rmOf(op));
}
export function finishRm<T>(op: usize, value: T): void {
  if (isMemory(op)) writeModified<T>(value);
  else setRegister<T>(rmOf(op), value);
}
/** A word, doubleword or quadword operand by its log2 size, zero-extended. */
export function getRmSized(op: usize, size: u32): u64 {
  if (size == 1) return getRm<u16>(op);
  return size == 2 ? <u64>getRm<u32>(op) : getRm<u64>(op);
}
export function setRegisterSized(offset: u32, size: u32, value: u64): void {
  if (size == 1) setRegister<u16>(offset, <u16>value);
  else if (size == 2) setRegister<u32>(offset, <u32>value);
  else setRegister<u64>(offset, value);
}

// ---- The stack: pushes and pops work on a copy of RSP, committed when nothing can fault any more ----
/** The stack pointer of the instruction in progress. */
let top: u64 = 0;

export function stackMask(): u64 {
  const mode = load<u8>(STACK_MODE);
  return mode == 2 ? ~(<u64>0) : mode == 1 ? <u64>0xffffffff : <u64>0xffff;
}
export function beginStack(): void {
  top = load<u64>(RSP) & stackMask();
}
/** RSP keeps the bits that the stack size doesn't cover (16 bit); a 32-bit ESP clears the upper half. */
export function commitStack(): void {
  const mode = load<u8>(STACK_MODE);
  if (mode == 0) store<u16>(RSP, <u16>top);
  else store<u64>(RSP, top);
}
export function stackTop(): u64 {
  return top;
}
export function setStackTop(value: u64): void {
  top = value;
}

@inline export function stackLinearRead(offset: u64, size: u32): u64 {
  return load<u8>(STACK_MODE) == 2 ? offset : checkRead(SS, offset, size);
}
@inline export function stackLinearWrite(offset: u64, size: u32): u64 {
  return load<u8>(STACK_MODE) == 2 ? offset : checkWrite(SS, offset, size);
}

export function pushNext<T>(value: T): void {
  const next = (top - sizeof<T>()) & stackMask();
  write<T>(stackLinearWrite(next, sizeof<T>()), value, 1);
  top = next;
}
export function popNext<T>(): T {
  const value = read<T>(stackLinearRead(top, sizeof<T>()), 1);
  top = (top + sizeof<T>()) & stackMask();
  return value;
}
export function pushSized(size: u32, value: u64): void {
  if (size == 1) pushNext<u16>(<u16>value);
  else if (size == 2) pushNext<u32>(<u32>value);
  else pushNext<u64>(value);
}
export function popSized(size: u32): u64 {
  if (size == 1) return popNext<u16>();
  return size == 2 ? <u64>popNext<u32>() : popNext<u64>();
}
/** One push with its commit. */
@inline export function push<T>(value: T): void {
  if (sizeof<T>() == 8 && load<u8>(STACK_MODE) == 2) {
    const next = load<u64>(RSP) - 8;
    write<T>(next, value, 1);
    store<u64>(RSP, next);
  } else if (sizeof<T>() == 4 && load<u8>(STACK_MODE) == 1) {
    const next = <u32>(load<u32>(RSP) - 4);
    write<T>(checkWrite(SS, next, 4), value, 1);
    store<u64>(RSP, next);
  } else {
    beginStack();
    pushNext<T>(value);
    commitStack();
  }
}
