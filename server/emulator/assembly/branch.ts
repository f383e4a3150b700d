/** Near branches, calls and returns; the CET indirect-branch tracker (SDM vol. 1, chapter 17 or 18). */
import {
  ADDRESS_MASKS, CPL, CR4, CS, MODE, MSR_S_CET, MSR_U_CET, RIP, SEG_LIMIT, SEGMENT_SIZE, SEGMENTS, SS, STACK_MODE,
} from "./layout";
import { attend, canonical, read } from "./access";
import { Reason } from "./events";
import { CP, GP, raise } from "./fault";
import { carry, overflow, parity, sign, zero } from "./flags";
import { OP_ADDRESS, OP_IMMEDIATE, OP_OPERAND } from "./op";
import {
  beginStack, checkRead, commitStack, getRmSized, immediate, popSized, push, pushSized, RCX, RSP, setStackTop,
  stackMask, stackTop,
} from "./operand";
import { baseOf, limitOf, realStyle } from "./segment";

export const CR4_CET: u64 = 0x800000;
const ENDBR_EN: u64 = 4;
const LEG_IW_EN: u64 = 8;
const SUPPRESS_DIS: u64 = 0x20;
const SUPPRESS: u64 = 0x400;
const TRACKER: u64 = 0x800;

/** A near target, canonical in 64-bit mode, else within the limit of CS; 16-bit operands cut it. */
@inline function nearTarget(target: u64, size: u32): u64 {
  if (load<u8>(MODE) == 2) {
    if (size == 1) target &= 0xffff;
    if (!canonical(target)) raise(GP, 0, Reason.NonCanonicalTarget, target);
  } else {
    target &= size == 1 ? 0xffff : 0xffffffff;
    if (target > limitOf(CS)) raise(GP, 0, Reason.TargetLimit, target, limitOf(CS));
  }
  return target;
}
export function jumpNear(target: u64, size: u32): void {
  store<u64>(RIP, nearTarget(target, size));
}

/** The MSR that holds the tracker of the current CPL. */
@inline function trackerOf(cpl: u32): usize {
  return cpl == 3 ? MSR_U_CET : MSR_S_CET;
}

/** EndbranchEnabled of the SDM's pseudo-code. */
export function endbranchEnabled(cpl: u32): bool {
  if (!(load<u64>(CR4) & CR4_CET) || realStyle()) return false;
  return (load<u64>(trackerOf(cpl)) & ENDBR_EN) != 0;
}
/** After an indirect near or far CALL or JMP: the next instruction must be ENDBR, unless suppressed. */
export function expectEndbranch(): void {
  const cpl: u32 = load<u8>(CPL);
  if (!(load<u64>(CR4) & CR4_CET) || !endbranchEnabled(cpl)) return;
  const at = trackerOf(cpl);
  if (load<u64>(at) & SUPPRESS) return;
  store<u64>(at, load<u64>(at) | TRACKER);
  attend();
}
/** At the entry of an interrupt or exception handler and after SYSCALL: waits, whatever was suppressed. */
export function expectEndbranchAtEntry(): void {
  const cpl: u32 = load<u8>(CPL);
  if (!(load<u64>(CR4) & CR4_CET) || !endbranchEnabled(cpl)) return;
  const at = trackerOf(cpl);
  store<u64>(at, (load<u64>(at) & ~SUPPRESS) | TRACKER);
  attend();
}
/** Whether the tracker waits at the current CPL. */
export function waitsForEndbranch(): bool {
  if (!(load<u64>(CR4) & CR4_CET)) return false;
  const cpl: u32 = load<u8>(CPL);
  return endbranchEnabled(cpl) && (load<u64>(trackerOf(cpl)) & TRACKER) != 0;
}
/**
 * The first instruction after an indirect branch is not ENDBR: a page that the legacy bitmap marks is let through,
 * else #CP(3).
 */
export function missingEndbranch(bytes: u64): void {
  const at = trackerOf(load<u8>(CPL));
  const cet = load<u64>(at);
  if (cet & LEG_IW_EN) {
    // A bit per page, by bits 47:12 of the linear address.
    const linear = load<u8>(MODE) == 2 ? load<u64>(RIP) & 0xffffffffffff : (baseOf(CS) + load<u64>(RIP)) & 0xffffffff;
    const page = linear >> 12;
    const bits = read<u8>((cet & ~(<u64>0xfff)) + (page >> 3), 0);
    if ((bits >> <u8>(page & 7)) & 1) {
      store<u64>(at, (cet & ~TRACKER) | (cet & SUPPRESS_DIS ? 0 : SUPPRESS));
      return;
    }
  }
  raise(CP, 3, Reason.EndbrMissing, load<u64>(RIP), bytes);
}
/** ENDBR32 (immediate 0) and ENDBR64 (1): ends the wait in its own mode, else a NOP. */
export function endbr(op: usize): void {
  const cpl: u32 = load<u8>(CPL);
  if (endbranchEnabled(cpl) && (load<u8>(MODE) == 2) == (immediate<u32>(op) == 1))
    store<u64>(trackerOf(cpl), load<u64>(trackerOf(cpl)) & ~(TRACKER | SUPPRESS));
}

// ---- Jumps ----
@inline function relative(op: usize): void {
  const size: u32 = load<u8>(op, OP_OPERAND);
  jumpNear(load<u64>(RIP) + load<u64>(op, OP_IMMEDIATE), size);
}
/** Canonical under any paging. */
@inline function plainTarget(target: u64): bool {
  return ((<i64>target << 16) >> 16) == <i64>target;
}
@inline function withinCode(target: u32): bool {
  return target <= load<u32>(SEGMENTS + CS * SEGMENT_SIZE, SEG_LIMIT);
}
/** The target of a relative branch, quickly where it can't fault. Branches of 64 bits are those of 64-bit mode. */
@inline function branch(op: usize): void {
  const target = load<u64>(RIP) + load<u64>(op, OP_IMMEDIATE);
  if (load<u8>(op, OP_OPERAND) == 3 && plainTarget(target)) store<u64>(RIP, target);
  else if (load<u8>(op, OP_OPERAND) == 2 && withinCode(<u32>target)) store<u64>(RIP, <u32>target);
  else relative(op);
}
export function jmpRel(op: usize): void { branch(op); }
export function jo(op: usize): void { if (overflow()) branch(op); }
export function jno(op: usize): void { if (!overflow()) branch(op); }
export function jb(op: usize): void { if (carry()) branch(op); }
export function jae(op: usize): void { if (!carry()) branch(op); }
export function je(op: usize): void { if (zero()) branch(op); }
export function jne(op: usize): void { if (!zero()) branch(op); }
export function jbe(op: usize): void { if (zero() || carry()) branch(op); }
export function ja(op: usize): void { if (!zero() && !carry()) branch(op); }
export function js(op: usize): void { if (sign()) branch(op); }
export function jns(op: usize): void { if (!sign()) branch(op); }
export function jp(op: usize): void { if (parity()) branch(op); }
export function jnp(op: usize): void { if (!parity()) branch(op); }
export function jl(op: usize): void { if (sign() != overflow()) branch(op); }
export function jge(op: usize): void { if (sign() == overflow()) branch(op); }
export function jle(op: usize): void { if (zero() || sign() != overflow()) branch(op); }
export function jg(op: usize): void { if (!zero() && sign() == overflow()) branch(op); }

/** The NOTRACK prefix (3E) is kept in the immediate; it counts where NO_TRACK_EN is set. */
function tracked(op: usize): void {
  if (immediate<u32>(op) != 0 && (load<u64>(trackerOf(load<u8>(CPL))) & 0x10) != 0) return;
  expectEndbranch();
}
export function jmpRm(op: usize): void {
  const size: u32 = load<u8>(op, OP_OPERAND);
  jumpNear(getRmSized(op, size), size);
  tracked(op);
}

@inline function mask(op: usize): u64 {
  return load<u64>(ADDRESS_MASKS + (<usize>load<u8>(op, OP_ADDRESS) << 3));
}
/** rCX is written only when the branch can't fault any more. */
function loopIf(op: usize, holds: bool): void {
  const m = mask(op);
  const left = (load<u64>(RCX) - 1) & m;
  if (left != 0 && holds) branch(op);
  if (m == 0xffff) store<u16>(RCX, <u16>left);
  else store<u64>(RCX, left);
}
export function loop(op: usize): void { loopIf(op, true); }
export function loope(op: usize): void { loopIf(op, zero()); }
export function loopne(op: usize): void { loopIf(op, !zero()); }
export function jcxz(op: usize): void { if ((load<u64>(RCX) & mask(op)) == 0) branch(op); }

// ---- Calls and returns: the target is checked before anything is pushed ----
export function callRel(op: usize): void {
  const next = load<u64>(RIP);
  const target = next + load<u64>(op, OP_IMMEDIATE);
  if (load<u8>(op, OP_OPERAND) == 3 && plainTarget(target)) {
    push<u64>(next);
    store<u64>(RIP, target);
  } else if (load<u8>(op, OP_OPERAND) == 2 && withinCode(<u32>target)) {
    push<u32>(<u32>next);
    store<u64>(RIP, <u32>target);
  } else callAny(op);
}
function callAny(op: usize): void {
  const size: u32 = load<u8>(op, OP_OPERAND);
  const next = load<u64>(RIP);
  const target = nearTarget(next + load<u64>(op, OP_IMMEDIATE), size);
  beginStack();
  pushSized(size, next);
  store<u64>(RIP, target);
  commitStack();
}
export function callRm(op: usize): void {
  const size: u32 = load<u8>(op, OP_OPERAND);
  const target = nearTarget(getRmSized(op, size), size);
  const next = load<u64>(RIP);
  beginStack();
  pushSized(size, next);
  store<u64>(RIP, target);
  commitStack();
  tracked(op);
}
export function ret(op: usize): void {
  if (load<u8>(op, OP_OPERAND) == 3) {
    const top = load<u64>(RSP);
    const target = read<u64>(top, 1);
    if (plainTarget(target)) {
      store<u64>(RSP, top + 8 + load<u64>(op, OP_IMMEDIATE));
      store<u64>(RIP, target);
      return;
    }
  } else if (load<u8>(op, OP_OPERAND) == 2 && load<u8>(STACK_MODE) == 1) {
    const top: u32 = load<u32>(RSP);
    const target = read<u32>(checkRead(SS, top, 4), 1);
    if (withinCode(target)) {
      store<u64>(RSP, <u32>(top + 4 + load<u32>(op, OP_IMMEDIATE)));
      store<u64>(RIP, target);
      return;
    }
  }
  retAny(op);
}
function retAny(op: usize): void {
  const size: u32 = load<u8>(op, OP_OPERAND);
  beginStack();
  const target = popSized(size);
  setStackTop((stackTop() + load<u64>(op, OP_IMMEDIATE)) & stackMask());
  jumpNear(target, size);
  commitStack();
}
