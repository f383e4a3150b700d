/**
 * The XSAVE feature set for x87, SSE and PKRU state (SDM vol. 1, chapter 13; APM vol. 2, 11.5): standard and compacted
 * format. Of the optimizations only the init optimization exists, and XINUSE says the truth: a component is in use when its
 * registers differ from their initial values.
 */
import {
  CPUID_D1_EAX, CR0, CR4, FCW, FOP, FPU_CS, FPU_DATA, FPU_DS, FPU_INSTRUCTION, FSW, FTW, MSR_XSS, MXCSR, PKRU,
  RUN_XSAVE_HEADER, ST, TLB_SET, XCR0, XCR0_PERMITTED, XMM, XSAVE_COMPONENTS,
} from "./layout";
import { probeWrite, read, write } from "./access";
import { privileged } from "./control";
import { Reason } from "./events";
import { GP, NM, protection, raise, undefined_ } from "./fault";
import {
  checkedMxcsr, fetchImage, loadX87, loadXmm, probeArea, probeReadArea, saveMxcsr, saveX87, saveXmm, xmmBytes,
} from "./fxsave";
import { OP_OPERAND } from "./op";
import { effective, immediate, linearRead, linearWrite, RAX, RCX, RDX, stackBit } from "./operand";
import { setPkru } from "./protectionKeys";
import { fninit } from "./x87/control";

const X87: u64 = 1;
const SSE: u64 = 2;
const AVX: u64 = 4;
const PKRU_NUMBER: u32 = 9;
const PKRU_STATE: u64 = 0x200;
const COMPACTED: u64 = 0x8000000000000000;
const OSXSAVE: u64 = 0x40000;
const MXCSR_INITIAL: u32 = 0x1f80;
/** Bits of CPUID.(EAX=0DH,ECX=1):EAX. */
const HAS_XSAVEC: u32 = 2;
const HAS_XGETBV_1: u32 = 4;
/** Legacy region and header. */
const AREA: u32 = 576;
const HEADER: u32 = 512;

/** Bits of the immediates of the save instructions; XSAVEOPT has 1. */
const COMPACT: u32 = 2;
const SUPERVISOR: u32 = 4;

// ---- Sizes and places ----
@inline function sizeOf(i: u32): u32 {
  return load<u16>(XSAVE_COMPONENTS + (<usize>i << 3));
}
export function enabledComponents(supervisor: bool): u64 {
  return load<u64>(XCR0) | (supervisor ? load<u64>(MSR_XSS) : 0);
}
/** Bytes up to the end of the last component, each at the offset that CPUID gives. */
export function standardSize(components: u64): u32 {
  let size = AREA;
  for (let i: u32 = 2; i < 63; i++) {
    const end = load<u32>(XSAVE_COMPONENTS + (<usize>i << 3), 4) + sizeOf(i);
    if ((components >> i) & 1) size = max(size, end);
  }
  return size;
}
/** Where component `i` begins in the compacted format of `components`; with 63, where all of them end (SDM 13.4.3). */
function compactOffset(components: u64, i: u32): u32 {
  let at = AREA;
  for (let j: u32 = 2; j <= i; j++) {
    if (!((components >> j) & 1) || j == 63) continue;
    if (load<u16>(XSAVE_COMPONENTS + (<usize>j << 3), 2)) at = (at + 63) & ~63;
    if (j == i) return at;
    at += sizeOf(j);
  }
  return at;
}
export function compactSize(components: u64): u32 {
  return compactOffset(components & ~COMPACTED, 63);
}
function placeOf(i: u32, layout: u64): u32 {
  return layout & COMPACTED ? compactOffset(layout & ~COMPACTED, i) : load<u32>(XSAVE_COMPONENTS + (<usize>i << 3), 4);
}

// ---- What is in use ----
function anySet(from: usize, bytes: u32): bool {
  let all: u64 = 0;
  for (let i: u32 = 0; i < bytes; i += 8) all |= load<u64>(from + i);
  return all != 0;
}
/** Components that differ from their initial configuration (SDM 13.6); MXCSR does not count. */
function inUse(): u64 {
  let components: u64 = 0;
  if (
    load<u16>(FCW) != 0x37f || load<u16>(FSW) != 0 || load<u8>(FTW) != 0 || load<u16>(FOP) != 0 ||
    load<u64>(FPU_INSTRUCTION) != 0 || load<u64>(FPU_DATA) != 0 || (load<u16>(FPU_CS) | load<u16>(FPU_DS)) != 0 || anySet(ST, 128)
  ) components |= X87;
  if (anySet(XMM, xmmBytes())) components |= SSE;
  if (load<u32>(PKRU)) components |= PKRU_STATE;
  return components;
}

// ---- XCR0 ----
function needOsxsave(): void {
  if (!(load<u64>(CR4) & OSXSAVE)) undefined_(Reason.OsxsaveClear);
}
/** XGETBV: XCR0, or with ECX 1 those of its components that are in use. */
export function xgetbv(op: usize): void {
  needOsxsave();
  const which = load<u32>(RCX);
  if (which > 1 || (which == 1 && !(load<u32>(CPUID_D1_EAX) & HAS_XGETBV_1))) protection(Reason.XcrIllegal, which);
  let value = load<u64>(XCR0);
  if (which == 1) value &= inUse();
  store<u64>(RAX, value & 0xffffffff);
  store<u64>(RDX, value >> 32);
}
/** x87 state is always enabled; a bit that CPUID does not list is reserved (SDM vol. 1, 13.3). */
export function xsetbv(op: usize): void {
  needOsxsave();
  privileged();
  const value = operands();
  if (load<u32>(RCX) != 0 || !(value & X87) || (value & ~load<u64>(XCR0_PERMITTED)) != 0)
    protection(Reason.XcrIllegal, value);
  store<u64>(XCR0, value);
}
function operands(): u64 {
  return <u64>load<u32>(RAX) | (<u64>load<u32>(RDX) << 32);
}

// ---- Save and restore ----
/** The requested-feature bitmap, after the checks that all of them share. */
function requested(supervisor: bool): u64 {
  needOsxsave();
  if (supervisor) privileged();
  if (load<u64>(CR0) & 8) raise(NM, 0, Reason.DeviceNotAvailable, load<u64>(CR0));
  return operands() & enabledComponents(supervisor);
}
function aligned(at: u64): void {
  if (at & 63) raise(GP, 0, Reason.Alignment, at, 64);
}

/** XSAVE, XSAVEOPT (1), XSAVEC (2) and XSAVES (6). */
export function xsave(op: usize): void {
  const form = immediate<u32>(op);
  const components = requested((form & SUPERVISOR) != 0);
  const compact = (form & COMPACT) != 0;
  const layout = compact ? components | COMPACTED : 0;
  const size = compact ? compactSize(components) : standardSize(components);
  const at = linearWrite(op, effective(op), size);
  aligned(at);
  const stack = stackBit(op);
  probeArea(at, AREA, stack);
  const pkru = (components & PKRU_STATE) != 0;
  const pkruAt = at + placeOf(PKRU_NUMBER, layout);
  if (pkru) probeWrite(pkruAt, 8, stack, load<u32>(TLB_SET));
  let used = inUse() & components;
  // The compacted format has MXCSR in SSE state, which is then in use (SDM 13.10, 13.11).
  if (compact && (components & SSE) != 0 && load<u32>(MXCSR) != MXCSR_INITIAL) used |= SSE;
  const bitmap = compact ? used : (read<u64>(at + HEADER, stack) & ~components) | used;
  const written = form ? used : components;
  if (written & X87) saveX87(at, load<u8>(op, OP_OPERAND) == 3, stack);
  if (compact ? (written & SSE) != 0 : (components & (SSE | AVX)) != 0) saveMxcsr(at, stack);
  if (written & SSE) saveXmm(at, stack);
  if (written & PKRU_STATE) write<u64>(pkruAt, load<u32>(PKRU), stack);
  write<u64>(at + HEADER, bitmap, stack);
  if (compact) write<u64>(at + HEADER + 8, layout, stack);
}

@inline function header(index: u32): u64 {
  return load<u64>(RUN_XSAVE_HEADER + (<usize>index << 3));
}
/** #GP(0) for a header that says more than it may (SDM 13.8, 13.12). */
function checkHeader(supervisor: bool): void {
  const bitmap = header(0);
  const layout = header(1);
  let wrong: bool;
  if (layout & COMPACTED) {
    const known = enabledComponents(supervisor);
    wrong = (load<u32>(CPUID_D1_EAX) & HAS_XSAVEC) == 0 || (layout & ~COMPACTED & ~known) != 0 || (bitmap & ~layout) != 0;
    for (let i: u32 = 2; i < 8; i++) wrong = wrong || header(i) != 0;
  } else wrong = supervisor || (bitmap & ~load<u64>(XCR0)) != 0 || (layout | header(2)) != 0;
  if (wrong) protection(Reason.XsaveHeader, bitmap, layout);
}

/** XRSTOR and XRSTORS (immediate 4). All of the image is read before any register changes. */
export function xrstor(op: usize): void {
  const supervisor = immediate<u32>(op) != 0;
  const components = requested(supervisor);
  const offset = effective(op);
  let at = linearRead(op, offset, AREA);
  aligned(at);
  const stack = stackBit(op);
  probeReadArea(at, AREA, stack);
  for (let i: u32 = 0; i < 64; i += 8) store<u64>(RUN_XSAVE_HEADER + i, read<u64>(at + HEADER + i, stack));
  checkHeader(supervisor);
  const layout = header(1);
  const compact = (layout & COMPACTED) != 0;
  at = linearRead(op, offset, compact ? compactSize(layout) : standardSize(components));
  const present = header(0) & components;
  if (present & X87) fetchImage(at, 0, 160, stack);
  if (present & SSE) fetchImage(at, 160, 160 + xmmBytes(), stack);
  // The standard format loads MXCSR whether SSE state is there or not.
  const withMxcsr = compact ? (present & SSE) != 0 : (components & (SSE | AVX)) != 0;
  if (withMxcsr) fetchImage(at, 24, 32, stack);
  const mxcsr = withMxcsr ? checkedMxcsr() : MXCSR_INITIAL;
  const pkru = present & PKRU_STATE ? read<u32>(at + placeOf(PKRU_NUMBER, layout), stack) : 0;
  if (components & X87) {
    if (present & X87) loadX87(load<u8>(op, OP_OPERAND) == 3);
    else clearX87();
  }
  if (components & SSE) {
    if (present & SSE) loadXmm();
    else memory.fill(XMM, 0, xmmBytes());
  }
  if (withMxcsr || (components & SSE) != 0) store<u32>(MXCSR, mxcsr);
  if (components & PKRU_STATE) setPkru(pkru);
}
function clearX87(): void {
  fninit();
  memory.fill(ST, 0, 128);
}
