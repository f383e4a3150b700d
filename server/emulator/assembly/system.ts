/** System instructions: descriptor tables, selectors, time stamps, halts, flags, and the bases of FS and GS. */
import {
  ACTIVITY, CPL, CR4, CURRENT, DEBUG_HIT, EVENT_KIND_SOFTWARE, EVENT_KIND_SOFTWARE_EXCEPTION, EVENT_KIND_TRAP, FEATURES,
  FS, GDTR_BASE, GDTR_LIMIT, GS, HALTED, HAS_AMD, IDTR_BASE, IDTR_LIMIT, LDTR, MODE, MSR_KERNEL_GS, MSR_TSC_AUX,
  SEG_BASE, SHADOW, SS, SYSTEM_FLAGS, TLB_SET, TR, TRACE, TSC_OFFSET, TURN_END, VCPU_COUNT,
} from "./layout";
import { attend, canonicalForCpu, probeWrite, read, readSystem, write, writeSystem } from "./access";
import { noteConditions } from "./breakpoint";
import { trace } from "./bus";
import { privileged, userPrevented } from "./control";
import { Reason, TRACE_HALT, TRACE_TABLE } from "./events";
import { BP, DB, GP, now, NP, OF, protection, raise, start, undefined_ } from "./fault";
import { AC_FLAG, DF_FLAG, IF, IOPL, overflow, setZero, systemFlags } from "./flags";
import { softwareInterrupt } from "./interrupt";
import { longActive } from "./mmu";
import { readMsrValue } from "./msr";
import { OP_OPERAND } from "./op";
import {
  effective, getRegister, getRm, immediate, isMemory, linearRead, linearWrite, RAX, RCX, RDX, regOf, rmOf, setRegister,
  setRegisterSized, setRm, stackBit,
} from "./operand";
import {
  ATTRIBUTE_P, attributesOf, baseOf, baseOfRaw, descriptorAddress, limitOf, limitOfRaw, loadSegment, protectedMode,
  readDescriptor, realStyle, rightsOf, segment, selectorOf, setSegment, UNUSABLE, v86,
} from "./segment";
import { farPointerOffset, readFarPointer } from "./transfer";
import { selectTlb } from "./tlb";
import { v86Sensitive } from "./stack";
import { clearVirtual, redirected, setVirtual, virtualFlag } from "./virtualInterrupts";
import { vcpuAt } from "./apic";

export function nop(op: usize): void {}
/** Who spins gives its turn away, as under QEMU's TCG, where PAUSE lets another CPU run. */
export function pause(op: usize): void {
  if (load<u32>(VCPU_COUNT) == 1) return;
  store<u64>(TURN_END, 0);
  attend();
}
export function ud(op: usize): void { undefined_(<Reason>immediate<i32>(op)); }
export function tooLong(op: usize): void { raise(GP, 0, Reason.TooLong); }

// ---- MOV and far pointers to segment registers ----
export function movFromSegment(op: usize): void {
  const selector = selectorOf(regOf(op));
  if (isMemory(op)) setRm<u16>(op, <u16>selector);
  else setRegisterSized(rmOf(op), load<u8>(op, OP_OPERAND), selector);
}
export function movToSegment(op: usize): void {
  const number = regOf(op);
  loadSegment(number, getRm<u16>(op));
  if (number == SS) {
    store<u8>(SHADOW, 2);
    attend();
  }
}
/** LDS, LES, LSS, LFS, LGS; the segment number is in the immediate. */
export function loadFarPointer(op: usize): void {
  const selector = readFarPointer(op);
  const offset = farPointerOffset();
  loadSegment(immediate<u32>(op), selector);
  setRegisterSized(regOf(op), load<u8>(op, OP_OPERAND), offset);
}

// ---- Descriptor tables ----
function noteTable(which: u32, selector: u32, base: u64, limit: u32): void {
  if (load<u32>(TRACE)) trace(TRACE_TABLE, load<u32>(CURRENT) | (which << 8), start(), base, (<u64>selector << 32) | limit);
}
/** LGDT (immediate 0), LIDT (1). */
export function loadTable(op: usize): void {
  privileged();
  const long = load<u8>(MODE) == 2;
  const offset = effective(op);
  const at = linearRead(op, offset, long ? 10 : 6);
  const limit: u32 = read<u16>(at, stackBit(op));
  let base: u64;
  if (long) {
    base = read<u64>(at + 2, stackBit(op));
    if (!canonicalForCpu(base)) raise(GP, 0, Reason.TableBaseNonCanonical, base);
  } else {
    base = read<u32>(at + 2, stackBit(op));
    if (load<u8>(op, OP_OPERAND) == 1) base &= 0xffffff;
  }
  const idt = immediate<u32>(op);
  store<u64>(idt ? IDTR_BASE : GDTR_BASE, base);
  store<u32>(idt ? IDTR_LIMIT : GDTR_LIMIT, limit);
  noteTable(idt, 0, base, limit);
}
/** SGDT (immediate 0), SIDT (1): ten bytes in 64-bit mode, else six. */
export function storeTable(op: usize): void {
  userPrevented();
  const long = load<u8>(MODE) == 2;
  const idt = immediate<u32>(op);
  const offset = effective(op);
  const at = linearWrite(op, offset, long ? 10 : 6);
  const base = load<u64>(idt ? IDTR_BASE : GDTR_BASE);
  const set = load<u32>(TLB_SET);
  probeWrite(at, 2, stackBit(op), set);
  probeWrite(at + 2, long ? 8 : 4, stackBit(op), set);
  write<u16>(at, <u16>load<u32>(idt ? IDTR_LIMIT : GDTR_LIMIT), stackBit(op));
  if (long) write<u64>(at + 2, base, stackBit(op));
  else write<u32>(at + 2, <u32>base, stackBit(op));
}
/** LLDT, LTR, SLDT, STR, VERR, VERW, LAR, LSL and ARPL don't exist in real and virtual-8086 mode. */
function protectedOnly(): void {
  if (realStyle()) undefined_(Reason.NotInMode);
}
export function sldt(op: usize): void {
  protectedOnly();
  userPrevented();
  const selector = selectorOf(immediate<u32>(op));
  if (isMemory(op)) setRm<u16>(op, <u16>selector);
  else setRegisterSized(rmOf(op), load<u8>(op, OP_OPERAND), selector);
}
/**
 * The base in an LDT or TSS descriptor. In 64-bit mode it has 16 bytes, and the type field of its upper half must be 0; in
 * compatibility mode 8 (APM vol. 3, LLDT and LTR).
 */
function systemBase(selector: u32, raw: u64): u64 {
  let base = baseOfRaw(raw);
  if (load<u8>(MODE) == 2) {
    const high = readSystem<u64>(descriptorAddress(selector, 16, GP, 0) + 8);
    if ((high >> 40) & 0x1f) raise(GP, selector & 0xfffc, Reason.DescriptorType, high, selector);
    base |= high << 32;
    if (!canonicalForCpu(base)) raise(GP, selector & 0xfffc, Reason.TableBaseNonCanonical, base);
  }
  return base;
}
export function lldt(op: usize): void {
  protectedOnly();
  privileged();
  const selector: u32 = getRm<u16>(op);
  if ((selector & 0xfffc) == 0) {
    setSegment(LDTR, selector, 0, 0, UNUSABLE | 2);
    noteTable(2, selector, 0, 0);
    return;
  }
  const code = selector & 0xfffc;
  if (selector & 4) raise(GP, code, Reason.SelectorBeyondTable, selector, 0);
  const raw = readDescriptor(selector, GP, 0);
  if ((rightsOf(raw) & 0x1f) != 2) raise(GP, code, Reason.DescriptorType, raw, selector);
  if (!(rightsOf(raw) & ATTRIBUTE_P)) raise(NP, code, Reason.DescriptorNotPresent, raw, selector);
  const base = systemBase(selector, raw);
  setSegment(LDTR, selector, base, limitOfRaw(raw), rightsOf(raw));
  noteTable(2, selector, base, limitOfRaw(raw));
}
export function ltr(op: usize): void {
  protectedOnly();
  privileged();
  const selector: u32 = getRm<u16>(op);
  const code = selector & 0xfffc;
  if (code == 0) raise(GP, 0, Reason.SelectorNull, selector);
  if (selector & 4) raise(GP, code, Reason.SelectorBeyondTable, selector, 0);
  const raw = readDescriptor(selector, GP, 0);
  const type = rightsOf(raw) & 0x1f;
  if (type != 9 && (type != 1 || longActive())) raise(GP, code, Reason.TssType, raw, selector);
  if (!(rightsOf(raw) & ATTRIBUTE_P)) raise(NP, code, Reason.DescriptorNotPresent, raw, selector);
  const base = systemBase(selector, raw);
  // Busy, in memory and in the register.
  writeSystem<u8>(descriptorAddress(selector, 8, GP, 0) + 5, <u8>(raw >> 40) | 2);
  setSegment(TR, selector, base, limitOfRaw(raw), rightsOf(raw) | 2);
  noteTable(3, selector, base, limitOfRaw(raw));
}
/** The descriptor that LAR, LSL, VERR and VERW ask about, or 0 where it isn't visible. */
let visible: u64 = 0;
function look(selector: u32): bool {
  if ((selector & 0xfffc) == 0) return false;
  const index = selector & 0xfff8;
  const local = (selector & 4) != 0;
  if (local && (attributesOf(LDTR) & UNUSABLE) != 0) return false;
  const limit = local ? limitOf(LDTR) : load<u32>(GDTR_LIMIT);
  if (index + 7 > limit) return false;
  visible = readSystem<u64>((local ? baseOf(LDTR) : load<u64>(GDTR_BASE)) + index);
  const rights = rightsOf(visible);
  const conforming = (rights & 0x1c) == 0x1c;
  const dpl = (rights >> 5) & 3;
  return conforming || (dpl >= load<u8>(CPL) && dpl >= (selector & 3));
}
export function lar(op: usize): void {
  protectedOnly();
  const ok = look(getRm<u16>(op));
  const type = rightsOf(visible) & 0x1f;
  const known = type >= 16 || (longActive()
    ? type == 2 || type == 9 || type == 11 || type == 12
    : type == 1 || type == 2 || type == 3 || type == 4 || type == 5 || type == 9 || type == 11 || type == 12);
  if (ok && known) setRegisterSized(regOf(op), load<u8>(op, OP_OPERAND), (visible >> 32) & 0xffff00);
  setZero(<u32>(ok && known));
}
export function lsl(op: usize): void {
  protectedOnly();
  const ok = look(getRm<u16>(op));
  const type = rightsOf(visible) & 0x1f;
  const known = type >= 16 || type == 2 || type == 9 || type == 11 || (!longActive() && (type == 1 || type == 3));
  if (ok && known) setRegisterSized(regOf(op), load<u8>(op, OP_OPERAND), limitOfRaw(visible));
  setZero(<u32>(ok && known));
}
/** VERR (immediate 0), VERW (1). */
export function verify(op: usize): void {
  protectedOnly();
  const ok = look(getRm<u16>(op));
  const type = rightsOf(visible) & 0x1f;
  const code = (type & 8) != 0;
  const write = immediate<u32>(op) == 1;
  const fits = type >= 16 && (write ? !code && (type & 2) != 0 : !code || (type & 2) != 0);
  setZero(<u32>(ok && fits));
}
export function arpl(op: usize): void {
  protectedOnly();
  const destination = getRm<u16>(op);
  const source = getRegister<u16>(regOf(op));
  if ((destination & 3) < (source & 3)) {
    setRm<u16>(op, (destination & ~3) | (source & 3));
    setZero(1);
  } else setZero(0);
}

// ---- Flags, halts, interrupts ----
export function cli(op: usize): void {
  if (virtualFlag()) {
    clearVirtual();
    return;
  }
  if (protectedMode() && load<u8>(CPL) > (systemFlags() & IOPL) >> 12) protection(v86() ? Reason.V86Sensitive : Reason.Privilege);
  store<u32>(SYSTEM_FLAGS, systemFlags() & ~IF);
}
export function sti(op: usize): void {
  if (virtualFlag()) {
    setVirtual();
    return;
  }
  if (protectedMode() && load<u8>(CPL) > (systemFlags() & IOPL) >> 12) protection(v86() ? Reason.V86Sensitive : Reason.Privilege);
  if (!(systemFlags() & IF)) {
    store<u8>(SHADOW, 1);
    store<u32>(SYSTEM_FLAGS, systemFlags() | IF);
  }
  attend();
}
export function cld(op: usize): void { store<u32>(SYSTEM_FLAGS, systemFlags() & ~DF_FLAG); }
export function std(op: usize): void { store<u32>(SYSTEM_FLAGS, systemFlags() | DF_FLAG); }
export function hlt(op: usize): void {
  privileged();
  store<u32>(vcpuAt(load<u32>(CURRENT)), HALTED, ACTIVITY);
  if (load<u32>(TRACE)) trace(TRACE_HALT, load<u32>(CURRENT), start(), 0, 0);
  attend();
}
export function int_(op: usize): void {
  const vector = immediate<u32>(op) & 0xff;
  if (v86() && redirected(vector)) return;
  v86Sensitive();
  softwareInterrupt(vector, EVENT_KIND_SOFTWARE);
}
export function int3(op: usize): void { softwareInterrupt(BP, EVENT_KIND_SOFTWARE_EXCEPTION); }
export function into(op: usize): void { if (overflow()) softwareInterrupt(OF, EVENT_KIND_SOFTWARE_EXCEPTION); }
/** INT1: a #DB by hardware rules: EXT is set, the gate's DPL doesn't matter. */
export function int1(op: usize): void {
  // What a MOV SS before it met comes with this #DB, not with one of its own behind it.
  const held = load<u32>(DEBUG_HIT);
  if (held) noteConditions(held);
  store<u32>(DEBUG_HIT, 0);
  softwareInterrupt(DB, EVENT_KIND_TRAP);
}

// ---- Information ----
export function rdtsc(op: usize): void {
  if (load<u64>(CR4) & 4 && load<u8>(CPL) != 0) protection(Reason.Privilege, load<u8>(CPL));
  const value = now() + load<u64>(TSC_OFFSET);
  store<u64>(RAX, value & 0xffffffff);
  store<u64>(RDX, value >> 32);
}
export function rdtscp(op: usize): void {
  rdtsc(op);
  store<u64>(RCX, load<u64>(MSR_TSC_AUX) & 0xffffffff);
}
/**
 * Every AMD processor has four counters, the MSRs PERF_CTR0 to 3 (APM vol. 2, 13.2.1), which are the VMM's here; without
 * architectural performance monitoring in CPUID an Intel one need not have any (SDM vol. 2, RDPMC).
 */
export function rdpmc(op: usize): void {
  if (!(load<u64>(CR4) & 0x100)) privileged();
  const counter = load<u32>(RCX);
  if (!(load<u32>(FEATURES) & HAS_AMD) || counter > 3) protection(Reason.CounterUnknown, counter);
  const value = readMsrValue(0xc0010004 + counter);
  store<u64>(RAX, value & 0xffffffff);
  store<u64>(RDX, value >> 32);
}

// ---- Bases of FS and GS ----
export function swapgs(op: usize): void {
  if (load<u8>(MODE) != 2) undefined_(Reason.NotInMode);
  privileged();
  const at = segment(GS) + SEG_BASE;
  const base = load<u64>(at);
  store<u64>(at, load<u64>(MSR_KERNEL_GS));
  store<u64>(MSR_KERNEL_GS, base);
}
/** RDFSBASE 0, RDGSBASE 1, WRFSBASE 2, WRGSBASE 3 in the immediate. */
export function segmentBase<T>(op: usize): void {
  if (load<u8>(MODE) != 2 || !(load<u64>(CR4) & 0x10000)) undefined_(Reason.NotInMode);
  const which = immediate<u32>(op);
  const at = segment(which & 1 ? GS : FS) + SEG_BASE;
  if (which < 2) setRegister<T>(rmOf(op), load<T>(at));
  else {
    const value = <u64>getRegister<T>(rmOf(op));
    // As WRMSR of the same base: the CPU's widest form, whatever CR4.LA57 says.
    if (!canonicalForCpu(value)) protection(Reason.MsrNonCanonical, value);
    store<u64>(at, value);
  }
}

// ---- SMAP ----
/** CLAC (immediate 0), STAC (1). */
export function smapFlag(op: usize): void {
  if (load<u8>(CPL) != 0) undefined_(Reason.Privilege);
  if (immediate<u32>(op)) store<u32>(SYSTEM_FLAGS, systemFlags() | AC_FLAG);
  else store<u32>(SYSTEM_FLAGS, systemFlags() & ~AC_FLAG);
  selectTlb();
}
