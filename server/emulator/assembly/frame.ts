/** Stack frames of interrupts, exceptions and call gates: the stack of the target level and what is pushed on it. */
import {
  CPL, CS, DS, ES, FS, GS, RIP, SEG_WRITE_HIGH, SEG_WRITE_LOW, SS, STACK_MODE, SYSTEM_FLAGS, TLB_SET, TR,
} from "./layout";
import { canonical, pushAs, readSystem } from "./access";
import { Reason } from "./events";
import { GP, SS_FAULT, TS, raise } from "./fault";
import { VM } from "./flags";
import { RSP } from "./operand";
import {
  ATTRIBUTE_DB, ATTRIBUTE_P, attributesOf, baseOf, baseOfRaw, fillSegment, limitOf, limitOfRaw, markAccessed,
  readDescriptor, rightsOf, segment, selectorOf, setCpl, setSegment, UNUSABLE, v86,
} from "./segment";

/** The stack being pushed on. */
let top: u64 = 0;
let mask: u64 = 0;
let base: u64 = 0;
let low: u64 = 0;
let high: u64 = 0;
/** Whether limits are checked (not in 64-bit mode). */
let limited: bool = false;
/** Error code of its #SS. */
let errorCode: u32 = 0;
let set: u32 = 0;
/** The new SS, where the level changes. */
let newSs: u32 = 0;
let newSsRaw: u64 = 0;

export function put(size: u32, value: u64): void {
  const bytes: u64 = (<u64>1) << size;
  const next = (top - bytes) & mask;
  let linear = next;
  if (limited) {
    if (next < low || next + bytes - 1 > high) raise(SS_FAULT, errorCode, Reason.SegmentLimit, ((<u64>SS) << 32) | bytes, next);
    linear = (base + next) & 0xffffffff;
  } else if (!canonical(next)) raise(SS_FAULT, errorCode, Reason.NonCanonicalData, next, bytes);
  if (size == 1) pushAs<u16>(linear, <u16>value, set);
  else if (size == 2) pushAs<u32>(linear, <u32>value, set);
  else pushAs<u64>(linear, value, set);
  top = next;
}

/** Goes on with the present stack. */
export function useCurrentStack(external: u32): void {
  const mode = load<u8>(STACK_MODE);
  mask = mode == 2 ? ~(<u64>0) : mode == 1 ? <u64>0xffffffff : <u64>0xffff;
  top = load<u64>(RSP) & mask;
  limited = mode != 2;
  base = baseOf(SS);
  low = load<u64>(segment(SS), SEG_WRITE_LOW);
  high = load<u64>(segment(SS), SEG_WRITE_HIGH);
  errorCode = external;
  set = load<u32>(TLB_SET);
}

/** An 8-byte stack in long mode. */
export function useLongStack(pointer: u64, external: u32, level: u32): void {
  mask = ~(<u64>0);
  top = pointer;
  limited = false;
  errorCode = external;
  set = level == 3 ? 2 : level == load<u8>(CPL) ? load<u32>(TLB_SET) : 0;
}

/** A stack pointer of the 64-bit TSS, at byte `offset`: RSPn at 4 + 8n, ISTn at 36 + 8(n - 1) (SDM vol. 3, 7.7). */
export function tssPointer(offset: u32, external: u32): u64 {
  if (offset + 7 > limitOf(TR)) raise(TS, (selectorOf(TR) & 0xfffc) | external, Reason.TssLimit, offset, limitOf(TR));
  return readSystem<u64>(baseOf(TR) + offset);
}

/** Takes SS:ESP for `level` from a 16 or 32-bit TSS, with the checks of an inner stack. */
export function useInnerStack(level: u32, external: u32): void {
  const wide = (attributesOf(TR) & 8) != 0;
  const at = wide ? 4 + level * 8 : 2 + level * 4;
  const length: u32 = wide ? 6 : 4;
  if (<u32>at + length - 1 > limitOf(TR)) raise(TS, (selectorOf(TR) & 0xfffc) | external, Reason.TssLimit, at, limitOf(TR));
  const pointer: u64 = wide ? readSystem<u32>(baseOf(TR) + at) : readSystem<u16>(baseOf(TR) + at);
  const selector: u32 = readSystem<u16>(baseOf(TR) + at + (wide ? 4 : 2));
  const code = (selector & 0xfffc) | external;
  if ((selector & 0xfffc) == 0) raise(TS, external, Reason.StackNull, selector, level);
  let raw = readDescriptor(selector, TS, external);
  const rights = rightsOf(raw);
  if ((selector & 3) != level) raise(TS, code, Reason.DescriptorPrivilege, raw, selector);
  if ((rights & 0x1a) != 0x12) raise(TS, code, Reason.DescriptorType, raw, selector);
  if (((rights >> 5) & 3) != level) raise(TS, code, Reason.DescriptorPrivilege, raw, selector);
  if (!(rights & ATTRIBUTE_P)) raise(SS_FAULT, code, Reason.DescriptorNotPresent, raw, selector);
  raw = markAccessed(selector, raw);
  mask = rights & ATTRIBUTE_DB ? 0xffffffff : 0xffff;
  top = pointer & mask;
  limited = true;
  base = baseOfRaw(raw);
  low = 0;
  high = limitOfRaw(raw);
  if (rights & 4) {
    low = high + 1;
    high = mask;
  }
  errorCode = code;
  set = level == 3 ? 2 : 0;
  newSs = selector;
  newSsRaw = raw;
}

/** After all pushes: RSP, and SS where the level changed. */
export function commitFrame(changedLevel: bool, long: bool, level: u32): void {
  if (changedLevel) {
    setCpl(level);
    if (long) setSegment(SS, level, 0, 0, UNUSABLE | (level << 5));
    else fillSegment(SS, newSs, newSsRaw);
  }
  if (mask == 0xffff) store<u16>(RSP, <u16>top);
  else store<u64>(RSP, top);
}

/** The frame of an interrupt in long mode; `raw` is the target's code descriptor. */
export function longFrame(
  raw: u64, selector: u32, target: u64, level: u32, flags: u32, ist: u32, hasError: bool, error: u32, external: u32,
): void {
  const cpl: u32 = load<u8>(CPL);
  const oldRsp = load<u64>(RSP);
  let pointer = oldRsp;
  if (ist) pointer = tssPointer(36 + (ist - 1) * 8, external);
  else if (level < cpl) pointer = tssPointer(4 + level * 8, external);
  pointer &= ~15;
  // The stack is judged before the target (SDM vol. 2, INT, INTER-PRIVILEGE-LEVEL-INTERRUPT).
  if (!canonical(pointer - 8)) raise(SS_FAULT, external, Reason.NonCanonicalData, pointer - 8, 8);
  if (!canonical(target)) raise(GP, external, Reason.NonCanonicalTarget, target);
  useLongStack(pointer, external, level);
  put(3, selectorOf(SS));
  put(3, oldRsp);
  put(3, flags);
  put(3, selectorOf(CS));
  put(3, load<u64>(RIP));
  if (hasError) put(3, error);
  raw = markAccessed(selector, raw);
  commitFrame(level != cpl, true, level);
  fillSegment(CS, (selector & 0xfffc) | level, raw);
  store<u64>(RIP, target);
}

/** The frame of an interrupt or exception outside long mode; `size` 1 for 16-bit gates, 2 for 32-bit ones. */
export function legacyFrame(
  raw: u64, selector: u32, target: u64, level: u32, flags: u32, size: u32, hasError: bool, error: u32, external: u32,
): void {
  const cpl: u32 = load<u8>(CPL);
  const inner = level != cpl;
  const fromV86 = v86();
  const oldSs = selectorOf(SS);
  const oldSp = load<u64>(RSP);
  if (inner) useInnerStack(level, external);
  else useCurrentStack(external);
  if (target > limitOfRaw(raw)) raise(GP, external, Reason.TargetLimit, target, limitOfRaw(raw));
  if (fromV86) {
    put(size, selectorOf(GS));
    put(size, selectorOf(FS));
    put(size, selectorOf(DS));
    put(size, selectorOf(ES));
  }
  if (inner) {
    put(size, oldSs);
    put(size, oldSp);
  }
  put(size, flags);
  put(size, selectorOf(CS));
  put(size, load<u64>(RIP));
  if (hasError) put(size, error);
  raw = markAccessed(selector, raw);
  if (fromV86) leaveV86();
  commitFrame(inner, false, level);
  fillSegment(CS, (selector & 0xfffc) | level, raw);
  store<u64>(RIP, target);
}

/** An interrupt out of virtual-8086 mode clears the data segment registers. */
function leaveV86(): void {
  store<u32>(SYSTEM_FLAGS, load<u32>(SYSTEM_FLAGS) & ~VM);
  setSegment(ES, 0, 0, 0, UNUSABLE);
  setSegment(DS, 0, 0, 0, UNUSABLE);
  setSegment(FS, 0, 0, 0, UNUSABLE);
  setSegment(GS, 0, 0, 0, UNUSABLE);
}
