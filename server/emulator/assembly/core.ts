/**
 * What the core offers to its face (../core.ts).
 *
 * Not modelled: SMM; VMX and SVM; caches and memory types (MTRRs and PAT are storage); entries of a
 * PCID other than the current one (a switch drops them, which is allowed); performance counters, branch traces and
 * last-branch records; machine checks; shadow stacks; SSE4.2, AES, PCLMULQDQ, SHA, ADX, SSE4A, 3DNow! and all that has a
 * VEX, EVEX or XOP prefix (#UD, as on a CPU whose CPUID lacks it); XSAVE's modified optimization, and state beyond x87, SSE
 * and PKRU; FERR# (with CR0.NE clear an unmasked x87 exception makes the next waiting x87 or MMX instruction wait for any
 * interrupt, as nothing is wired to FERR#); RF of an instruction that stores the flags (INT n and SYSCALL store it clear). The x87 is there whatever
 * CPUID.1:EDX[0] says, as under a VMM that hides it. What a profile may offer: ../coreFeatures.ts.
 * One tick is one instruction or one iteration of REP; a fault that is raised takes a tick as well.
 */
import {
  A20_MASK, ADDRESS_MASKS, APIC_LVT, APIC_SVR, ARENA, ARENA_TOP, AT, ATTENTION, BREAKPOINT_PASSED, CODE_PAGE_COUNT, CPU_MODE, CR3, CURRENT,
  DEADLINE, EMPTY_CODE_PAGE, FEATURES, FIRST, HEAP, HEAP_HIGH_WATER, HEAP_TOP, IDLE, INTR, END, NEXT_TIMER, NOW, PAGE_COUNT,
  PAGES, NMI_PIN, PHYSICAL_MASK, QUANTUM, RADIX, STOP, TLB_BITS, TLB_FETCH, TLB_SET_SIZE, TLB_VCPU_SIZE, TLBS, TURN_END,
  VCPU_COUNT,
} from "./layout";
import { LVT_LINT0, LVT_LINT1, NO_SHORTHAND, send, vcpuAt } from "./apic";
import { readPdptes } from "./control";
import { now as clock } from "./fault";
import { rflags as flagsNow, setFlags as setFlagsNow } from "./flags";
import { pinChanged } from "./localPins";
import { watchAgain } from "./monitor";
import { presetMsr } from "./msr";
import { beforeWrite, hostOf, leafOf, PAGE_DIRTY, provide, refreshKinds, restoreLeaf } from "./physical";
import { resetCurrent } from "./reset";
import { refreshAllLimits, setSegment as setSegmentNow, updateMode, cpuMode } from "./segment";
import { interruptible, run, stateOf, switchTo, unwound } from "./run";
import { dropAll, dropCurrent, fillDataOf, fillFetch, initTlbs, noticeAllWrites, selectTlb } from "./tlb";

/** Whether an interrupt would end the wait of a halted vCPU. */
export function wakesByInterrupt(vcpu: u32): i32 {
  return interruptible(vcpu) ? 1 : 0;
}
export { run, unwound, stateOf, switchTo };

/** Once, before anything else. */
export function create(vcpus: u32, features: u32, physicalWidth: u32, quantum: f64): void {
  store<u32>(VCPU_COUNT, vcpus);
  store<u32>(FEATURES, features);
  store<u64>(PHYSICAL_MASK, ((<u64>1) << physicalWidth) - 1);
  store<u64>(QUANTUM, <u64>quantum);
  store<u64>(ADDRESS_MASKS + 8, 0xffff);
  store<u64>(ADDRESS_MASKS + 16, 0xffffffff);
  store<u64>(ADDRESS_MASKS + 24, ~(<u64>0));
  store<u64>(A20_MASK, ~(<u64>0));
  store<u32>(HEAP_TOP, HEAP);
  store<u32>(HEAP_HIGH_WATER, HEAP);
  store<u32>(ARENA_TOP, ARENA);
  store<u64>(BREAKPOINT_PASSED, ~(<u64>0));
  initTlbs();
  reset();
}

/** RESET of the whole machine; the clock goes on, guest memory stays. */
export function reset(): void {
  store<u64>(NEXT_TIMER, ~(<u64>0));
  store<u64>(A20_MASK, ~(<u64>0));
  const count = load<u32>(VCPU_COUNT);
  for (let v: u32 = 0; v < count; v++) {
    switchTo(v);
    resetCurrent();
  }
  switchTo(0);
  selectTlb();
  store<u64>(TURN_END, load<u64>(NOW) + load<u64>(QUANTUM));
  attentionNow();
}

function attentionNow(): void {
  store<u32>(ATTENTION, 1);
  store<u32>(END, 0);
}

export function now(): f64 {
  return <f64>clock();
}
export function idle(): f64 {
  return <f64>load<u64>(IDLE);
}
export function setDeadline(ticks: f64): void {
  store<u64>(DEADLINE, ticks > 9007199254740991 ? 9007199254740991 : ticks > 0 ? <u64>ticks : 0);
}
export function skipIdle(until: f64): void {
  const ticks = <u64>until;
  const at = load<u64>(NOW);
  if (ticks <= at) return;
  store<u64>(IDLE, load<u64>(IDLE) + ticks - at);
  store<u64>(NOW, ticks);
}
export function stop(): void {
  store<u32>(STOP, 1);
  attentionNow();
}

// ---- Memory ----
/** After the slot table changed. */
export function slotsChanged(): void {
  refreshKinds();
  dropAll();
  attentionNow();
}
/** Host address of the page of `gpa`, allocated if its slot is RAM or ROM: 0 neither, 1 out of memory. */
export function pageForHost(gpa: u64): usize {
  const leaf = provide(gpa);
  return leaf > 1 ? hostOf(leaf) : leaf;
}
/** Host address of a page that is allocated, whatever its slot is now; else 0. */
export function allocatedPage(gpa: u64): usize {
  const leaf = leafOf(gpa, false);
  return leaf ? hostOf(leaf) : 0;
}
/** Before the host changes `size` bytes of one page. */
export function beforeHostWrite(gpa: u64, size: u32): void {
  const leaf = leafOf(gpa, false);
  if (leaf && load<u32>(leaf)) beforeWrite(leaf, <u32>gpa & 0xfff, size);
}
export function setA20(on: i32): void {
  const mask = on ? ~(<u64>0) : ~(<u64>0x100000);
  if (load<u64>(A20_MASK) == mask) return;
  store<u64>(A20_MASK, mask);
  dropAll();
  attentionNow();
}

// ---- Interrupts from outside ----
export function setInterruptLine(up: i32): void {
  if (load<u32>(INTR) == <u32>up) return;
  store<u32>(INTR, up);
  pinChanged(LVT_LINT0);
}
export function setNmiLine(up: i32): void {
  if (load<u32>(NMI_PIN) == <u32>up) return;
  store<u32>(NMI_PIN, up);
  pinChanged(LVT_LINT1);
}
/** What firmware leaves of a local APIC: software-enabled, LINT0 with the 8259 pair's interrupts, LINT1 with NMI. */
export function enterVirtualWireMode(vcpu: u32): void {
  const v = vcpuAt(vcpu);
  store<u32>(v, 0x1ff, APIC_SVR);
  store<u32>(v + (LVT_LINT0 << 2), 0x700, APIC_LVT);
  store<u32>(v + (LVT_LINT1 << 2), 0x400, APIC_LVT);
  attentionNow();
}
/** An interrupt message; 1 where a local APIC accepted it. */
export function deliverMessage(vector: u32, destination: u32, logical: i32, mode: u32, level: i32): i32 {
  return send(vector, mode, level != 0, destination, logical != 0, destination > 0xff, NO_SHORTHAND, 0) ? 1 : 0;
}

// ---- State ----
export function rflagsOf(vcpu: u32): u32 {
  const current = load<u32>(CURRENT);
  switchTo(vcpu);
  const flags = flagsNow();
  switchTo(current);
  return flags;
}
/** After the face wrote registers of the current vCPU: all that follows from them. */
export function stateChanged(flags: u32): void {
  setFlagsNow(flags, 0xffffffff);
  refreshAllLimits();
  dropCurrent();
  store<u8>(CPU_MODE, <u8>cpuMode());
  updateMode();
}
export function setSegment(number: u32, selector: u32, base: u64, limit: u32, attributes: u32): void {
  setSegmentNow(number, selector, base, limit, attributes);
}
/** Of the current vCPU. */
export function setMsr(index: u32, value: u64): i32 {
  return presetMsr(index, value) ? 1 : 0;
}
/** Reads the PDPTE registers from memory, for a state set under PAE paging; entries are not checked. */
export function refreshPdptes(): void {
  readPdptes(load<u64>(CR3));
}
// ---- Snapshots ----
/** Before a snapshot is restored: no pages, no code, no translations. */
export function clear(): void {
  memory.fill(RADIX, 0, 0x1000);
  store<u32>(PAGE_COUNT, 0);
  store<u32>(HEAP_TOP, HEAP);
  store<u32>(CODE_PAGE_COUNT, 0);
  store<u32>(ARENA_TOP, ARENA);
  dropAll();
}
/** After the state areas were restored. */
export function restored(): void {
  store<u32>(FIRST, 0);
  store<u32>(AT, 0);
  refreshKinds();
  watchAgain();
  selectTlb();
  attentionNow();
}
/** The page of `gpa` for a restore, whatever its slot is. 0 when out of memory. */
export function restorePage(gpa: u64): usize {
  return restoreLeaf(gpa);
}
/** Host address of page `index`, in order of allocation, with bit 0 set where it changed since it was asked last. */
export function takePage(index: u32): u32 {
  const leaf = leafOf(load<u64>(PAGES + (index << 3)), false);
  const entry = load<u32>(leaf);
  store<u32>(leaf, entry & ~PAGE_DIRTY);
  return <u32>hostOf(leaf) | (entry & PAGE_DIRTY ? 1 : 0);
}
/** Behind the last `takePage` of a snapshot. */
export function snapshotTaken(): void {
  noticeAllWrites();
}
/** Cached translations of a snapshot; see ../translations.ts. */
export function restoreData(vcpu: u32, set: u32, write: u32, linear: u64, guest: u64): void {
  const leaf = leafOf(guest, false);
  if (leaf && load<u32>(leaf)) fillDataOf(vcpu, write != 0, set, linear, hostOf(leaf), guest, <u32>guest & TLB_BITS);
}
export function restoreFetch(vcpu: u32, set: u32, index: u32, tag: u64, guest: u64): void {
  const leaf = leafOf(guest, false);
  if (!leaf || !load<u32>(leaf)) return;
  // Nothing of the page is decoded yet; the pool of code pages may be smaller than the TLBs.
  fillFetch(TLBS + vcpu * TLB_VCPU_SIZE + set * TLB_SET_SIZE + TLB_FETCH, index, tag, hostOf(leaf), EMPTY_CODE_PAGE, guest);
}
