/** Model-specific registers that the core keeps; the others go to the bus (SDM vol. 4; vol. 3, 5.8.8, 9.8.5, 10.4.4). */
import {
  CPUID_1_ECX, CPUID_81_EDX, CPUID_ANSWER, CR0, CURRENT, EFER, FEATURES, FS, GS, HAS_IBT, HAS_LOCAL_APIC,
  HAS_LONG_MODE, HAS_NX, HAS_X2APIC, MSR_CSTAR, MSR_FMASK, MSR_KERNEL_GS, MSR_LSTAR, MSR_PAT, MSR_S_CET, MSR_STAR,
  MSR_SYSENTER_CS, MSR_SYSENTER_EIP, MSR_SYSENTER_ESP, MSR_TSC_AUX, MSR_U_CET, MTRR, PKRS, SEG_BASE, TRACE, TSC_OFFSET,
} from "./layout";
import { attend, canonicalForCpu } from "./access";
import { apicBase, writeApicBase } from "./apic";
import { apicMsrRead, apicMsrWrite } from "./apicRegisters";
import { setTscDeadline, tscDeadline } from "./apicTimer";
import { readMsr, trace, writeMsr } from "./bus";
import { privileged } from "./control";
import { Reason, TRACE_MSR } from "./events";
import { now, protection, start } from "./fault";
import { CR0_PG, EFER_LMA, EFER_NXE } from "./mmu";
import { RAX, RCX, RDX } from "./operand";
import { hasSupervisorKeys, setPkrs } from "./protectionKeys";
import { segment } from "./segment";
import { dropCurrent } from "./tlb";

export const EFER_SCE: u64 = 1;
export const EFER_LME: u64 = 0x100;
const EFER_FFXSR: u64 = 0x4000;

function checkCanonical(value: u64): void {
  if (!canonicalForCpu(value)) protection(Reason.MsrNonCanonical, value);
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

/** Plain 64-bit storage with a canonical value. */
function canonicalAddress(index: u32): usize {
  switch (index) {
    case 0x175: return MSR_SYSENTER_ESP;
    case 0x176: return MSR_SYSENTER_EIP;
    case 0xc0000082: return MSR_LSTAR;
    case 0xc0000083: return MSR_CSTAR;
    case 0xc0000100: return segment(FS) + SEG_BASE;
    case 0xc0000101: return segment(GS) + SEG_BASE;
    case 0xc0000102: return MSR_KERNEL_GS;
  }
  return 0;
}

function hasLong(): bool {
  return (load<u32>(FEATURES) & HAS_LONG_MODE) != 0;
}

export function readMsrValue(index: u32): u64 {
  const features = load<u32>(FEATURES);
  const plain = index < 0x200 || hasLong() ? canonicalAddress(index) : 0;
  if (plain) return load<u64>(plain);
  const mtrr = mtrrAddress(index);
  if (mtrr) return load<u64>(mtrr);
  switch (index) {
    case 0x10: return now() + load<u64>(TSC_OFFSET);
    case 0x1b:
      if (features & HAS_LOCAL_APIC) return apicBase();
      break;
    // Eight variable ranges, fixed ranges, write combining.
    case 0xfe: return 0x508;
    case 0x174: return load<u64>(MSR_SYSENTER_CS);
    case 0x277: return load<u64>(MSR_PAT);
    case 0x6a0:
      if (features & HAS_IBT) return load<u64>(MSR_U_CET);
      break;
    case 0x6a2:
      if (features & HAS_IBT) return load<u64>(MSR_S_CET);
      break;
    case 0x6e1:
      if (hasSupervisorKeys()) return load<u32>(PKRS);
      break;
    case 0x6e0:
      if (features & HAS_LOCAL_APIC && (load<u32>(CPUID_1_ECX) & 0x1000000) != 0) return tscDeadline();
      break;
    case 0xc0000080: return load<u64>(EFER);
    case 0xc0000081:
      if (hasLong()) return load<u64>(MSR_STAR);
      break;
    case 0xc0000084:
      if (hasLong()) return load<u64>(MSR_FMASK);
      break;
    case 0xc0000103:
      if (load<u32>(CPUID_81_EDX) & 0x8000000) return load<u64>(MSR_TSC_AUX);
      break;
  }
  if (index >= 0x800 && index <= 0x8ff && (features & HAS_X2APIC) != 0) return apicMsrRead(index - 0x800);
  if (!readMsr(index)) protection(Reason.MsrUnknown, index);
  return load<u64>(CPUID_ANSWER);
}

function writeEfer(value: u64): void {
  const features = load<u32>(FEATURES);
  const old = load<u64>(EFER);
  let allowed: u64 = 0;
  if (features & HAS_LONG_MODE) allowed |= EFER_SCE | EFER_LME | EFER_LMA;
  if (features & HAS_NX) allowed |= EFER_NXE;
  if (load<u32>(CPUID_81_EDX) & 0x2000000) allowed |= EFER_FFXSR;
  if (value & ~allowed) protection(Reason.EferReserved, value, value & ~allowed);
  if (((old ^ value) & EFER_LME) != 0 && (load<u64>(CR0) & CR0_PG) != 0) protection(Reason.EferLmeUnderPaging, value);
  // LMA follows CR0.PG; a written value is ignored.
  store<u64>(EFER, (value & ~EFER_LMA) | (old & EFER_LMA));
  if ((old ^ value) & EFER_NXE) dropCurrent();
}

export function writeMsrValue(index: u32, value: u64): void {
  const features = load<u32>(FEATURES);
  const plain = index < 0x200 || hasLong() ? canonicalAddress(index) : 0;
  if (plain) {
    checkCanonical(value);
    store<u64>(plain, value);
    return;
  }
  const mtrr = mtrrAddress(index);
  if (mtrr) {
    store<u64>(mtrr, value);
    return;
  }
  switch (index) {
    case 0x10:
      store<u64>(TSC_OFFSET, value - now());
      return;
    case 0x1b:
      if (!(features & HAS_LOCAL_APIC)) break;
      writeApicBase(value);
      return;
    case 0xfe:
      protection(Reason.MsrReserved, value, index);
      return;
    case 0x174:
      store<u64>(MSR_SYSENTER_CS, value & 0xffffffff);
      return;
    case 0x277:
      for (let i: u64 = 0; i < 64; i += 8) {
        const type = (value >> i) & 0xff;
        if (type == 2 || type == 3 || type > 7) protection(Reason.MsrReserved, value, index);
      }
      store<u64>(MSR_PAT, value);
      return;
    case 0x6a0:
    case 0x6a2:
      if (!(features & HAS_IBT)) break;
      // Shadow-stack bits 0 and 1 don't exist without CET_SS; 9:6 are reserved; SUPPRESS and TRACKER exclude each other.
      if (value & 0x3c3 || (value & 0xc00) == 0xc00) protection(Reason.MsrReserved, value, index);
      checkCanonical(value);
      store<u64>(index == 0x6a0 ? MSR_U_CET : MSR_S_CET, value);
      attend();
      return;
    case 0x6e1:
      if (!hasSupervisorKeys()) break;
      setPkrs(value);
      return;
    case 0x6e0:
      if (!(features & HAS_LOCAL_APIC) || !(load<u32>(CPUID_1_ECX) & 0x1000000)) break;
      setTscDeadline(value);
      return;
    case 0xc0000080:
      writeEfer(value);
      return;
    case 0xc0000081:
      if (!hasLong()) break;
      store<u64>(MSR_STAR, value);
      return;
    case 0xc0000084:
      if (!hasLong()) break;
      store<u64>(MSR_FMASK, value & 0xffffffff);
      return;
    case 0xc0000103:
      if (!(load<u32>(CPUID_81_EDX) & 0x8000000)) break;
      if (value >> 32) protection(Reason.MsrReserved, value, index);
      store<u64>(MSR_TSC_AUX, value);
      return;
  }
  if (index >= 0x800 && index <= 0x8ff && (features & HAS_X2APIC) != 0) {
    apicMsrWrite(index - 0x800, value);
    return;
  }
  if (!writeMsr(index, value)) protection(Reason.MsrUnknown, index, value);
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
