/** The local APIC as software sees it: the xAPIC page, the x2APIC MSRs, the interrupt command (SDM vol. 3, 10.4, 10.6, 10.12). */
import {
  APIC_DFR, APIC_DIVIDE, APIC_ESR, APIC_ESR_NEXT, APIC_EXPIRES, APIC_ICR, APIC_ID, APIC_INITIAL, APIC_IRR, APIC_ISR,
  APIC_LDR, APIC_LVT, APIC_SVR, APIC_TMR, APIC_TPR, CURRENT, FEATURES, HAS_AMD, MSRS_PERMITTED, MSRS_TSC_DEADLINE, TRACE,
} from "./layout";
import { attend } from "./access";
import { interprocessorInterrupt, trace } from "./bus";
import { Reason, TRACE_IPI } from "./events";
import { now, protection, start } from "./fault";

import {
  apicSoftware, endInterrupt, ILLEGAL_REGISTER, LVT_LINT0, LVT_MASKED, me, noteError, processorPriority, send,
  SEND_ILLEGAL_VECTOR, x2,
} from "./apic";
import { askByLevel, LVT_REMOTE_IRR } from "./localPins";
import { currentCount, disarmTimer, divisor, findNextTimer, startTimer, timerMode } from "./apicTimer";

/** Bit 18 of the LVT timer entry, TSC-deadline mode, where CPUID has it. */
@inline function deadlineMode(): u32 {
  return load<u32>(MSRS_PERMITTED) & MSRS_TSC_DEADLINE ? 0x40000 : 0;
}
/** A write to the ICR: the command is sent, and can be read back unless the bus refused it. */
function command(icr: u64): void {
  sendIpi(icr);
  store<u64>(me(), icr & ~0x1000, APIC_ICR);
}
/** Sends the interrupt command `icr`; the bus sees it first, and may refuse it or send it itself. */
function sendIpi(icr: u64): void {
  const v = me();
  const sent = interprocessorInterrupt(icr);
  if (load<u32>(TRACE)) trace(TRACE_IPI, load<u32>(CURRENT), start(), icr, 0);
  if (sent) return;
  const vector = <u32>icr & 0xff;
  const mode = <u32>(icr >> 8) & 7;
  const shorthand = <u32>(icr >> 18) & 3;
  const level = (icr >> 14) & 1;
  const trigger = (icr >> 15) & 1;
  // INIT level de-assert does nothing since the Pentium 4.
  if (mode == 5 && !level && trigger) return;
  if (mode == 3 || mode == 7) return;
  // An illegal vector is the sender's error and then, as the message arrives, each receiver's.
  if (mode <= 1 && vector < 16) noteError(v, SEND_ILLEGAL_VECTOR);
  const wide = x2(v);
  const destination = wide ? <u32>(icr >> 32) : <u32>(icr >> 56);
  send(vector, mode, false, destination, (icr & 0x800) != 0, wide, shorthand, load<u32>(CURRENT));
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
    case 0x0b:
    // Remote read: no command sends one since the Pentium 4.
    case 0x0c: return x2(v) ? -1 : 0;
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
    let mask: u32 = number == 0x32 ? 0x300ff | deadlineMode() : number == 0x35 || number == 0x36 ? 0x1a7ff : 0x107ff;
    if (number == 0x37) mask = 0x100ff;
    const at = v + ((number - 0x32) << 2);
    // Remote IRR is read-only, and there for a level-triggered LINT0 alone.
    const asked = number == 0x35 && (value & 0x8700) == 0x8000 ? load<u32>(at, APIC_LVT) & LVT_REMOTE_IRR : 0;
    store<u32>(at, (value & mask) | asked | (apicSoftware(v) ? 0 : LVT_MASKED), APIC_LVT);
    if (number == 0x35) askByLevel(v, LVT_LINT0);
    if (number == 0x32 && (before == 2) != (timerMode(v) == 2)) disarmTimer(v);
    attend();
    return true;
  }
  return false;
}

// ---- The xAPIC page: aligned 32-bit accesses; others read 0 and are ignored ----
export function apicRead(offset: u32, size: u32): u64 {
  const value = readRegister(offset >> 4);
  if (value < 0) noteError(me(), ILLEGAL_REGISTER);
  if (value < 0 || (offset & 15) > 3) return 0;
  return <u64>value >> ((offset & 3) << 3);
}
export function apicWrite(offset: u32, size: u32, value: u32): void {
  if (offset & 15) return;
  const v = me();
  const number = offset >> 4;
  if (number == 0x30) command((load<u64>(v, APIC_ICR) & 0xffffffff00000000) | (value & 0xccfff));
  else if (number == 0x31) store<u64>(v, (load<u64>(v, APIC_ICR) & 0xffffffff) | (<u64>(value & 0xff000000) << 32), APIC_ICR);
  // A read-only register takes a write without effect; only a reserved one is an error.
  else if (!writeRegister(number, value) && readRegister(number) < 0) noteError(v, ILLEGAL_REGISTER);
}

// ---- x2APIC MSRs ----
/** Bits of a register that WRMSR must leave 0 (SDM vol. 3, 10.12.1.2); read-only status bits are not among them. */
function x2Reserved(number: u32): u32 {
  switch (number) {
    case 0x08:
    case 0x3f: return 0xffffff00;
    case 0x0b:
    case 0x28: return 0xffffffff;
    // The version register names no suppression of EOI broadcasts: bit 12 is reserved.
    case 0x0f: return 0xfffffc00;
    case 0x32: return 0xfffcef00 & ~deadlineMode();
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
    // Bit 12 was the delivery status: Intel ignores it, AMD wants 0 (as KVM notes of both).
    if (value & (load<u32>(FEATURES) & HAS_AMD ? 0xfff33000 : 0xfff32000)) protection(Reason.ApicReserved, 0x830, value);
    command(value);
    return;
  }
  if (value >> 32 || <u32>value & x2Reserved(number)) protection(Reason.ApicReserved, number + 0x800, value);
  if (number == 0x3f) {
    sendIpi(0x40000 | (value & 0xff));
    return;
  }
  if (number == 0x0d || !writeRegister(number, <u32>value)) protection(Reason.ApicReserved, number + 0x800, value);
}

