/** Control and debug registers (SDM vol. 2, MOV to and from control registers; vol. 3, 2.5, 4.1, 4.4.1, 9.8.5). */
import {
  CPL, CR0, CR2, CR3, CR4, CR4_PERMITTED, CS, CURRENT, DR, EFER, FEATURES, MODE, PDPTE, PDPTES_IN_WALK, PHYSICAL_MASK, REGS, TR,
  TRACE, WALK,
} from "./layout";
import { attend } from "./access";
import { CR4_CET } from "./branch";
import { trace } from "./bus";
import { Reason, TRACE_CR } from "./events";
import { DB, protection, raise, start, undefined_ } from "./fault";
import { CR0_PG, CR0_WP, CR4_LA57, CR4_PAE, CR4_PGE, CR4_PSE, CR4_SMEP, EFER_LMA, PDPTE_RESERVED, longActive } from "./mmu";
import { OP_IMMEDIATE } from "./op";
import { getRm, isMemory, regOf, rmOf, setRegister, setRm } from "./operand";
import { physicalRead } from "./physical";
import { CR4_PKE, CR4_PKS } from "./protectionKeys";
import { ATTRIBUTE_L, attributesOf, refreshAllLimits, selectorOf, updateMode } from "./segment";
import { DR6_GENERAL_DETECT, noteConditions, refreshBreakpoints } from "./breakpoint";
import { CR4_SMAP, dropCurrent, dropNonGlobal, selectTlb } from "./tlb";
import { currentTpr, setTpr } from "./apic";
import { EFER_LME } from "./msr";
import { A20_MASK } from "./layout";

export const CR0_PE: u64 = 1;
const CR0_NW: u64 = 0x20000000;
const CR0_CD: u64 = 0x40000000;
/** PE MP EM TS ET NE WP AM NW CD PG: the bits that exist. */
const CR0_DEFINED: u64 = 0xe005003f;
export const CR4_PCIDE: u64 = 0x20000;

/** Privileged instructions: #GP(0) at CPL above 0, virtual-8086 mode included. */
export function privileged(): void {
  if (load<u8>(CPL) != 0) protection(Reason.Privilege, load<u8>(CPL));
}

function noteControl(number: u32, value: u64, previous: u64): void {
  if (load<u32>(TRACE)) trace(TRACE_CR, load<u32>(CURRENT) | (number << 8), start(), value, previous);
}

/** Bits of CR4 that this CPU has (server/src/x86/cpuid/permits.ts). */
export function cr4Allowed(): u64 {
  return load<u64>(CR4_PERMITTED);
}

/** Reads entry `i` of the page-directory-pointer table at `cr3`. */
@inline function pdpteAt(cr3: u64, i: u32): u64 {
  return physicalRead<u64>(((cr3 & 0xffffffe0) + (i << 3)) & load<u64>(A20_MASK));
}
/**
 * Loads the four PDPTE registers from the table at `cr3`; #GP(0) for a reserved bit, and then nothing is loaded. Where walks read
 * the table there are no such registers.
 */
export function loadPdptes(cr3: u64): void {
  if (load<u32>(FEATURES) & PDPTES_IN_WALK) return;
  const reserved = PDPTE_RESERVED | ~load<u64>(PHYSICAL_MASK);
  for (let i: u32 = 0; i < 4; i++) {
    const entry = pdpteAt(cr3, i);
    if (entry & 1 && entry & reserved) protection(Reason.PdpteReserved, entry, i);
    store<u64>(WALK + (i << 3), entry);
  }
  memory.copy(PDPTE, WALK, 32);
}
/** The same without checks. */
export function readPdptes(cr3: u64): void {
  for (let i: u32 = 0; i < 4; i++) store<u64>(PDPTE + (i << 3), pdpteAt(cr3, i));
}

export function writeCr0(value: u64): void {
  const old = load<u64>(CR0);
  const efer = load<u64>(EFER);
  const cr4 = load<u64>(CR4);
  if (value >> 32) protection(Reason.Cr0Reserved, value);
  let next = (value & CR0_DEFINED) | 0x10;
  if (next & CR0_PG && !(next & CR0_PE)) protection(Reason.Cr0PgWithoutPe, value);
  if (next & CR0_NW && !(next & CR0_CD)) protection(Reason.Cr0NwWithoutCd, value);
  if (!(next & CR0_WP) && (cr4 & CR4_CET) != 0) protection(Reason.Cr0WpClearedWithCet, value);
  const on = (next & CR0_PG) != 0 && !(old & CR0_PG);
  const off = !(next & CR0_PG) && (old & CR0_PG) != 0;
  let lma = efer & EFER_LMA;
  if (on && (efer & EFER_LME) != 0) {
    if (!(cr4 & CR4_PAE)) protection(Reason.Cr0LongWithoutPae, value, cr4);
    if (attributesOf(CS) & ATTRIBUTE_L) protection(Reason.Cr0LongWithCsL, selectorOf(CS));
    if ((attributesOf(TR) & 15) <= 3 && (selectorOf(TR) & 0xfffc) != 0)
      protection(Reason.Cr0LongWithTss16, selectorOf(TR), attributesOf(TR));
    lma = EFER_LMA;
  }
  if (off) {
    if (load<u8>(MODE) == 2) protection(Reason.Cr0PgClearedIn64, value);
    if (cr4 & CR4_PCIDE) protection(Reason.Cr0PgClearedWithPcid, cr4);
    lma = 0;
  }
  // CD, NW and PG changes reload the PDPTEs (SDM vol. 3, 4.4.1).
  const pae = (next & CR0_PG) != 0 && (cr4 & CR4_PAE) != 0 && !lma;
  if (pae && ((old ^ next) & (CR0_PG | CR0_CD | CR0_NW)) != 0) loadPdptes(load<u64>(CR3));
  store<u64>(CR0, next);
  store<u64>(EFER, (efer & ~EFER_LMA) | lma);
  if ((old ^ next) & (CR0_PG | CR0_WP | CR0_PE)) dropCurrent();
  if ((old ^ next) & CR0_PE) refreshAllLimits();
  noteControl(0, next, old);
  updateMode();
}

export function writeCr3(value: u64): void {
  const old = load<u64>(CR3);
  const cr4 = load<u64>(CR4);
  let keep = false;
  if (longActive()) {
    const pcid = (cr4 & CR4_PCIDE) != 0;
    keep = pcid && value >> 63 != 0;
    const wrong = value & ~load<u64>(PHYSICAL_MASK) & (pcid ? <u64>0x7fffffffffffffff : ~(<u64>0));
    if (wrong) protection(Reason.Cr3Reserved, value, wrong);
    value &= 0x7fffffffffffffff;
  } else {
    value &= 0xffffffff;
    if (load<u64>(CR0) & CR0_PG && (cr4 & CR4_PAE) != 0) loadPdptes(value);
  }
  store<u64>(CR3, value);
  // Only the current PCID has entries: another one starts without any, whatever bit 63 asks for.
  if (!keep || ((old ^ value) & 0xfff) != 0) dropNonGlobal();
  noteControl(3, value, old);
  attend();
}

export function writeCr4(value: u64): void {
  const old = load<u64>(CR4);
  const wrong = value & ~cr4Allowed();
  if (wrong) protection(Reason.Cr4Reserved, value, wrong);
  const long = longActive();
  if (long && !(value & CR4_PAE)) protection(Reason.Cr4PaeClearedInLong, value);
  if (long && ((old ^ value) & CR4_LA57) != 0) protection(Reason.Cr4La57InLong, value);
  if (value & CR4_PCIDE && !(old & CR4_PCIDE) && (!long || (load<u64>(CR3) & 0xfff) != 0))
    protection(Reason.Cr4PcidIllegal, value, load<u64>(CR3));
  if (value & CR4_CET && !(load<u64>(CR0) & CR0_WP)) protection(Reason.Cr4CetWithoutWp, value);
  const pae = (load<u64>(CR0) & CR0_PG) != 0 && (value & CR4_PAE) != 0 && !long;
  if (pae && ((old ^ value) & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP)) != 0) loadPdptes(load<u64>(CR3));
  store<u64>(CR4, value);
  if ((old ^ value) & (CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | CR4_SMEP | CR4_SMAP | CR4_LA57 | CR4_PKE | CR4_PKS)) dropCurrent();
  noteControl(4, value, old);
  updateMode();
}

/** MOV r, CRn: always the full register size of the mode. */
export function movFromControl(op: usize): void {
  const number = regOf(op);
  if (number != 0 && number != 2 && number != 3 && number != 4 && number != 8) undefined_();
  privileged();
  let value: u64;
  if (number == 0) value = load<u64>(CR0);
  else if (number == 2) value = load<u64>(CR2);
  else if (number == 3) value = load<u64>(CR3);
  else if (number == 4) value = load<u64>(CR4);
  else value = currentTpr() >> 4;
  if (load<u8>(MODE) == 2) setRegister<u64>(rmOf(op), value);
  else setRegister<u32>(rmOf(op), <u32>value);
}
export function movToControl(op: usize): void {
  const number = regOf(op);
  if (number != 0 && number != 2 && number != 3 && number != 4 && number != 8) undefined_();
  privileged();
  let value = load<u64>(REGS + rmOf(op));
  if (load<u8>(MODE) != 2) value &= 0xffffffff;
  if (number == 0) writeCr0(value);
  else if (number == 2) {
    noteControl(2, value, load<u64>(CR2));
    store<u64>(CR2, value);
  } else if (number == 3) writeCr3(value);
  else if (number == 4) writeCr4(value);
  else {
    if (value >> 4) protection(Reason.Cr8Reserved, value);
    noteControl(8, value, currentTpr() >> 4);
    setTpr(<u32>value << 4);
    attend();
  }
}

/** DR4 and DR5 are DR6 and DR7 unless CR4.DE is set; DR7.GD guards them all. */
function debugRegister(op: usize): u32 {
  let number = regOf(op);
  if (number > 7) undefined_();
  if (number == 4 || number == 5) {
    if (load<u64>(CR4) & 8) undefined_();
    number += 2;
  }
  privileged();
  if (load<u64>(DR + 56) & 0x2000) {
    noteConditions(DR6_GENERAL_DETECT);
    raise(DB, 0, Reason.DrGeneralDetect, number);
  }
  return number;
}
export function movFromDebug(op: usize): void {
  const value = load<u64>(DR + (debugRegister(op) << 3));
  if (load<u8>(MODE) == 2) setRegister<u64>(rmOf(op), value);
  else setRegister<u32>(rmOf(op), <u32>value);
}
export function movToDebug(op: usize): void {
  const number = debugRegister(op);
  let value = load<u64>(REGS + rmOf(op));
  if (load<u8>(MODE) != 2) value &= 0xffffffff;
  if (number >= 6 && value >> 32) protection(Reason.DrReserved, value, number);
  if (number == 6) value = (value & 0xe00f) | 0xffff0ff0;
  if (number == 7) value = (value & 0xffff27ff) | 0x400;
  store<u64>(DR + (number << 3), value);
  if (number == 7) {
    refreshBreakpoints();
    selectTlb();
    attend();
  }
}

export function clts(op: usize): void {
  privileged();
  const old = load<u64>(CR0);
  store<u64>(CR0, old & ~8);
  if (old & 8) noteControl(0, old & ~8, old);
}
/** UMIP keeps SGDT, SIDT, SLDT, SMSW and STR from user code. */
export function userPrevented(): void {
  if (load<u64>(CR4) & 0x800 && load<u8>(CPL) != 0) protection(Reason.Privilege, load<u8>(CPL));
}
export function smsw(op: usize): void {
  userPrevented();
  const value = load<u64>(CR0);
  const size = immediate(op);
  if (isMemory(op) || size == 1) setRm<u16>(op, <u16>value);
  else if (size == 2) setRm<u32>(op, <u32>value);
  else setRm<u64>(op, value);
}
@inline function immediate(op: usize): u32 {
  return load<u32>(op, OP_IMMEDIATE);
}
/** LMSW sets PE, MP, EM and TS; it can't clear PE. */
export function lmsw(op: usize): void {
  privileged();
  const value = <u64>getRm<u16>(op) & 15;
  const old = load<u64>(CR0);
  writeCr0((old & ~(<u64>14)) | value | (old & 1));
}
