/**
 * The local APIC: xAPIC page and x2APIC MSRs, priorities, IPIs, INIT and SIPI, timer (SDM vol. 3, chapter 10).
 * Its state lies in the vCPU's shared part, where the other vCPUs' IPIs reach it.
 */
import {
  ACTIVITY, APIC_BASE, APIC_DFR, APIC_DIVIDE, APIC_ESR, APIC_ESR_NEXT, APIC_EXPIRES, APIC_ICR, APIC_ID, APIC_INITIAL,
  APIC_IRR, APIC_ISR, APIC_LDR, APIC_LVT, APIC_STARTED, APIC_SVR, APIC_TMR, APIC_TPR, APIC_TSC_DEADLINE, ATTENTION,
  CURRENT, FEATURES, HAS_LOCAL_APIC, HAS_X2APIC, LEFT, NEXT_TIMER, NOW, PHYSICAL_MASK, REQUEST_INIT, REQUEST_NMI,
  REQUEST_SIPI, START, TRACE, TSC_OFFSET, VCPU_COUNT, VCPU_SIZE, VCPUS,
} from "./layout";
import { attend } from "./access";
import { endOfInterrupt, interprocessorInterrupt, trace } from "./bus";
import { Reason, TRACE_IPI } from "./events";
import { now, protection } from "./fault";
import { dropCurrent } from "./tlb";

const BASE_BSP: u64 = 0x100;
const BASE_EXTD: u64 = 0x400;
const BASE_EN: u64 = 0x800;
const NEVER: u64 = ~(<u64>0);
const LVT_MASKED: u32 = 0x10000;
export const LVT_TIMER = 0;
export const LVT_LINT0 = 3;
export const LVT_LINT1 = 4;

@inline export function vcpuAt(vcpu: u32): usize {
  return VCPUS + vcpu * VCPU_SIZE;
}
@inline function me(): usize {
  return vcpuAt(load<u32>(CURRENT));
}
@inline function present(): bool {
  return (load<u32>(FEATURES) & HAS_LOCAL_APIC) != 0;
}
export function apicBase(): u64 {
  return load<u64>(me(), APIC_BASE);
}
/** Globally enabled: IA32_APIC_BASE.EN. */
@inline export function apicEnabled(v: usize): bool {
  return present() && (load<u64>(v, APIC_BASE) & BASE_EN) != 0;
}
@inline function x2(v: usize): bool {
  return (load<u64>(v, APIC_BASE) & BASE_EXTD) != 0;
}
/** Software-enabled: bit 8 of the spurious vector register. */
@inline export function apicSoftware(v: usize): bool {
  return (load<u32>(v, APIC_SVR) & 0x100) != 0;
}

/** Whether a physical address is in the page of the current vCPU's xAPIC. */
@inline export function apicCovers(gpa: u64): bool {
  const base = load<u64>(me(), APIC_BASE);
  return (base & (BASE_EN | BASE_EXTD)) == BASE_EN && ((gpa ^ base) & ~(<u64>0xfff)) == 0 && present();
}

/** RESET and INIT state; INIT keeps the id and IA32_APIC_BASE. */
export function resetApic(vcpu: u32, init: bool): void {
  const v = vcpuAt(vcpu);
  if (!init) {
    store<u64>(v, present() ? 0xfee00000 | BASE_EN | (vcpu == 0 ? BASE_BSP : 0) : 0, APIC_BASE);
    store<u32>(v, vcpu, APIC_ID);
  }
  store<u32>(v, 0, APIC_TPR);
  store<u32>(v, x2(v) ? x2Logical(load<u32>(v, APIC_ID)) : 0, APIC_LDR);
  store<u32>(v, 0xffffffff, APIC_DFR);
  store<u32>(v, 0xff, APIC_SVR);
  store<u32>(v, 0, APIC_ESR);
  store<u32>(v, 0, APIC_ESR_NEXT);
  store<u64>(v, 0, APIC_ICR);
  for (let i: u32 = 0; i < 7; i++) store<u32>(v + (i << 2), LVT_MASKED, APIC_LVT);
  store<u32>(v, 0, APIC_INITIAL);
  store<u32>(v, 0, APIC_DIVIDE);
  store<u64>(v, 0, APIC_STARTED);
  store<u64>(v, NEVER, APIC_EXPIRES);
  store<u64>(v, 0, APIC_TSC_DEADLINE);
  memory.fill(v + APIC_ISR, 0, 96);
  findNextTimer();
}
function x2Logical(id: u32): u32 {
  return ((id >> 4) << 16) | (1 << (id & 15));
}

// ---- Bit vectors of 256 ----
@inline function setBit(v: usize, vector: u32): void {
  const at = v + ((vector >> 5) << 2);
  store<u32>(at, load<u32>(at) | (1 << (vector & 31)));
}
@inline function clearBit(v: usize, vector: u32): void {
  const at = v + ((vector >> 5) << 2);
  store<u32>(at, load<u32>(at) & ~(1 << (vector & 31)));
}
@inline function testBit(v: usize, vector: u32): bool {
  return ((load<u32>(v + ((vector >> 5) << 2)) >> (vector & 31)) & 1) != 0;
}
/** The highest vector set, or -1. */
function highest(v: usize): i32 {
  for (let i: i32 = 7; i >= 0; i--) {
    const word = load<u32>(v + (i << 2));
    if (word) return (i << 5) + 31 - <i32>clz<u32>(word);
  }
  return -1;
}

// ---- Priorities ----
function processorPriority(v: usize): u32 {
  const service = max<i32>(highest(v + APIC_ISR), 0);
  const tpr = load<u32>(v, APIC_TPR);
  return (tpr & 0xf0) >= (<u32>service & 0xf0) ? tpr & 0xff : <u32>service & 0xf0;
}
/** The vector that would be delivered now, or -1. */
export function apicPending(v: usize): i32 {
  if (!apicEnabled(v) || !apicSoftware(v)) return -1;
  const vector = highest(v + APIC_IRR);
  if (vector < 0 || (<u32>vector & 0xf0) <= (processorPriority(v) & 0xf0)) return -1;
  return vector;
}
/** Moves a vector from requested to in service. */
export function apicAccept(v: usize, vector: u32): void {
  clearBit(v + APIC_IRR, vector);
  setBit(v + APIC_ISR, vector);
}
export function currentTpr(): u64 {
  return load<u32>(me(), APIC_TPR);
}
export function setTpr(value: u32): void {
  store<u32>(me(), value & 0xff, APIC_TPR);
}
function endInterrupt(v: usize): void {
  const vector = highest(v + APIC_ISR);
  if (vector < 0) return;
  clearBit(v + APIC_ISR, vector);
  if (testBit(v + APIC_TMR, vector)) {
    clearBit(v + APIC_TMR, vector);
    endOfInterrupt(vector);
  }
  attend();
}

/** Requests `vector`; below 16 it is an error (ESR bit 6, received illegal vector). */
export function requestVector(v: usize, vector: u32, level: bool): void {
  if (!apicEnabled(v) || !apicSoftware(v)) return;
  if (vector < 16) {
    store<u32>(v, load<u32>(v, APIC_ESR_NEXT) | 0x40, APIC_ESR_NEXT);
    return;
  }
  setBit(v + APIC_IRR, vector);
  if (level) setBit(v + APIC_TMR, vector);
  else clearBit(v + APIC_TMR, vector);
  notice();
}
function notice(): void {
  store<u32>(ATTENTION, 1);
  store<i32>(LEFT, 0);
}

/** A message to one vCPU, from an IPI, an IOAPIC or an MSI. */
export function message(vcpu: u32, vector: u32, mode: u32, level: bool): void {
  const v = vcpuAt(vcpu);
  switch (mode) {
    case 0:
    case 1:
      requestVector(v, vector, level);
      break;
    case 4:
      store<u8>(v, 1, REQUEST_NMI);
      notice();
      break;
    case 5:
      store<u8>(v, 1, REQUEST_INIT);
      store<u32>(v, 0, REQUEST_SIPI);
      notice();
      break;
    case 6:
      // A start-up IPI counts only while the vCPU waits for one, or will after the INIT on its way.
      if (load<u32>(v, ACTIVITY) == 2 || load<u8>(v, REQUEST_INIT)) {
        store<u32>(v, 1 + vector, REQUEST_SIPI);
        notice();
      }
      break;
  }
}

/** Whether a destination field names this vCPU. */
export function isDestination(vcpu: u32, destination: u32, logical: bool, wide: bool): bool {
  const v = vcpuAt(vcpu);
  if (!apicEnabled(v)) return false;
  const broadcast: u32 = wide ? 0xffffffff : 0xff;
  if (destination == broadcast) return true;
  if (!logical) return destination == load<u32>(v, APIC_ID);
  const ldr = load<u32>(v, APIC_LDR);
  if (x2(v)) return ldr >> 16 == destination >> 16 && (ldr & destination & 0xffff) != 0;
  const mine = ldr >> 24;
  if (load<u32>(v, APIC_DFR) >> 28 == 15) return (mine & destination) != 0;
  return mine >> 4 == destination >> 4 && (mine & destination & 15) != 0;
}

/** Sends the interrupt command `icr`; the bus sees it first and may refuse. */
function sendIpi(icr: u64): void {
  const v = me();
  interprocessorInterrupt(icr);
  if (load<u32>(TRACE)) trace(TRACE_IPI, load<u32>(CURRENT), load<u64>(START), icr, 0);
  store<u64>(v, icr & ~0x1000, APIC_ICR);
  const vector = <u32>icr & 0xff;
  const mode = <u32>(icr >> 8) & 7;
  const shorthand = <u32>(icr >> 18) & 3;
  const level = (icr >> 14) & 1;
  const trigger = (icr >> 15) & 1;
  // INIT level de-assert does nothing since the Pentium 4.
  if (mode == 5 && !level && trigger) return;
  if (mode == 3 || mode == 7) return;
  if (mode == 0 && vector < 16) {
    store<u32>(v, load<u32>(v, APIC_ESR_NEXT) | 0x20, APIC_ESR_NEXT);
    return;
  }
  const wide = x2(v);
  const destination = wide ? <u32>(icr >> 32) : <u32>(icr >> 56);
  const logical = (icr & 0x800) != 0;
  const count = load<u32>(VCPU_COUNT);
  const current = load<u32>(CURRENT);
  for (let i: u32 = 0; i < count; i++) {
    let hit: bool;
    if (shorthand == 0) hit = isDestination(i, destination, logical, wide);
    else if (shorthand == 1) hit = i == current && mode == 0;
    else if (shorthand == 2) hit = mode == 0;
    else hit = i != current;
    if (!hit) continue;
    message(i, vector, mode, false);
    // Lowest priority: one of them takes it.
    if (mode == 1) break;
  }
}

// ---- Timer ----
@inline function divisor(v: usize): u64 {
  const d = load<u32>(v, APIC_DIVIDE);
  const n = (d & 3) | ((d >> 1) & 4);
  return n == 7 ? 1 : (<u64>2) << n;
}
/** 0 one-shot, 1 periodic, 2 TSC deadline. */
@inline function timerMode(v: usize): u32 {
  return (load<u32>(v, APIC_LVT) >> 17) & 3;
}
export function findNextTimer(): void {
  let next = NEVER;
  const count = load<u32>(VCPU_COUNT);
  for (let i: u32 = 0; i < count; i++) next = min<u64>(next, load<u64>(vcpuAt(i), APIC_EXPIRES));
  store<u64>(NEXT_TIMER, next);
  notice();
}
function startTimer(v: usize, count: u32): void {
  store<u32>(v, count, APIC_INITIAL);
  const at = now();
  store<u64>(v, at, APIC_STARTED);
  store<u64>(v, count && timerMode(v) != 2 ? at + count * divisor(v) : NEVER, APIC_EXPIRES);
  findNextTimer();
}
function currentCount(v: usize): u32 {
  const expires = load<u64>(v, APIC_EXPIRES);
  if (expires == NEVER || timerMode(v) == 2) return 0;
  const at = now();
  return expires <= at ? 0 : <u32>((expires - at + divisor(v) - 1) / divisor(v));
}
/** Timers that are due: their interrupts, and the next period. */
export function fireTimers(): void {
  const at = load<u64>(NOW);
  const count = load<u32>(VCPU_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const v = vcpuAt(i);
    const expires = load<u64>(v, APIC_EXPIRES);
    if (expires > at) continue;
    const lvt = load<u32>(v, APIC_LVT);
    if (timerMode(v) == 1 && load<u32>(v, APIC_INITIAL) != 0) {
      const period = load<u32>(v, APIC_INITIAL) * divisor(v);
      store<u64>(v, expires + ((at - expires) / period + 1) * period, APIC_EXPIRES);
    } else {
      store<u64>(v, NEVER, APIC_EXPIRES);
      store<u64>(v, 0, APIC_TSC_DEADLINE);
    }
    if (!(lvt & LVT_MASKED)) requestVector(v, lvt & 0xff, false);
  }
  findNextTimer();
}
export function tscDeadline(): u64 {
  return load<u64>(me(), APIC_TSC_DEADLINE);
}
export function setTscDeadline(value: u64): void {
  const v = me();
  if (timerMode(v) != 2) return;
  store<u64>(v, value, APIC_TSC_DEADLINE);
  store<u64>(v, value ? max<u64>(value - load<u64>(TSC_OFFSET), now() + 1) : NEVER, APIC_EXPIRES);
  findNextTimer();
}

// ---- Registers, by offset in units of 16 bytes (the x2APIC MSR number minus 0x800) ----
/** A register's value; -1 where there is none at this number. */
function readRegister(number: u32): i64 {
  const v = me();
  switch (number) {
    case 0x02: return x2(v) ? load<u32>(v, APIC_ID) : load<u32>(v, APIC_ID) << 24;
    // Version 0x14, seven LVT entries less the CMCI: highest entry 5.
    case 0x03: return 0x50014;
    case 0x08: return load<u32>(v, APIC_TPR);
    case 0x09: return x2(v) ? -1 : 0;
    case 0x0a: return processorPriority(v);
    case 0x0b: return x2(v) ? -1 : 0;
    case 0x0d: return load<u32>(v, APIC_LDR);
    case 0x0e: return x2(v) ? -1 : load<u32>(v, APIC_DFR);
    case 0x0f: return load<u32>(v, APIC_SVR);
    case 0x28: return load<u32>(v, APIC_ESR);
    case 0x30: return <u32>load<u64>(v, APIC_ICR);
    case 0x31: return x2(v) ? -1 : <u32>(load<u64>(v, APIC_ICR) >> 32);
    case 0x38: return load<u32>(v, APIC_INITIAL);
    case 0x39: return currentCount(v);
    case 0x3e: return load<u32>(v, APIC_DIVIDE);
  }
  if (number >= 0x10 && number <= 0x17) return load<u32>(v + ((number - 0x10) << 2), APIC_ISR);
  if (number >= 0x18 && number <= 0x1f) return load<u32>(v + ((number - 0x18) << 2), APIC_TMR);
  if (number >= 0x20 && number <= 0x27) return load<u32>(v + ((number - 0x20) << 2), APIC_IRR);
  if (number >= 0x32 && number <= 0x37) return load<u32>(v + ((number - 0x32) << 2), APIC_LVT);
  return -1;
}

/** Writes a register; false where it doesn't exist or can't be written. */
function writeRegister(number: u32, value: u32): bool {
  const v = me();
  switch (number) {
    case 0x02:
      if (x2(v)) return false;
      store<u32>(v, value >> 24, APIC_ID);
      return true;
    case 0x08:
      store<u32>(v, value & 0xff, APIC_TPR);
      attend();
      return true;
    case 0x0b:
      endInterrupt(v);
      return true;
    case 0x0d:
      if (x2(v)) return false;
      store<u32>(v, value & 0xff000000, APIC_LDR);
      return true;
    case 0x0e:
      if (x2(v)) return false;
      store<u32>(v, value | 0x0fffffff, APIC_DFR);
      return true;
    case 0x0f:
      store<u32>(v, value & 0x1ff, APIC_SVR);
      if (!(value & 0x100))
        for (let i: u32 = 0; i < 7; i++)
          store<u32>(v + (i << 2), load<u32>(v + (i << 2), APIC_LVT) | LVT_MASKED, APIC_LVT);
      attend();
      return true;
    case 0x28:
      store<u32>(v, load<u32>(v, APIC_ESR_NEXT), APIC_ESR);
      store<u32>(v, 0, APIC_ESR_NEXT);
      return true;
    case 0x38:
      startTimer(v, value);
      return true;
    case 0x3e: {
      const left = currentCount(v);
      store<u32>(v, value & 11, APIC_DIVIDE);
      if (left) store<u64>(v, now() + left * divisor(v), APIC_EXPIRES);
      findNextTimer();
      return true;
    }
  }
  if (number >= 0x32 && number <= 0x37) {
    const before = timerMode(v);
    let mask: u32 = number == 0x32 ? 0x700ff : number == 0x35 || number == 0x36 ? 0x1a7ff : 0x107ff;
    if (number == 0x37) mask = 0x100ff;
    store<u32>(v + ((number - 0x32) << 2), (value & mask) | (apicSoftware(v) ? 0 : LVT_MASKED), APIC_LVT);
    // A change to or from TSC-deadline mode disarms the timer.
    if (number == 0x32 && (before == 2) != (timerMode(v) == 2)) {
      store<u64>(v, NEVER, APIC_EXPIRES);
      findNextTimer();
    }
    attend();
    return true;
  }
  return false;
}

// ---- The xAPIC page: aligned 32-bit accesses; others read 0 and are ignored ----
export function apicRead(offset: u32, size: u32): u64 {
  const value = readRegister(offset >> 4);
  if (value < 0 || (offset & 15) > 3) return 0;
  return <u64>value >> ((offset & 3) << 3);
}
export function apicWrite(offset: u32, size: u32, value: u32): void {
  if (offset & 15) return;
  const v = me();
  const number = offset >> 4;
  if (number == 0x30) sendIpi((load<u64>(v, APIC_ICR) & 0xffffffff00000000) | (value & 0xccfff));
  else if (number == 0x31) store<u64>(v, (load<u64>(v, APIC_ICR) & 0xffffffff) | (<u64>(value & 0xff000000) << 32), APIC_ICR);
  else if (!writeRegister(number, value)) store<u32>(v, load<u32>(v, APIC_ESR_NEXT) | (number > 0x3f ? 0 : 0x80), APIC_ESR_NEXT);
}

// ---- x2APIC MSRs ----
/** Bits of a register that WRMSR must leave 0 (SDM vol. 3, 10.12.1.2); read-only status bits are not among them. */
function x2Reserved(number: u32): u32 {
  switch (number) {
    case 0x08:
    case 0x3f: return 0xffffff00;
    case 0x0b:
    case 0x28: return 0xffffffff;
    case 0x0f: return 0xffffec00;
    case 0x32: return 0xfff8ef00;
    case 0x33:
    case 0x34: return 0xfffee800;
    case 0x35:
    case 0x36: return 0xfffe0800;
    case 0x37: return 0xfffeef00;
    case 0x3e: return 0xfffffff4;
  }
  return 0;
}
export function apicMsrRead(number: u32): u64 {
  const v = me();
  if (!x2(v)) protection(Reason.ApicReserved, number + 0x800);
  if (number == 0x30) return load<u64>(v, APIC_ICR);
  const value = readRegister(number);
  if (value < 0) protection(Reason.ApicReserved, number + 0x800);
  return <u64>value;
}
export function apicMsrWrite(number: u32, value: u64): void {
  const v = me();
  if (!x2(v)) protection(Reason.ApicReserved, number + 0x800, value);
  if (number == 0x30) {
    if (value & 0xfff33000) protection(Reason.ApicReserved, 0x830, value);
    sendIpi(value);
    return;
  }
  if (value >> 32 || <u32>value & x2Reserved(number)) protection(Reason.ApicReserved, number + 0x800, value);
  if (number == 0x3f) {
    sendIpi(0x40000 | (value & 0xff));
    return;
  }
  if (number == 0x0d || !writeRegister(number, <u32>value)) protection(Reason.ApicReserved, number + 0x800, value);
}

/** WRMSR IA32_APIC_BASE: the transitions of SDM vol. 3, 10.12.5. */
export function writeApicBase(value: u64): void {
  const v = me();
  const old = load<u64>(v, APIC_BASE);
  const wide = (load<u32>(FEATURES) & HAS_X2APIC) != 0;
  const reserved = <u64>0x2ff | (wide ? 0 : BASE_EXTD) | ~load<u64>(PHYSICAL_MASK);
  const next = value & (BASE_EN | BASE_EXTD);
  const was = old & (BASE_EN | BASE_EXTD);
  if (value & reserved) protection(Reason.ApicBaseIllegal, value, old);
  if (next == BASE_EXTD) protection(Reason.ApicBaseIllegal, value, old);
  if (was == (BASE_EN | BASE_EXTD) && next == BASE_EN) protection(Reason.ApicBaseIllegal, value, old);
  if (was == 0 && next == (BASE_EN | BASE_EXTD)) protection(Reason.ApicBaseIllegal, value, old);
  if (was == 0 && next != 0) {
    resetApic(load<u32>(CURRENT), true);
  }
  store<u64>(v, value, APIC_BASE);
  if (was != next && next & BASE_EXTD) store<u32>(v, x2Logical(load<u32>(v, APIC_ID)), APIC_LDR);
  // The page moved or went: a mapping of it may be cached.
  dropCurrent();
  attend();
}
