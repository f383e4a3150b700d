/**
 * The local APIC of each vCPU: state, priorities, messages (SDM vol. 3, chapter 10). It lies in the vCPU's shared part, where
 * the IPIs of the other vCPUs reach it.
 */
import {
  ACTIVITY, APIC_BASE, APIC_DFR, APIC_DIVIDE, APIC_ESR, APIC_ESR_NEXT, APIC_EXPIRES, APIC_ICR, APIC_ID, APIC_INITIAL,
  APIC_IRR, APIC_ISR, APIC_LDR, APIC_LVT, APIC_STARTED, APIC_SVR, APIC_TMR, APIC_TPR, APIC_TSC_DEADLINE, ATTENTION,
  CURRENT, FEATURES, HAS_LOCAL_APIC, HAS_X2APIC, END, PHYSICAL_MASK, REQUEST_EXTINT, REQUEST_INIT, REQUEST_NMI, REQUEST_SIPI,
  VCPU_COUNT, VCPU_SIZE, VCPUS,
} from "./layout";
import { attend } from "./access";
import { endOfInterrupt } from "./bus";
import { Reason } from "./events";
import { protection } from "./fault";
import { dropCurrent } from "./tlb";

import { findNextTimer } from "./apicTimer";
import { endAtPin } from "./localPins";
const BASE_BSP: u64 = 0x100;
const BASE_EXTD: u64 = 0x400;
const BASE_EN: u64 = 0x800;
export const NEVER: u64 = ~(<u64>0);
export const LVT_MASKED: u32 = 0x10000;
export const LVT_TIMER = 0;
export const LVT_LINT0 = 3;
export const LVT_LINT1 = 4;
const LVT_ERROR = 5;

@inline export function vcpuAt(vcpu: u32): usize {
  return VCPUS + vcpu * VCPU_SIZE;
}
@inline export function me(): usize {
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
@inline export function x2(v: usize): bool {
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
  store<u32>(v, x2(v) ? x2Logical(vcpu) : 0, APIC_LDR);
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
export function processorPriority(v: usize): u32 {
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
export function endInterrupt(v: usize): void {
  const vector = highest(v + APIC_ISR);
  if (vector < 0) return;
  clearBit(v + APIC_ISR, vector);
  // The bit stays: only the next acceptance of the vector changes it (SDM vol. 3, 10.8.4).
  if (testBit(v + APIC_TMR, vector)) endOfInterrupt(vector);
  endAtPin(v, LVT_LINT0, vector);
  attend();
}

// ---- Errors ----
export const SEND_ILLEGAL_VECTOR: u32 = 0x20;
const RECEIVE_ILLEGAL_VECTOR: u32 = 0x40;
export const ILLEGAL_REGISTER: u32 = 0x80;

/**
 * Collects an error for the next write to the ESR. The first since the last such write raises the interrupt of the LVT
 * error register; the write arms it again (SDM vol. 3, 10.5.3).
 */
export function noteError(v: usize, error: u32): void {
  const before = load<u32>(v, APIC_ESR_NEXT);
  store<u32>(v, before | error, APIC_ESR_NEXT);
  const entry = load<u32>(v + (LVT_ERROR << 2), APIC_LVT);
  if (!before && !(entry & LVT_MASKED)) requestVector(v, entry & 0xff, false);
}

/** Requests `vector`; below 16 it is an error. Whether the APIC accepted it. */
export function requestVector(v: usize, vector: u32, level: bool): bool {
  if (!apicEnabled(v) || !apicSoftware(v)) return false;
  if (vector < 16) {
    noteError(v, RECEIVE_ILLEGAL_VECTOR);
    return false;
  }
  setBit(v + APIC_IRR, vector);
  if (level) setBit(v + APIC_TMR, vector);
  else clearBit(v + APIC_TMR, vector);
  notice();
  return true;
}
export function notice(): void {
  store<u32>(ATTENTION, 1);
  store<u32>(END, 0);
}

/** A message to one vCPU, from an IPI, an IOAPIC, an MSI or a local pin. Whether it was accepted. */
export function message(vcpu: u32, vector: u32, mode: u32, level: bool): bool {
  const v = vcpuAt(vcpu);
  switch (mode) {
    case 0:
    case 1:
      return requestVector(v, vector, level);
    case 4:
      store<u8>(v, 1, REQUEST_NMI);
      break;
    case 5:
      store<u8>(v, 1, REQUEST_INIT);
      store<u32>(v, 0, REQUEST_SIPI);
      break;
    case 6:
      // A start-up IPI counts only while the vCPU waits for one, or will after the INIT on its way.
      if (load<u32>(v, ACTIVITY) == 2 || load<u8>(v, REQUEST_INIT)) store<u32>(v, 1 + vector, REQUEST_SIPI);
      break;
    case 7:
      // Not among what a software-disabled APIC responds to (SDM vol. 3, 10.4.7.2).
      if (!apicSoftware(v)) return false;
      store<u8>(v, 1, REQUEST_EXTINT);
      break;
  }
  notice();
  return true;
}

/** Whether a destination field names this vCPU. */
function isDestination(vcpu: u32, destination: u32, logical: bool, wide: bool): bool {
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

/** Whom an IPI goes to: the destination field, or a shorthand (SDM vol. 3, 10.6.1). */
export const NO_SHORTHAND = 0;
const SELF = 1;
const ALL = 2;
/**
 * Sends a message to those that its destination names. Self and all including self take fixed mode only. One of lowest
 * priority goes to the software-enabled APIC with the lowest processor priority, the first among equals (10.6.2.4).
 * Whether somebody accepted it.
 */
export function send(
  vector: u32, mode: u32, level: bool, destination: u32, logical: bool, wide: bool, shorthand: u32, sender: u32,
): bool {
  const count = load<u32>(VCPU_COUNT);
  let lowest: i32 = -1;
  let accepted = false;
  for (let i: u32 = 0; i < count; i++) {
    const v = vcpuAt(i);
    let hit: bool;
    if (shorthand == NO_SHORTHAND) hit = isDestination(i, destination, logical, wide);
    else if (shorthand == SELF) hit = i == sender && mode == 0;
    else if (shorthand == ALL) hit = mode == 0;
    else hit = i != sender;
    if (!hit || !apicEnabled(v)) continue;
    if (mode != 1) accepted = message(i, vector, mode, level) || accepted;
    else if (apicSoftware(v) && (lowest < 0 || processorPriority(v) < processorPriority(vcpuAt(lowest)))) lowest = i;
  }
  if (lowest >= 0) accepted = message(lowest, vector, mode, level);
  return accepted;
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
    store<u32>(v, load<u32>(CURRENT), APIC_ID);
  }
  store<u64>(v, value, APIC_BASE);
  if (was != next && next & BASE_EXTD) {
    // What was written to the xAPIC's ID is lost, and so are LDR and the high half of the ICR.
    store<u32>(v, load<u32>(CURRENT), APIC_ID);
    store<u32>(v, x2Logical(load<u32>(CURRENT)), APIC_LDR);
    store<u64>(v, load<u64>(v, APIC_ICR) & 0xffffffff, APIC_ICR);
  }
  // The page moved or went: a mapping of it may be cached.
  dropCurrent();
  attend();
}
