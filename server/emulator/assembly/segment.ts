/** Segment registers: descriptor loads and their checks in order, limits and types (SDM vol. 3, 3.4, 5.2 to 5.7). */
import {
  CPL, CPU_MODE, CPUID_8021_EAX, CR0, CS, CURRENT, FEATURES, FLAT, GDTR_BASE, GDTR_LIMIT, HAS_AMD, LDTR, MODE, MODE_COMPATIBILITY, MODE_LONG,
  MODE_PROTECTED_16, MODE_PROTECTED_32, MODE_REAL, MODE_V86, SEG_ATTRIBUTES, SEG_BASE, SEG_LIMIT, SEG_READ_HIGH,
  SEG_READ_LOW, SEG_SELECTOR, SEG_WRITE_HIGH, SEG_WRITE_LOW, SEGMENT_SIZE, SEGMENTS, SS, STACK_MODE,
  SYSTEM_FLAGS, TRACE,
} from "./layout";
import { attend, readSystem, writeSystem } from "./access";
import { trace } from "./bus";
import { Reason, TRACE_MODE } from "./events";
import { GP, NP, SS_FAULT, raise, start } from "./fault";
import { RSP } from "./operand";
import { VM } from "./flags";
import { longActive } from "./mmu";
import { selectTlb } from "./tlb";

export const ATTRIBUTE_P: u32 = 0x80;
export const ATTRIBUTE_L: u32 = 0x2000;
export const ATTRIBUTE_DB: u32 = 0x4000;
export const UNUSABLE: u32 = 0x10000;

@inline export function segment(number: u32): usize {
  return SEGMENTS + number * SEGMENT_SIZE;
}
@inline export function selectorOf(number: u32): u32 {
  return load<u16>(segment(number), SEG_SELECTOR);
}
@inline export function attributesOf(number: u32): u32 {
  return load<u32>(segment(number), SEG_ATTRIBUTES);
}
@inline export function baseOf(number: u32): u64 {
  return load<u64>(segment(number), SEG_BASE);
}
@inline export function limitOf(number: u32): u32 {
  return load<u32>(segment(number), SEG_LIMIT);
}
@inline export function protectedMode(): bool {
  return (load<u64>(CR0) & 1) != 0;
}
@inline export function v86(): bool {
  return (load<u32>(SYSTEM_FLAGS) & VM) != 0;
}
/** Real-address or virtual-8086 mode: selectors are paragraphs. */
@inline export function realStyle(): bool {
  return !protectedMode() || v86();
}

/** Sets a hidden part and works out which offsets may be read and written. */
export function setSegment(number: u32, selector: u32, base: u64, limit: u32, attributes: u32): void {
  const s = segment(number);
  store<u16>(s, <u16>selector, SEG_SELECTOR);
  store<u32>(s, attributes, SEG_ATTRIBUTES);
  store<u64>(s, base, SEG_BASE);
  store<u32>(s, limit, SEG_LIMIT);
  refreshLimits(number);
}

/** In real and virtual-8086 mode a far transfer sets the selector and base; limit and rights stay. */
export function realCs(selector: u32): void {
  store<u16>(segment(CS), <u16>selector, SEG_SELECTOR);
  store<u64>(segment(CS), <u64>selector << 4, SEG_BASE);
}

/** The offsets that may be used; in real mode the type doesn't matter, the cached limit does. */
export function refreshLimits(number: u32): void {
  const s = segment(number);
  const attributes = load<u32>(s, SEG_ATTRIBUTES);
  let low: u64 = 0;
  let high: u64 = load<u32>(s, SEG_LIMIT);
  let readable = true;
  let writable = true;
  if (!realStyle()) {
    const type = attributes & 15;
    if ((attributes & (UNUSABLE | ATTRIBUTE_P | 0x10)) != (ATTRIBUTE_P | 0x10)) {
      readable = false;
      writable = false;
    } else if (type & 8) {
      readable = (type & 2) != 0;
      writable = false;
    } else {
      writable = (type & 2) != 0;
      if (type & 4) {
        low = high + 1;
        high = attributes & ATTRIBUTE_DB ? 0xffffffff : 0xffff;
      }
    }
  }
  store<u64>(s, readable ? low : 1, SEG_READ_LOW);
  store<u64>(s, readable ? high : 0, SEG_READ_HIGH);
  store<u64>(s, writable ? low : 1, SEG_WRITE_LOW);
  store<u64>(s, writable ? high : 0, SEG_WRITE_HIGH);
}

export function refreshAllLimits(): void {
  for (let i: u32 = 0; i < 6; i++) refreshLimits(i);
  setSegment(FLAT, 0, 0, 0xffffffff, 0xc093);
  store<u64>(segment(FLAT), 0, SEG_READ_LOW);
}

export function cpuMode(): u32 {
  if (!protectedMode()) return MODE_REAL;
  const cs = attributesOf(CS);
  if (longActive()) return cs & ATTRIBUTE_L ? MODE_LONG : MODE_COMPATIBILITY;
  if (v86()) return MODE_V86;
  return cs & ATTRIBUTE_DB ? MODE_PROTECTED_32 : MODE_PROTECTED_16;
}

/** After a change of CS, SS, CPL, CR0.PE, EFER.LMA or EFLAGS.VM: code and stack size, TLB set, trace. */
export function updateMode(): void {
  const long = longActive();
  const cs = attributesOf(CS);
  const mode: u8 = long && (cs & ATTRIBUTE_L) != 0 ? 2 : cs & ATTRIBUTE_DB ? 1 : 0;
  // Leaving 64-bit mode cuts RSP to 32 bits (RIP is cut by the transfer itself).
  if (mode != 2 && load<u8>(MODE) == 2) store<u64>(RSP, load<u64>(RSP) & 0xffffffff);
  store<u8>(MODE, mode);
  store<u8>(STACK_MODE, mode == 2 ? 2 : attributesOf(SS) & ATTRIBUTE_DB ? 1 : 0);
  selectTlb();
  attend();
  const now = cpuMode();
  const before: u32 = load<u8>(CPU_MODE);
  if (now == before) return;
  store<u8>(CPU_MODE, <u8>now);
  if (load<u32>(TRACE)) trace(TRACE_MODE, load<u32>(CURRENT), start(), before, now);
}

export function setCpl(level: u32): void {
  store<u8>(CPL, <u8>level);
}

// ---- Raw descriptors ----
/** Access rights in the VMX layout. */
@inline export function rightsOf(raw: u64): u32 {
  return <u32>(raw >> 40) & 0xf0ff;
}
@inline export function baseOfRaw(raw: u64): u64 {
  return ((raw >> 16) & 0xffffff) | ((raw >> 32) & 0xff000000);
}
/** The limit in bytes, inclusive, G applied. */
export function limitOfRaw(raw: u64): u32 {
  const limit = (<u32>raw & 0xffff) | (<u32>(raw >> 32) & 0xf0000);
  return (raw >> 55) & 1 ? (limit << 12) | 0xfff : limit;
}

/** Linear address of the descriptor that `selector` names; #`vector`(selector) where it lies beyond its table. */
export function descriptorAddress(selector: u32, size: u32, vector: u32, external: u32): u64 {
  const index = selector & 0xfff8;
  let base: u64;
  let limit: u32;
  if (selector & 4) {
    base = baseOf(LDTR);
    limit = limitOf(LDTR);
    if (attributesOf(LDTR) & UNUSABLE || (selectorOf(LDTR) & 0xfffc) == 0) {
      raise(vector, (selector & 0xfffc) | external, Reason.SelectorBeyondTable, selector, 0);
    }
  } else {
    base = load<u64>(GDTR_BASE);
    limit = load<u32>(GDTR_LIMIT);
  }
  if (index + size - 1 > limit) raise(vector, (selector & 0xfffc) | external, Reason.SelectorBeyondTable, selector, limit);
  return base + index;
}

export function readDescriptor(selector: u32, vector: u32, external: u32): u64 {
  return readSystem<u64>(descriptorAddress(selector, 8, vector, external));
}

/** Sets the accessed bit in memory if it is clear: a supervisor write (SDM vol. 3, 3.4.5.1). */
export function markAccessed(selector: u32, raw: u64): u64 {
  if (raw & 0x10000000000) return raw;
  const at = descriptorAddress(selector, 8, GP, 0);
  writeSystem<u8>(at + 5, <u8>(raw >> 40) | 1);
  return raw | 0x10000000000;
}

/** Fills a segment register from a descriptor whose checks are done. */
export function fillSegment(number: u32, selector: u32, raw: u64): void {
  setSegment(number, selector, baseOfRaw(raw), limitOfRaw(raw), rightsOf(raw));
}

/** AMD's processors keep base and limit under a null selector, unless NullSelectorClearsBase (APM vol. 2, 4.5.1). */
function keepsHiddenPart(): bool {
  return (load<u32>(FEATURES) & HAS_AMD) != 0 && (load<u32>(CPUID_8021_EAX) & 0x40) == 0;
}
/** A null selector in DS, ES, FS, GS (or SS in 64-bit mode): unusable. */
function fillNull(number: u32, selector: u32): void {
  const dpl: u32 = number == SS ? load<u8>(CPL) << 5 : 0;
  const keeps = keepsHiddenPart();
  setSegment(number, selector, keeps ? baseOf(number) : 0, keeps ? limitOf(number) : 0, UNUSABLE | dpl);
}

/** MOV and POP to a segment register, LDS and its like: checks in the SDM's order, then the load. */
export function loadSegment(number: u32, selector: u32): void {
  if (realStyle()) {
    store<u16>(segment(number), <u16>selector, SEG_SELECTOR);
    store<u64>(segment(number), <u64>selector << 4, SEG_BASE);
    if (v86()) setSegment(number, selector, <u64>selector << 4, 0xffff, 0xf3);
    return;
  }
  const cpl: u32 = load<u8>(CPL);
  const rpl = selector & 3;
  if ((selector & 0xfffc) == 0) {
    if (number == SS && (load<u8>(MODE) != 2 || cpl == 3 || rpl != cpl))
      raise(GP, 0, Reason.StackNull, selector, cpl);
    fillNull(number, selector);
    if (number == SS) updateMode();
    return;
  }
  let raw = readDescriptor(selector, GP, 0);
  const rights = rightsOf(raw);
  const type = rights & 0x1f;
  const dpl = (rights >> 5) & 3;
  const code = selector & 0xfffc;
  if (number == SS) {
    if (rpl != cpl) raise(GP, code, Reason.DescriptorPrivilege, raw, selector);
    // Writable data: S=1, not code, W=1.
    if ((type & 0x1a) != 0x12) raise(GP, code, Reason.DescriptorType, raw, selector);
    if (dpl != cpl) raise(GP, code, Reason.DescriptorPrivilege, raw, selector);
    if (!(rights & ATTRIBUTE_P)) raise(SS_FAULT, code, Reason.DescriptorNotPresent, raw, selector);
  } else {
    // Data, or readable code; not for conforming code: RPL and CPL may not exceed DPL.
    if (!(type & 0x10) || (type & 0x0a) == 8) raise(GP, code, Reason.DescriptorType, raw, selector);
    if ((type & 0x0c) != 0x0c && (rpl > dpl || cpl > dpl)) raise(GP, code, Reason.DescriptorPrivilege, raw, selector);
    if (!(rights & ATTRIBUTE_P)) raise(NP, code, Reason.DescriptorNotPresent, raw, selector);
  }
  raw = markAccessed(selector, raw);
  fillSegment(number, selector, raw);
  if (number == SS) updateMode();
}

/**
 * Whether DS, ES, FS and GS stay usable at a lower privilege: else they become null (RET and IRET outward). Base and limit
 * stay in the hidden part, as Bochs and QEMU have it: 64-bit code goes on with the base of FS and GS.
 */
export function dropPrivilegedSegments(cpl: u32): void {
  for (let number: u32 = 0; number < 6; number++) {
    if (number == CS || number == SS) continue;
    const attributes = attributesOf(number);
    if (attributes & UNUSABLE) continue;
    const type = attributes & 0x1f;
    const conforming = (type & 0x1c) == 0x1c;
    if (!conforming && ((attributes >> 5) & 3) < cpl) setSegment(number, 0, baseOf(number), limitOf(number), UNUSABLE);
  }
}
