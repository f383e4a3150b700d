/** Model-specific registers that the core keeps; the others go to the bus (SDM vol. 4; vol. 3, 5.8.8, 9.8.5, 10.4.4). */
import {
  CPUID_ANSWER, CR0, CURRENT, EFER, EFER_PERMITTED, FEATURES, FS, GS, HAS_AMD, HAS_X2APIC, MSR_CSTAR,
  MSR_FMASK, MSR_KERNEL_GS, MSR_LSTAR, MSR_MCG_STATUS, MSR_PAT, MSR_S_CET, MSR_STAR, MSR_SYSENTER_CS, MSR_SYSENTER_EIP,
  MSR_SYSENTER_ESP, MSR_TSC_ADJUST, MSR_TSC_AUX, MSR_U_CET, MSR_XSS, MSRS_APIC_BASE, MSRS_CET, MSRS_EFER, MSRS_LONG,
  MSRS_MCA, MSRS_MTRR, MSRS_PAT, MSRS_PERMITTED, MSRS_PKRS, MSRS_SYSCALL, MSRS_SYSENTER, MSRS_TSC, MSRS_TSC_ADJUST,
  MSRS_TSC_AUX, MSRS_TSC_DEADLINE, MSRS_XSS, MTRR, PHYSICAL_MASK, PKRS, SEG_BASE, TRACE, TSC_OFFSET, XSS_PERMITTED,
} from "./layout";
import { attend, canonicalForCpu } from "./access";
import { apicBase, writeApicBase } from "./apic";
import { apicMsrRead, apicMsrWrite } from "./apicRegisters";
import { followTsc, setTscDeadline, tscDeadline } from "./apicTimer";
import { readMsr, trace, writeMsr } from "./bus";
import { privileged } from "./control";
import { Reason, TRACE_MSR } from "./events";
import { now, protection, start } from "./fault";
import { CR0_PG, EFER_LMA, EFER_NXE } from "./mmu";
import { RAX, RCX, RDX } from "./operand";
import { setPkrs } from "./protectionKeys";
import { segment } from "./segment";
import { dropCurrent } from "./tlb";

export const EFER_SCE: u64 = 1;
export const EFER_LME: u64 = 0x100;

/** Canonical for the CPU's widest linear address, whatever CR4.LA57 says. */
function checkCanonical(value: u64): void {
  if (!canonicalForCpu(value)) protection(Reason.MsrNonCanonical, value);
}
/** Rows of MSR_PERMITS that CPUID permits. */
@inline function exists(rows: u32): bool {
  return (load<u32>(MSRS_PERMITTED) & rows) != 0;
}
@inline function amd(): bool {
  return (load<u32>(FEATURES) & HAS_AMD) != 0;
}

/** Where an MTRR is stored; 0 for none. */
function mtrrAddress(index: u32): usize {
  if (index >= 0x200 && index <= 0x20f) return MTRR + ((index - 0x200) << 3);
  if (index == 0x250) return MTRR + 16 * 8;
  if (index == 0x258 || index == 0x259) return MTRR + 17 * 8 + ((index - 0x258) << 3);
  if (index >= 0x268 && index <= 0x26f) return MTRR + 19 * 8 + ((index - 0x268) << 3);
  if (index == 0x2ff) return MTRR + 27 * 8;
  return 0;
}

/** Uncacheable, write combining, write through, write protected, write back (SDM vol. 3, 11.11.2.1). */
function memoryType(type: u64): bool {
  return type == 0 || type == 1 || (type >= 4 && type <= 6);
}
/** What an MTRR may hold: memory types, no reserved bits, no address beyond MAXPHYADDR. */
function legalMtrr(index: u32, value: u64): bool {
  const beyond = ~load<u64>(PHYSICAL_MASK);
  if (index < 0x210) {
    if (index & 1) return (value & (0x7ff | beyond)) == 0;
    return (value & (0xf00 | beyond)) == 0 && memoryType(value & 0xff);
  }
  if (index == 0x2ff) return (value & ~(<u64>0xcff)) == 0 && memoryType(value & 0xff);
  for (let i: u64 = 0; i < 64; i += 8) if (!memoryType((value >> i) & 0xff)) return false;
  return true;
}
/** The eight types of the PAT: as above, and 7, uncached (SDM vol. 3, 11.12.2). */
function legalPat(value: u64): bool {
  for (let i: u64 = 0; i < 64; i += 8) {
    const type = (value >> i) & 0xff;
    if (type != 7 && !memoryType(type)) return false;
  }
  return true;
}

/** Plain 64-bit storage with a canonical value. */
function canonicalAddress(index: u32): usize {
  if (index == 0x175 || index == 0x176) return exists(MSRS_SYSENTER) ? (index == 0x175 ? MSR_SYSENTER_ESP : MSR_SYSENTER_EIP) : 0;
  if (!exists(MSRS_LONG)) return 0;
  switch (index) {
    case 0xc0000082: return MSR_LSTAR;
    case 0xc0000083: return MSR_CSTAR;
    case 0xc0000100: return segment(FS) + SEG_BASE;
    case 0xc0000101: return segment(GS) + SEG_BASE;
    case 0xc0000102: return MSR_KERNEL_GS;
  }
  return 0;
}

export function readMsrValue(index: u32): u64 {
  const plain = canonicalAddress(index);
  if (plain) return load<u64>(plain);
  const mtrr = exists(MSRS_MTRR) ? mtrrAddress(index) : 0;
  if (mtrr) return load<u64>(mtrr);
  switch (index) {
    case 0x10: if (exists(MSRS_TSC)) return now() + load<u64>(TSC_OFFSET); break;
    case 0x1b: if (exists(MSRS_APIC_BASE)) return apicBase(); break;
    case 0x3b: if (exists(MSRS_TSC_ADJUST)) return load<u64>(MSR_TSC_ADJUST); break;
    // Eight variable ranges, fixed ranges, write combining.
    case 0xfe: if (exists(MSRS_MTRR)) return 0x508; break;
    case 0x174: if (exists(MSRS_SYSENTER)) return load<u64>(MSR_SYSENTER_CS); break;
    // No machine-check banks.
    case 0x179: if (exists(MSRS_MCA)) return 0; break;
    case 0x17a: if (exists(MSRS_MCA)) return load<u64>(MSR_MCG_STATUS); break;
    case 0x277: if (exists(MSRS_PAT)) return load<u64>(MSR_PAT); break;
    case 0x6a0: if (exists(MSRS_CET)) return load<u64>(MSR_U_CET); break;
    case 0x6a2: if (exists(MSRS_CET)) return load<u64>(MSR_S_CET); break;
    case 0x6e0: if (exists(MSRS_TSC_DEADLINE) && exists(MSRS_APIC_BASE)) return tscDeadline(); break;
    case 0x6e1: if (exists(MSRS_PKRS)) return load<u32>(PKRS); break;
    case 0xda0: if (exists(MSRS_XSS)) return load<u64>(MSR_XSS); break;
    case 0xc0000080: if (exists(MSRS_EFER)) return load<u64>(EFER); break;
    case 0xc0000081: if (exists(MSRS_SYSCALL)) return load<u64>(MSR_STAR); break;
    case 0xc0000084: if (exists(MSRS_SYSCALL)) return load<u64>(MSR_FMASK); break;
    case 0xc0000103: if (exists(MSRS_TSC_AUX)) return load<u64>(MSR_TSC_AUX); break;
  }
  if (index >= 0x800 && index <= 0x8ff && (load<u32>(FEATURES) & HAS_X2APIC) != 0) return apicMsrRead(index - 0x800);
  if (!readMsr(index)) protection(Reason.MsrUnknown, index);
  return load<u64>(CPUID_ANSWER);
}

/** LMA follows CR0.PG: Intel ignores what is written to it, AMD faults where it differs (APM vol. 2, 3.1.7). */
function writeEfer(value: u64): void {
  const old = load<u64>(EFER);
  const wrong = value & ~load<u64>(EFER_PERMITTED);
  if (wrong) protection(Reason.EferReserved, value, wrong);
  if (amd() && ((old ^ value) & EFER_LMA) != 0) protection(Reason.EferLmaChanged, value, old);
  if (((old ^ value) & EFER_LME) != 0 && (load<u64>(CR0) & CR0_PG) != 0) protection(Reason.EferLmeUnderPaging, value);
  store<u64>(EFER, (value & ~EFER_LMA) | (old & EFER_LMA));
  if ((old ^ value) & EFER_NXE) dropCurrent();
}

/** The time stamp counter and what software added to it move together (SDM vol. 3, 17.17.3). */
function moveTsc(by: u64): void {
  store<u64>(TSC_OFFSET, load<u64>(TSC_OFFSET) + by);
  store<u64>(MSR_TSC_ADJUST, load<u64>(MSR_TSC_ADJUST) + by);
  followTsc();
}

/** SUPPRESS and WAIT_FOR_ENDBRANCH exclude each other; bits 9:6 are reserved, and shadow-stack bits without shadow stacks. */
function legalCet(value: u64): bool {
  return (value & 0x3c3) == 0 && (value & 0xc00) != 0xc00;
}

/** A reserved bit or an unknown type is #GP(0). */
@inline function require(legal: bool, index: u32, value: u64): void {
  if (!legal) protection(Reason.MsrReserved, value, index);
}

/** True where the core has the MSR and wrote it. */
function writeOwn(index: u32, value: u64): bool {
  const plain = canonicalAddress(index);
  if (plain) {
    // AMD has no SYSENTER in long mode: its stack and instruction pointers have 32 bits (APM vol. 2, 6.1.2).
    if (amd() && index < 0x200) value &= 0xffffffff;
    else checkCanonical(value);
    store<u64>(plain, value);
    return true;
  }
  const mtrr = exists(MSRS_MTRR) ? mtrrAddress(index) : 0;
  if (mtrr) {
    require(legalMtrr(index, value), index, value);
    store<u64>(mtrr, value);
    return true;
  }
  switch (index) {
    case 0x10:
      if (!exists(MSRS_TSC)) return false;
      moveTsc(value - now() - load<u64>(TSC_OFFSET));
      return true;
    case 0x1b:
      if (!exists(MSRS_APIC_BASE)) return false;
      writeApicBase(value);
      return true;
    case 0x3b:
      if (!exists(MSRS_TSC_ADJUST)) return false;
      moveTsc(value - load<u64>(MSR_TSC_ADJUST));
      return true;
    case 0xfe:
    case 0x179:
      if (!exists(index == 0xfe ? MSRS_MTRR : MSRS_MCA)) return false;
      protection(Reason.MsrReadOnly, index);
      return true;
    case 0x174:
      if (!exists(MSRS_SYSENTER)) return false;
      store<u64>(MSR_SYSENTER_CS, value & 0xffffffff);
      return true;
    case 0x17a:
      if (!exists(MSRS_MCA)) return false;
      require((value & ~(<u64>7)) == 0, index, value);
      store<u64>(MSR_MCG_STATUS, value);
      return true;
    case 0x277:
      if (!exists(MSRS_PAT)) return false;
      require(legalPat(value), index, value);
      store<u64>(MSR_PAT, value);
      return true;
    case 0x6a0:
    case 0x6a2:
      if (!exists(MSRS_CET)) return false;
      require(legalCet(value), index, value);
      checkCanonical(value);
      store<u64>(index == 0x6a0 ? MSR_U_CET : MSR_S_CET, value);
      attend();
      return true;
    case 0x6e0:
      if (!exists(MSRS_TSC_DEADLINE) || !exists(MSRS_APIC_BASE)) return false;
      setTscDeadline(value);
      return true;
    case 0x6e1:
      if (!exists(MSRS_PKRS)) return false;
      setPkrs(value);
      return true;
    case 0xda0:
      if (!exists(MSRS_XSS)) return false;
      require((value & ~load<u64>(XSS_PERMITTED)) == 0, index, value);
      store<u64>(MSR_XSS, value);
      return true;
    case 0xc0000080:
      if (!exists(MSRS_EFER)) return false;
      writeEfer(value);
      return true;
    case 0xc0000081:
      if (!exists(MSRS_SYSCALL)) return false;
      store<u64>(MSR_STAR, value);
      return true;
    case 0xc0000084:
      if (!exists(MSRS_SYSCALL)) return false;
      store<u64>(MSR_FMASK, value & 0xffffffff);
      return true;
    case 0xc0000103:
      if (!exists(MSRS_TSC_AUX)) return false;
      // AMD ignores the upper half.
      require(amd() || value >> 32 == 0, index, value);
      store<u64>(MSR_TSC_AUX, value & 0xffffffff);
      return true;
  }
  return false;
}

export function writeMsrValue(index: u32, value: u64): void {
  if (writeOwn(index, value)) return;
  if (index >= 0x800 && index <= 0x8ff && (load<u32>(FEATURES) & HAS_X2APIC) != 0) {
    apicMsrWrite(index - 0x800, value);
    return;
  }
  if (!writeMsr(index, value)) protection(Reason.MsrUnknown, index, value);
}

/**
 * Gives an MSR that only keeps what is written a value, as a VMM does before the first instruction. False where it is none
 * of those, where CPUID does not permit it, or where WRMSR of the value would be #GP(0).
 */
export function presetMsr(index: u32, value: u64): bool {
  const plain = canonicalAddress(index);
  if (plain) {
    if (!canonicalForCpu(value)) return false;
    store<u64>(plain, value);
    return true;
  }
  const mtrr = exists(MSRS_MTRR) ? mtrrAddress(index) : 0;
  if (mtrr) {
    if (!legalMtrr(index, value)) return false;
    store<u64>(mtrr, value);
    return true;
  }
  if (index == 0x277 && exists(MSRS_PAT) && legalPat(value)) {
    store<u64>(MSR_PAT, value);
    return true;
  }
  if (index == 0xc0000081 && exists(MSRS_SYSCALL)) {
    store<u64>(MSR_STAR, value);
    return true;
  }
  return false;
}

export function rdmsr(op: usize): void {
  privileged();
  const value = readMsrValue(load<u32>(RCX));
  store<u64>(RAX, value & 0xffffffff);
  store<u64>(RDX, value >> 32);
}
export function wrmsr(op: usize): void {
  privileged();
  const value = <u64>load<u32>(RAX) | (<u64>load<u32>(RDX) << 32);
  const index = load<u32>(RCX);
  writeMsrValue(index, value);
  if (load<u32>(TRACE)) trace(TRACE_MSR, load<u32>(CURRENT), start(), index, value);
  attend();
}
