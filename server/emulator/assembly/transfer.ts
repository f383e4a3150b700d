/**
 * Far jumps, calls, returns and IRET (SDM vol. 3, 5.8; vol. 2, the instructions). Checks and pushes first, then CS, RIP,
 * SS and RSP together.
 */
import { CPL, CS, DS, ES, FS, GS, MODE, NMI_BLOCKED, RIP, SS } from "./layout";
import { attend, canonical, read, readSystem } from "./access";
import { endbranchEnabled, expectEndbranchAtEntry } from "./branch";
import { Reason } from "./events";
import { GP, NP, protection, raise, SS_FAULT } from "./fault";
import { AC_FLAG, ARITHMETIC, DF_FLAG, ID, IF, IOPL, NT, RF, setFlags, systemFlags, TF, VIF, VIP, VM } from "./flags";
import { commitFrame, put, tssPointer, useCurrentStack, useInnerStack, useLongStack } from "./frame";
import { longActive } from "./mmu";
import { OP_IMMEDIATE, OP_OPERAND } from "./op";
import {
  beginStack, commitStack, effective, linearRead, popSized, RSP, setStackTop, stackBit, stackMask, stackTop,
} from "./operand";
import {
  ATTRIBUTE_DB, ATTRIBUTE_L, ATTRIBUTE_P, attributesOf, descriptorAddress, dropPrivilegedSegments, fillSegment, limitOf,
  limitOfRaw, markAccessed, readDescriptor, realCs, realStyle, rightsOf, segment, selectorOf, setCpl, setSegment, UNUSABLE,
  updateMode, v86,
} from "./segment";
import { taskReturn, taskSwitchTo, TASK_CALL, TASK_JUMP } from "./task";
import { checkVirtualImage, takeVirtualImage, virtualInV86 } from "./virtualInterrupts";

/** Whether RIP may become `target` in a code segment: canonical for L=1 under LMA, else within its limit. */
function checkTarget(raw: u64, target: u64): void {
  if (longActive() && (rightsOf(raw) & ATTRIBUTE_L) != 0) {
    if (!canonical(target)) raise(GP, 0, Reason.NonCanonicalTarget, target);
  } else if (target > limitOfRaw(raw)) raise(GP, 0, Reason.TargetLimit, target, limitOfRaw(raw));
}

function commitCs(selector: u32, raw: u64, level: u32, target: u64): void {
  fillSegment(CS, (selector & 0xfffc) | level, raw);
  setCpl(level);
  store<u64>(RIP, target);
  updateMode();
}

/** JMP or CALL to a code segment descriptor without a gate: type, privilege, L with D, presence. */
function checkDirect(selector: u32, raw: u64): void {
  const rights = rightsOf(raw);
  const code = selector & 0xfffc;
  const cpl: u32 = load<u8>(CPL);
  const dpl = (rights >> 5) & 3;
  if (longActive() && (rights & (ATTRIBUTE_L | ATTRIBUTE_DB)) == (ATTRIBUTE_L | ATTRIBUTE_DB))
    raise(GP, code, Reason.LongAndDefault, raw, selector);
  if (rights & 4 ? dpl > cpl : (selector & 3) > cpl || dpl != cpl)
    raise(GP, code, Reason.DescriptorPrivilege, raw, selector);
  if (!(rights & ATTRIBUTE_P)) raise(NP, code, Reason.DescriptorNotPresent, raw, selector);
}

/**
 * JMP ptr16:x and m16:x. In protected mode every far JMP and CALL, direct ones too, arms the IBT tracker and lifts a
 * suppression (SDM vol. 2, JMP and CALL, Operation).
 */
function farJump(selector: u32, target: u64, size: u32): void {
  if (realStyle()) {
    const offset = size == 1 ? target & 0xffff : target;
    if (offset > limitOf(CS)) raise(GP, 0, Reason.TargetLimit, offset, limitOf(CS));
    realCs(selector);
    store<u64>(RIP, offset);
    attend();
    return;
  }
  if ((selector & 0xfffc) == 0) raise(GP, 0, Reason.SelectorNull, selector);
  const raw = readDescriptor(selector, GP, 0);
  const rights = rightsOf(raw);
  if ((rights & 0x18) == 0x18) {
    checkDirect(selector, raw);
    checkTarget(raw, target);
    commitCs(selector, markAccessed(selector, raw), load<u8>(CPL), target);
    expectEndbranchAtEntry();
    return;
  }
  gate(selector, raw, false, size);
}

function farCall(selector: u32, target: u64, size: u32): void {
  const next = load<u64>(RIP);
  useCurrentStack(0);
  if (realStyle()) {
    const offset = size == 1 ? target & 0xffff : target;
    put(size, selectorOf(CS));
    put(size, next);
    if (offset > limitOf(CS)) raise(GP, 0, Reason.TargetLimit, offset, limitOf(CS));
    commitFrame(false, false, 0);
    realCs(selector);
    store<u64>(RIP, offset);
    attend();
    return;
  }
  if ((selector & 0xfffc) == 0) raise(GP, 0, Reason.SelectorNull, selector);
  const raw = readDescriptor(selector, GP, 0);
  const rights = rightsOf(raw);
  if ((rights & 0x18) == 0x18) {
    checkDirect(selector, raw);
    put(size, selectorOf(CS));
    put(size, next);
    checkTarget(raw, target);
    const marked = markAccessed(selector, raw);
    commitFrame(false, false, 0);
    commitCs(selector, marked, load<u8>(CPL), target);
    expectEndbranchAtEntry();
    return;
  }
  gate(selector, raw, true, size);
}

/** Call gates, task gates and TSS descriptors as the target of JMP or CALL. */
function gate(selector: u32, raw: u64, call: bool, size: u32): void {
  const rights = rightsOf(raw);
  const type = rights & 0x1f;
  const code = selector & 0xfffc;
  const long = longActive();
  const cpl: u32 = load<u8>(CPL);
  const dpl = (rights >> 5) & 3;
  const known = long ? type == 12 : type == 1 || type == 9 || type == 4 || type == 5 || type == 12;
  if (!known) raise(GP, code, Reason.DescriptorType, raw, selector);
  if (dpl < cpl || dpl < (selector & 3)) raise(GP, code, Reason.DescriptorPrivilege, raw, selector);
  if (type != 4 && type != 12) {
    if (!(rights & ATTRIBUTE_P)) raise(NP, code, Reason.DescriptorNotPresent, raw, selector);
    taskSwitchTo(type == 5 ? <u32>(raw >> 16) & 0xffff : selector, call ? TASK_CALL : TASK_JUMP);
    return;
  }
  let target = type == 4 ? raw & 0xffff : (raw & 0xffff) | ((raw >> 32) & 0xffff0000);
  if (!(rights & ATTRIBUTE_P)) raise(NP, code, Reason.DescriptorNotPresent, raw, selector);
  if (long) {
    // A 16-byte gate; the type field of its upper half must be 0.
    const high = readSystem<u64>(descriptorAddress(selector, 16, GP, 0) + 8);
    if ((high >> 40) & 0x1f) raise(GP, code, Reason.DescriptorType, high, selector);
    target |= high << 32;
  }
  const inner = <u32>(raw >> 16) & 0xffff;
  const innerCode = inner & 0xfffc;
  if (innerCode == 0) raise(GP, 0, Reason.SelectorNull, inner);
  const cs = readDescriptor(inner, GP, 0);
  const csRights = rightsOf(cs);
  const csDpl = (csRights >> 5) & 3;
  if ((csRights & 0x18) != 0x18) raise(GP, innerCode, Reason.DescriptorType, cs, inner);
  const conforming = (csRights & 4) != 0;
  if (csDpl > cpl || (!call && !conforming && csDpl != cpl)) raise(GP, innerCode, Reason.DescriptorPrivilege, cs, inner);
  if (long && (csRights & (ATTRIBUTE_L | ATTRIBUTE_DB)) != ATTRIBUTE_L) raise(GP, innerCode, Reason.LongAndDefault, cs, inner);
  if (!(csRights & ATTRIBUTE_P)) raise(NP, innerCode, Reason.DescriptorNotPresent, cs, inner);
  if (!call) {
    checkTarget(cs, target);
    commitCs(inner, markAccessed(inner, cs), cpl, target);
    expectEndbranchAtEntry();
    return;
  }
  const level = conforming ? cpl : csDpl;
  const gateSize: u32 = long ? 3 : type == 4 ? 1 : 2;
  const next = load<u64>(RIP);
  const oldSs = selectorOf(SS);
  const oldSp = load<u64>(RSP);
  if (level < cpl) {
    const parameters = long ? 0 : <u32>(raw >> 32) & 31;
    const oldTop = oldSp & stackMask();
    if (long) useLongStack(tssPointer(4 + level * 8, 0), 0, level);
    else useInnerStack(level, 0);
    checkTarget(cs, target);
    put(gateSize, oldSs);
    put(gateSize, oldSp);
    for (let i: i32 = <i32>parameters - 1; i >= 0; i--) {
      setStackTop((oldTop + ((<u64>i) << gateSize)) & stackMask());
      put(gateSize, popSized(gateSize));
    }
  } else {
    if (long) useLongStack(oldSp, 0, level);
    else useCurrentStack(0);
    checkTarget(cs, target);
  }
  put(gateSize, selectorOf(CS));
  put(gateSize, next);
  const marked = markAccessed(inner, cs);
  commitFrame(level < cpl, long, level);
  commitCs(inner, marked, level, target);
  expectEndbranchAtEntry();
}

// ---- The instructions ----
/** EA and 9A: the pointer is in the immediate. */
export function jmpFar(op: usize): void {
  const pointer = load<u64>(op, OP_IMMEDIATE);
  farJump(<u32>(pointer >> 32) & 0xffff, pointer & 0xffffffff, load<u8>(op, OP_OPERAND));
}
export function callFar(op: usize): void {
  const pointer = load<u64>(op, OP_IMMEDIATE);
  farCall(<u32>(pointer >> 32) & 0xffff, pointer & 0xffffffff, load<u8>(op, OP_OPERAND));
}
/** A far pointer in memory: offset, then selector. */
let pointerOffset: u64 = 0;
export function readFarPointer(op: usize): u32 {
  const size: u32 = load<u8>(op, OP_OPERAND);
  const bytes: u32 = 1 << size;
  const offset = effective(op);
  const at = linearRead(op, offset, bytes + 2);
  if (size == 1) pointerOffset = read<u16>(at, stackBit(op));
  else if (size == 2) pointerOffset = read<u32>(at, stackBit(op));
  else pointerOffset = read<u64>(at, stackBit(op));
  return read<u16>(at + bytes, stackBit(op));
}
export function farPointerOffset(): u64 {
  return pointerOffset;
}
export function jmpFarMemory(op: usize): void {
  const selector = readFarPointer(op);
  farJump(selector, pointerOffset, load<u8>(op, OP_OPERAND));
}
export function callFarMemory(op: usize): void {
  const selector = readFarPointer(op);
  farCall(selector, pointerOffset, load<u8>(op, OP_OPERAND));
}

/** RETF, with bytes to release in the immediate. */
export function retFar(op: usize): void {
  const size: u32 = load<u8>(op, OP_OPERAND);
  const release = load<u64>(op, OP_IMMEDIATE);
  beginStack();
  const target = popSized(size);
  const selector = <u32>popSized(size) & 0xffff;
  if (realStyle()) {
    if (target > limitOf(CS)) raise(GP, 0, Reason.TargetLimit, target, limitOf(CS));
    setStackTop((stackTop() + release) & stackMask());
    commitStack();
    realCs(selector);
    store<u64>(RIP, target);
    attend();
    return;
  }
  const raw = checkReturnCs(selector);
  const rpl = selector & 3;
  if (rpl == load<u8>(CPL)) {
    checkTarget(raw, target);
    setStackTop((stackTop() + release) & stackMask());
    const marked = markAccessed(selector, raw);
    commitStack();
    commitCs(selector, marked, rpl, target);
    return;
  }
  setStackTop((stackTop() + release) & stackMask());
  const newSp = popSized(size);
  const ss = <u32>popSized(size) & 0xffff;
  outward(selector, raw, target, ss, newSp, release);
}

/** The CS of RETF and IRET. */
function checkReturnCs(selector: u32): u64 {
  const code = selector & 0xfffc;
  const cpl: u32 = load<u8>(CPL);
  if (code == 0) raise(GP, 0, Reason.SelectorNull, selector);
  const raw = readDescriptor(selector, GP, 0);
  const rights = rightsOf(raw);
  const rpl = selector & 3;
  const dpl = (rights >> 5) & 3;
  if ((rights & 0x18) != 0x18) raise(GP, code, Reason.DescriptorType, raw, selector);
  if (rpl < cpl) raise(GP, code, Reason.DescriptorPrivilege, raw, selector);
  if (rights & 4 ? dpl > rpl : dpl != rpl) raise(GP, code, Reason.DescriptorPrivilege, raw, selector);
  if (longActive() && (rights & (ATTRIBUTE_L | ATTRIBUTE_DB)) == (ATTRIBUTE_L | ATTRIBUTE_DB))
    raise(GP, code, Reason.LongAndDefault, raw, selector);
  if (!(rights & ATTRIBUTE_P)) raise(NP, code, Reason.DescriptorNotPresent, raw, selector);
  return raw;
}

let returnSsRaw: u64 = 0;
/** The SS of a return to `level`: null only for a 64-bit target above level 3. True where it is null. */
function checkReturnSs(ss: u32, level: u32, csRaw: u64): bool {
  if ((ss & 0xfffc) == 0) {
    const to64 = longActive() && (rightsOf(csRaw) & ATTRIBUTE_L) != 0;
    if (!to64 || level == 3 || (ss & 3) != level) raise(GP, 0, Reason.StackNull, ss, level);
    return true;
  }
  const code = ss & 0xfffc;
  const raw = readDescriptor(ss, GP, 0);
  const rights = rightsOf(raw);
  if ((ss & 3) != level) raise(GP, code, Reason.DescriptorPrivilege, raw, ss);
  if ((rights & 0x1a) != 0x12) raise(GP, code, Reason.DescriptorType, raw, ss);
  if (((rights >> 5) & 3) != level) raise(GP, code, Reason.DescriptorPrivilege, raw, ss);
  if (!(rights & ATTRIBUTE_P)) raise(SS_FAULT, code, Reason.DescriptorNotPresent, raw, ss);
  returnSsRaw = markAccessed(ss, raw);
  return false;
}
function commitSs(ss: u32, isNull: bool, level: u32, pointer: u64): void {
  if (isNull) setSegment(SS, ss, 0, 0, UNUSABLE | (level << 5));
  else fillSegment(SS, ss, returnSsRaw);
  if (load<u8>(MODE) == 2) store<u64>(RSP, pointer);
  else if (attributesOf(SS) & ATTRIBUTE_DB) store<u64>(RSP, pointer & 0xffffffff);
  else store<u16>(RSP, <u16>pointer);
}

function outward(selector: u32, raw: u64, target: u64, ss: u32, pointer: u64, release: u64): void {
  const level = selector & 3;
  const isNull = checkReturnSs(ss, level, raw);
  checkTarget(raw, target);
  const marked = markAccessed(selector, raw);
  commitCs(selector, marked, level, target);
  commitSs(ss, isNull, level, pointer + release);
  dropPrivilegedSegments(level);
  updateMode();
}

/** IRET in all modes. It unblocks NMIs even where it faults (SDM vol. 3, 6.7.1). */
export function iret(op: usize): void {
  store<u8>(NMI_BLOCKED, 0);
  const size: u32 = load<u8>(op, OP_OPERAND);
  const virtual = virtualInV86() && size == 1;
  if (v86() && (systemFlags() & IOPL) != IOPL && !virtual) protection(Reason.V86Sensitive);
  if (!realStyle() && (systemFlags() & NT) != 0) {
    if (longActive()) protection(Reason.NestedTaskInLong);
    taskReturn();
    return;
  }
  beginStack();
  const target = popSized(size);
  const selector = <u32>popSized(size) & 0xffff;
  const flags = <u32>popSized(size);
  let mask: u32 = ARITHMETIC | TF | DF_FLAG | NT;
  if (size > 1) mask |= RF | AC_FLAG | ID;
  if (realStyle()) {
    if (target > limitOf(CS)) raise(GP, 0, Reason.TargetLimit, target, limitOf(CS));
    if (virtual) {
      checkVirtualImage(flags);
      takeVirtualImage(flags);
    } else mask |= IF | (v86() ? 0 : IOPL);
    commitStack();
    realCs(selector);
    store<u64>(RIP, target);
    finishIret(flags, mask);
    return;
  }
  const cpl: u32 = load<u8>(CPL);
  if (flags & VM && size == 2 && cpl == 0 && !longActive()) {
    enterV86(target, selector, flags);
    return;
  }
  if (cpl == 0) mask |= IOPL | (size > 1 ? VIF | VIP : 0);
  if (cpl <= (systemFlags() & IOPL) >> 12) mask |= IF;
  const raw = checkReturnCs(selector);
  const level = selector & 3;
  if (level == cpl && load<u8>(MODE) != 2) {
    checkTarget(raw, target);
    const marked = markAccessed(selector, raw);
    commitStack();
    commitCs(selector, marked, level, target);
  } else {
    const pointer = popSized(size);
    const ss = <u32>popSized(size) & 0xffff;
    const isNull = checkReturnSs(ss, level, raw);
    checkTarget(raw, target);
    const marked = markAccessed(selector, raw);
    commitCs(selector, marked, level, target);
    commitSs(ss, isNull, level, pointer);
    if (level != cpl) dropPrivilegedSegments(level);
    updateMode();
  }
  finishIret(flags, mask);
}
function finishIret(flags: u32, mask: u32): void {
  setFlags(flags, mask);
  updateMode();
}

/** IRETD at CPL 0 with VM set in the image: nine doublewords (SDM vol. 3, 20.2.1). */
function enterV86(target: u64, selector: u32, flags: u32): void {
  // The tracker has no place in virtual-8086 mode (SDM vol. 2, IRET).
  if (endbranchEnabled(3)) protection(Reason.V86WithTracker);
  const sp = popSized(2);
  const ss = <u32>popSized(2);
  const es = <u32>popSized(2);
  const ds = <u32>popSized(2);
  const fs = <u32>popSized(2);
  const gs = <u32>popSized(2);
  setFlags(flags, ARITHMETIC | TF | DF_FLAG | NT | RF | AC_FLAG | ID | IF | IOPL | VM | VIF | VIP);
  setCpl(3);
  setV86Segment(CS, selector);
  setV86Segment(SS, ss);
  setV86Segment(ES, es);
  setV86Segment(DS, ds);
  setV86Segment(FS, fs);
  setV86Segment(GS, gs);
  store<u64>(RSP, sp);
  store<u64>(RIP, target & 0xffff);
  updateMode();
}
function setV86Segment(number: u32, selector: u32): void {
  setSegment(number, selector & 0xffff, <u64>(selector & 0xffff) << 4, 0xffff, 0xf3);
}
