/**
 * Delivery of exceptions and interrupts through the IVT or IDT (SDM vol. 3, chapter 6; vol. 2, INT). Nothing of the vCPU
 * changes before every check and push has been made, so a fault during delivery starts from the state before it.
 */
import {
  CPL, CS, CURRENT, DELIVERING, DELIVERING_KIND, DR, EVENT_KIND_EXCEPTION, EVENT_KIND_EXTERNAL, EVENT_KIND_NMI,
  EVENT_KIND_SOFTWARE, EVENT_KIND_SOFTWARE_EXCEPTION, EVENT_NONE, IDTR_BASE, IDTR_LIMIT, NMI_BLOCKED, NO_TRAP, RIP,
  SEG_BASE, SEG_SELECTOR, REPEATING, SHADOW, SYSTEM_FLAGS, TRACE,
} from "./layout";
import { attend, readSystem } from "./access";
import { expectEndbranchAtEntry } from "./branch";
import { trace } from "./bus";
import { Reason, SOURCE_SOFTWARE, TRACE_INTERRUPT } from "./events";
import { DB, GP, NP, raise } from "./fault";
import { AC_FLAG, IF, NT, RF, rflags, systemFlags, TF, VM } from "./flags";
import { legacyFrame, longFrame } from "./frame";
import { longActive } from "./mmu";
import { beginStack, commitStack, pushNext } from "./operand";
import {
  ATTRIBUTE_DB, ATTRIBUTE_L, ATTRIBUTE_P, protectedMode, readDescriptor, rightsOf, segment, selectorOf, updateMode, v86,
} from "./segment";
import { taskGate } from "./task";

/** INT n, INT3 and INTO are not external events: EXT is 0 in their error codes. */
@inline function externalBit(kind: u32): u32 {
  return kind == EVENT_KIND_SOFTWARE || kind == EVENT_KIND_SOFTWARE_EXCEPTION ? 0 : 1;
}

/** The handler of a debug exception may use the debug registers: DR7.GD is cleared (SDM vol. 3, 18.2.4). */
function openDebugRegisters(): void {
  store<u64>(DR + 56, load<u64>(DR + 56) & ~0x2000);
}

/** Delivers `vector`; RIP is the address to be pushed. */
export function deliver(vector: u32, kind: u32, hasError: bool, error: u32): void {
  store<u32>(DELIVERING, vector);
  store<u32>(DELIVERING_KIND, kind);
  // RF in the image: faults, and what comes between two iterations of a REP (SDM vol. 3, 17.3.1.1).
  const resume = kind == EVENT_KIND_EXCEPTION || load<u8>(REPEATING) != 0;
  if (!protectedMode()) deliverReal(vector);
  else deliverProtected(vector, kind, hasError, error, resume);
  store<u32>(DELIVERING, EVENT_NONE);
  store<u8>(SHADOW, 0);
  store<u8>(REPEATING, 0);
  if (kind == EVENT_KIND_NMI) store<u8>(NMI_BLOCKED, 1);
  if (vector == DB && kind != EVENT_KIND_SOFTWARE && kind != EVENT_KIND_EXTERNAL) openDebugRegisters();
  attend();
}

/** An INT n, INT3 or INTO that executes: RIP is already the next instruction. */
export function softwareInterrupt(vector: u32, kind: u32): void {
  const next = load<u64>(RIP);
  deliver(vector, kind, false, 0);
  store<u8>(NO_TRAP, 1);
  if (load<u32>(TRACE) && kind == EVENT_KIND_SOFTWARE)
    trace(TRACE_INTERRUPT, load<u32>(CURRENT), vector, SOURCE_SOFTWARE, next);
}

/** Real-address mode: four-byte entries at IDTR.base (SDM vol. 3, 20.1.4). */
function deliverReal(vector: u32): void {
  if ((vector << 2) + 3 > load<u32>(IDTR_LIMIT)) raise(GP, 0, Reason.RealIdtLimit, vector, load<u32>(IDTR_LIMIT));
  const entry = readSystem<u32>(load<u64>(IDTR_BASE) + (vector << 2));
  beginStack();
  pushNext<u16>(<u16>rflags());
  pushNext<u16>(<u16>selectorOf(CS));
  pushNext<u16>(<u16>load<u64>(RIP));
  commitStack();
  store<u32>(SYSTEM_FLAGS, systemFlags() & ~(IF | TF | AC_FLAG | RF));
  store<u16>(segment(CS), <u16>(entry >> 16), SEG_SELECTOR);
  store<u64>(segment(CS), <u64>(entry >> 16) << 4, SEG_BASE);
  store<u64>(RIP, entry & 0xffff);
}

function deliverProtected(vector: u32, kind: u32, hasError: bool, error: u32, resume: bool): void {
  const long = longActive();
  const ext = externalBit(kind);
  const index = (vector << 3) | 2 | ext;
  const size: u32 = long ? 16 : 8;
  const at = vector * size;
  if (at + size - 1 > load<u32>(IDTR_LIMIT)) raise(GP, index, Reason.GateBeyondIdt, vector, load<u32>(IDTR_LIMIT));
  const low = readSystem<u64>(load<u64>(IDTR_BASE) + at);
  // Bits 127:96 of a 64-bit gate are reserved without a fault in the SDM (6.14.1); QEMU and VirtualBox ignore them, Bochs
  // wants the type field there to be 0 as in a call gate.
  const high = long ? readSystem<u64>(load<u64>(IDTR_BASE) + at + 8) : 0;
  const rights = <u32>(low >> 40) & 0xff;
  const type = rights & 0x1f;
  const legal = long ? type == 14 || type == 15 : type == 5 || type == 6 || type == 7 || type == 14 || type == 15;
  if (!legal) raise(GP, index, Reason.GateType, vector, type);
  if (!ext && ((rights >> 5) & 3) < load<u8>(CPL)) raise(GP, index, Reason.GatePrivilege, vector, (rights >> 5) & 3);
  if (!(rights & 0x80)) raise(NP, index, Reason.GateNotPresent, vector);
  if (type == 5) {
    taskGate(<u32>(low >> 16) & 0xffff, ext, hasError, error, resume);
    return;
  }
  const target = long
    ? (low & 0xffff) | ((low >> 32) & 0xffff0000) | (high << 32)
    : type & 8
      ? (low & 0xffff) | ((low >> 32) & 0xffff0000)
      : low & 0xffff;
  const selector = <u32>(low >> 16) & 0xffff;
  if ((selector & 0xfffc) == 0) raise(GP, ext, Reason.SelectorNull, selector, vector);
  const raw = readDescriptor(selector, GP, ext);
  const cs = rightsOf(raw);
  const code = (selector & 0xfffc) | ext;
  const dpl = (cs >> 5) & 3;
  const cpl: u32 = load<u8>(CPL);
  if ((cs & 0x18) != 0x18) raise(GP, code, Reason.DescriptorType, raw, selector);
  if (dpl > cpl) raise(GP, code, Reason.DescriptorPrivilege, raw, selector);
  if (long && (cs & (ATTRIBUTE_L | ATTRIBUTE_DB)) != ATTRIBUTE_L) raise(GP, code, Reason.LongAndDefault, raw, selector);
  if (!(cs & ATTRIBUTE_P)) raise(NP, code, Reason.DescriptorNotPresent, raw, selector);
  const newCpl = cs & 4 ? cpl : dpl;
  if (v86() && newCpl != 0) raise(GP, code, Reason.DescriptorPrivilege, raw, selector);
  const flags = rflags() | (resume ? RF : 0);
  if (long) longFrame(raw, selector, target, newCpl, flags, <u32>(low >> 32) & 7, hasError, error, ext);
  else legacyFrame(raw, selector, target, newCpl, flags, type >= 14 ? 2 : 1, hasError, error, ext);
  let clear: u32 = TF | NT | RF | VM;
  if (!(type & 1)) clear |= IF;
  store<u32>(SYSTEM_FLAGS, systemFlags() & ~clear);
  updateMode();
  expectEndbranchAtEntry();
}
