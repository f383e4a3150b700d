/** The outer loop: turns of the vCPUs, events at instruction boundaries in the SDM's order (vol. 3, 6.9), exits. */
import {
  ACTIVITY, APIC_EXPIRES, APIC_LVT, AT, ATTENTION, BREAKPOINT_COUNT, BREAKPOINT_PASSED, BREAKPOINTS, CAUSE_FAULT,
  CAUSE_MEMORY, CHAIN, CHAIN_LENGTH, CHAIN_MAX, CPU, CPU_SIZE, CR2, CS, CURRENT, DEADLINE, DEBUG_ACTIVE, DEBUG_HIT,
  DELIVERING, DELIVERING_KIND, EVENT_KIND_BREAKPOINT, EVENT_KIND_EXCEPTION, EVENT_KIND_EXTERNAL, EVENT_KIND_NMI, EVENT_KIND_TRAP,
  EVENT_NONE, EXIT_BREAKPOINT, EXIT_DEADLINE, EXIT_IDLE, EXIT_MEMORY, EXIT_REFUSED, EXIT_SHUTDOWN, EXIT_STOPPED,
  FAULT_DURING, FAULT_ERROR, FAULT_HAS_ERROR, FAULT_REASON, FAULT_VECTOR, FIRST, HALTED, IDLE, MODE, MONITOR_STATE, NEXT_TIMER,
  NMI_BLOCKED, NO_TRAP, NOW, OLD_SHADOW, PENDING, PENDING_ERROR, PENDING_HAS_ERROR, PENDING_KIND, PROGRESS, QUANTUM,
  REQUEST_EXTINT, REQUEST_INIT, REQUEST_NMI, REQUEST_SIPI, REPEATING, RIP, RUNNING, SHADOW, SHUTDOWN, STOP, SYSTEM_FLAGS, TRACE, TURN_END,
  UNWIND_CAUSE, VCPU_COUNT, VCPU_SAVED, WAIT_FOR_SIPI,
} from "./layout";
import { apicAccept, apicEnabled, apicPending, apicSoftware, vcpuAt } from "./apic";
import { fireTimers } from "./apicTimer";
import { missingEndbranch, waitsForEndbranch } from "./branch";
import { runUntil } from "./blocks";
import { checkExecution, DR6_STEP, noteConditions } from "./breakpoint";
import { acknowledge, trace } from "./bus";
import { Reason, SOURCE_APIC, SOURCE_NMI, SOURCE_PIC, TRACE_EXCEPTION, TRACE_INTERRUPT } from "./events";
import { DB, DF, betweenBlocks, pushesError, start } from "./fault";
import { BLOCK_HEADER, fetchBlock } from "./fetch";
import { IF, RF, TF, VIF, VIP } from "./flags";
import { deliver } from "./interrupt";
import { externalLine } from "./localPins";
import { endMonitor, WAITING_OPEN } from "./monitor";
import * as K from "./kinds";
import { OP_IMMEDIATE, OP_KIND, OP_SIZE } from "./op";
import { initCurrent, startCurrent } from "./reset";
import { baseOf } from "./segment";
import { selectTlb } from "./tlb";
import { checkVirtualState } from "./virtualInterrupts";

/** Where the registers of a vCPU are now. */
export function stateOf(vcpu: u32): usize {
  return vcpu == load<u32>(CURRENT) ? <usize>CPU : vcpuAt(vcpu) + VCPU_SAVED;
}

export function switchTo(vcpu: u32): void {
  const current = load<u32>(CURRENT);
  if (vcpu == current) return;
  memory.copy(vcpuAt(current) + VCPU_SAVED, CPU, CPU_SIZE);
  memory.copy(CPU, vcpuAt(vcpu) + VCPU_SAVED, CPU_SIZE);
  store<u32>(CURRENT, vcpu);
  selectTlb();
}

function interruptWaits(vcpu: u32): bool {
  return apicPending(vcpuAt(vcpu)) >= 0 || externalLine(vcpuAt(vcpu));
}

function runnable(vcpu: u32): bool {
  const v = vcpuAt(vcpu);
  const activity = load<u32>(v, ACTIVITY);
  if (activity == RUNNING || load<u8>(v, REQUEST_INIT)) return true;
  if (activity == WAIT_FOR_SIPI) return load<u32>(v, REQUEST_SIPI) != 0;
  const state = stateOf(vcpu);
  // An NMI ends shutdown too, unless an NMI handler went into it (SDM vol. 3, 6.15, interrupt 8).
  if (load<u8>(v, REQUEST_NMI) && !load<u8>(state + (NMI_BLOCKED - CPU))) return true;
  if (activity != HALTED) return false;
  if (load<u32>(state + (PENDING - CPU)) != EVENT_NONE) return true;
  return interruptible(vcpu) && interruptWaits(vcpu);
}
/** Whether an interrupt ends the wait of a halted vCPU: IF, or MWAIT was told so. */
export function interruptible(vcpu: u32): bool {
  const state = stateOf(vcpu);
  return (load<u32>(state + (SYSTEM_FLAGS - CPU)) & IF) != 0 || load<u8>(vcpuAt(vcpu), MONITOR_STATE) == WAITING_OPEN;
}

/** Makes the vCPU whose turn it is current; false where none can run. */
function schedule(): bool {
  const current = load<u32>(CURRENT);
  const now = load<u64>(NOW);
  if (now < load<u64>(TURN_END) && runnable(current)) return true;
  const count = load<u32>(VCPU_COUNT);
  for (let i: u32 = 1; i <= count; i++) {
    const next = (current + i) % count;
    if (!runnable(next)) continue;
    switchTo(next);
    store<u64>(TURN_END, now + load<u64>(QUANTUM));
    return true;
  }
  return false;
}

/** Whether a local APIC timer could wake one of the halted vCPUs. */
function timerWakes(): bool {
  if (load<u64>(NEXT_TIMER) == ~(<u64>0)) return false;
  const count = load<u32>(VCPU_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const v = vcpuAt(i);
    if (load<u64>(v, APIC_EXPIRES) != ~(<u64>0) && load<u32>(v, ACTIVITY) == HALTED && interruptible(i) && apicEnabled(v) && apicSoftware(v) && !(load<u32>(v, APIC_LVT) & 0x10000)) return true;
  }
  return false;
}
function idleUntil(until: u64): void {
  store<u64>(IDLE, load<u64>(IDLE) + until - load<u64>(NOW));
  store<u64>(NOW, until);
}

/** Runs until an exit; a throw of the unwind import is followed by `unwound`, then by another call. */
export function run(): i32 {
  while (true) {
    store<u32>(ATTENTION, 0);
    betweenBlocks();
    if (load<u32>(STOP)) {
      store<u32>(STOP, 0);
      return EXIT_STOPPED;
    }
    if (load<u64>(NOW) >= load<u64>(NEXT_TIMER)) fireTimers();
    if (load<u64>(NOW) >= load<u64>(DEADLINE)) return EXIT_DEADLINE;
    if (!schedule()) {
      if (!timerWakes()) return EXIT_IDLE;
      idleUntil(min<u64>(load<u64>(NEXT_TIMER), load<u64>(DEADLINE)));
      continue;
    }
    if (takeEvent()) continue;
    endWait();
    if (load<u32>(BREAKPOINT_COUNT) && atBreakpoint()) return EXIT_BREAKPOINT;
    runBlocks();
  }
}

/** INIT, SIPI, pending exceptions, NMI, INTR: true when one was taken. */
function takeEvent(): bool {
  const vcpu = load<u32>(CURRENT);
  const v = vcpuAt(vcpu);
  if (load<u8>(v, REQUEST_INIT)) {
    initCurrent();
    return true;
  }
  if (load<u32>(v, ACTIVITY) == WAIT_FOR_SIPI) {
    startCurrent();
    return true;
  }
  if (load<u32>(PENDING) != EVENT_NONE) {
    deliverPending();
    return true;
  }
  const shadow = load<u8>(SHADOW);
  if (load<u8>(v, REQUEST_NMI) && !load<u8>(NMI_BLOCKED) && shadow == 0) {
    store<u8>(v, 0, REQUEST_NMI);
    note(2, SOURCE_NMI);
    pend(2, EVENT_KIND_NMI);
    deliverPending();
    return true;
  }
  if (shadow || !(load<u32>(SYSTEM_FLAGS) & IF)) return false;
  const vector = apicPending(v);
  if (vector >= 0) {
    apicAccept(v, vector);
    note(vector, SOURCE_APIC);
    pend(vector, EVENT_KIND_EXTERNAL);
  } else {
    if (!externalLine(v)) return false;
    store<u8>(v, 0, REQUEST_EXTINT);
    const external = acknowledge();
    note(external, SOURCE_PIC);
    pend(external, EVENT_KIND_EXTERNAL);
  }
  deliverPending();
  return true;
}
/** An interrupt that is not taken ends an MWAIT all the same, if that was told to let it. */
@inline function endWait(): void {
  const v = vcpuAt(load<u32>(CURRENT));
  if (load<u32>(v, ACTIVITY) == HALTED) endMonitor(v);
}
function note(vector: u32, source: u32): void {
  if (load<u32>(TRACE)) trace(TRACE_INTERRUPT, load<u32>(CURRENT), vector, source, 0);
}
function pend(vector: u32, kind: u32): void {
  store<u32>(PENDING, vector);
  store<u32>(PENDING_KIND, kind);
  store<u32>(PENDING_HAS_ERROR, 0);
}
function deliverPending(): void {
  betweenBlocks();
  const vcpu = vcpuAt(load<u32>(CURRENT));
  store<u32>(vcpu, RUNNING, ACTIVITY);
  store<u8>(vcpu, 0, MONITOR_STATE);
  deliver(load<u32>(PENDING), load<u32>(PENDING_KIND), load<u32>(PENDING_HAS_ERROR) != 0, load<u32>(PENDING_ERROR));
  store<u32>(PENDING, EVENT_NONE);
}

function linearRip(): u64 {
  const rip = load<u64>(RIP);
  return load<u8>(MODE) == 2 ? rip : (baseOf(CS) + rip) & 0xffffffff;
}
/** A breakpoint stops once per arrival: the run that follows passes it. */
function atBreakpoint(): bool {
  const linear = linearRip();
  const now = load<u64>(NOW);
  if (load<u64>(BREAKPOINT_PASSED) == now) return false;
  const count = load<u32>(BREAKPOINT_COUNT);
  for (let i: u32 = 0; i < count; i++)
    if (load<u64>(BREAKPOINTS + (i << 3)) == linear) {
      store<u64>(BREAKPOINT_PASSED, now);
      return true;
    }
  return false;
}

/**
 * The inner loop comes back at least this often, in instructions: engines compile WebAssembly in two steps, and a call that
 * began in quickly made code stays in it until it returns.
 */
const SLICE: u64 = 0x40000;

/** When the running vCPU must be left at the latest: the deadline, the end of its turn, a timer. */
@inline function horizon(): u64 {
  const attended = min<u64>(min<u64>(load<u64>(DEADLINE), load<u64>(TURN_END)), load<u64>(NEXT_TIMER));
  return min<u64>(attended, load<u64>(NOW) + SLICE);
}

/** Executes blocks until something needs attention. */
@inline function runBlocks(): void {
  const shadow = load<u8>(SHADOW);
  const flags = load<u32>(SYSTEM_FLAGS);
  const trap = (flags & TF) != 0;
  const debug = load<u8>(DEBUG_ACTIVE) != 0;
  const alone = shadow != 0 || trap || debug || load<u32>(BREAKPOINT_COUNT) != 0;
  store<u8>(OLD_SHADOW, shadow);
  if ((flags & (VIF | VIP)) == (VIF | VIP)) checkVirtualState();
  store<u8>(SHADOW, 0);
  store<u8>(NO_TRAP, 0);
  const repeating = load<u8>(REPEATING) != 0;
  if (debug) {
    // Behind a load of SS no breakpoint is reported, and what that load met waits (SDM vol. 3, 6.8.3).
    if (shadow != 2) {
      store<u32>(DEBUG_HIT, 0);
      if (!(flags & RF) && !repeating) checkExecution(linearRip());
    }
  }
  // A fault of the fetch, which a breakpoint on the instruction comes before (SDM vol. 3, table 6-2).
  if (waitsForEndbranch()) checkEndbranch();
  store<u8>(REPEATING, 0);
  if (flags & RF) store<u32>(SYSTEM_FLAGS, flags & ~RF);
  runUntil(horizon(), alone);
  const hits: u64 = debug ? load<u32>(DEBUG_HIT) : 0;
  const ask = load<u8>(NO_TRAP);
  const step: u64 = ask == 2 || (trap && ask == 0) ? DR6_STEP : 0;
  if ((hits | step) != 0 && load<u8>(SHADOW) != 2) {
    noteConditions(hits | step);
    store<u32>(DEBUG_HIT, 0);
    pend(DB, EVENT_KIND_TRAP);
    traceException(DB, false, 0, load<u64>(RIP));
  }
}

/** The tracker waits: the instruction at RIP must be the ENDBR of its mode. INT3 is let through. */
function checkEndbranch(): void {
  const op = fetchBlock() + BLOCK_HEADER;
  const kind: u32 = load<u16>(op, OP_KIND);
  if (kind == K.ENDBR && (load<u8>(MODE) == 2) == (load<u32>(op, OP_IMMEDIATE) == 1)) return;
  if (kind == K.INT3) return;
  missingEndbranch(0);
}

// ---- After an unwinding ----
const CLASS_BENIGN = 0;
const CLASS_CONTRIBUTORY = 1;
const CLASS_PAGE_FAULT = 2;
function classOf(vector: u32): u32 {
  if (vector == 14) return CLASS_PAGE_FAULT;
  return vector == 0 || (vector >= 10 && vector <= 13) || vector == 21 ? CLASS_CONTRIBUTORY : CLASS_BENIGN;
}

/** Rolls the instruction back and decides what comes next; an EXIT_… number, or -1 to go on. */
export function unwound(): i32 {
  const cause = load<u32>(UNWIND_CAUSE);
  const done = (load<u32>(AT) - load<u32>(FIRST)) / OP_SIZE + load<u64>(PROGRESS);
  if (load<u64>(PROGRESS)) store<u8>(REPEATING, 1);
  store<u64>(PROGRESS, 0);
  store<u64>(RIP, start());
  betweenBlocks();
  const delivering = load<u32>(DELIVERING);
  store<u32>(DELIVERING, EVENT_NONE);
  if (cause != CAUSE_FAULT) {
    store<u64>(NOW, load<u64>(NOW) + done);
    store<u8>(SHADOW, load<u8>(OLD_SHADOW));
    return cause == CAUSE_MEMORY ? EXIT_MEMORY : EXIT_REFUSED;
  }
  // The faulting instruction takes a tick as well: so an endless chain of faults reaches its deadline.
  store<u64>(NOW, load<u64>(NOW) + done + 1);
  const vector = load<u32>(FAULT_VECTOR);
  const kind = load<u32>(DELIVERING_KIND);
  const during = delivering != EVENT_NONE && (kind == EVENT_KIND_EXCEPTION || kind == EVENT_KIND_BREAKPOINT);
  store<u32>(FAULT_DURING, during ? delivering : EVENT_NONE);
  recordFault(during);
  const v = vcpuAt(load<u32>(CURRENT));
  const first = during ? classOf(delivering) : CLASS_BENIGN;
  const second = classOf(vector);
  traceException(vector, load<u32>(FAULT_HAS_ERROR) != 0, load<u32>(FAULT_ERROR), load<u64>(RIP));
  if (during && delivering == DF && second != CLASS_BENIGN) {
    store<u32>(v, SHUTDOWN, ACTIVITY);
    store<u32>(PENDING, EVENT_NONE);
    return EXIT_SHUTDOWN;
  }
  const double = (first == CLASS_CONTRIBUTORY && second == CLASS_CONTRIBUTORY) || (first == CLASS_PAGE_FAULT && second != CLASS_BENIGN);
  const breakpoint = vector == DB && load<u32>(FAULT_REASON) == Reason.Debug;
  store<u32>(PENDING_KIND, breakpoint ? EVENT_KIND_BREAKPOINT : EVENT_KIND_EXCEPTION);
  if (double) {
    store<u32>(PENDING, DF);
    store<u32>(PENDING_ERROR, 0);
    store<u32>(PENDING_HAS_ERROR, pushesError(DF));
    traceException(DF, pushesError(DF), 0, load<u64>(RIP));
  } else {
    store<u32>(PENDING, vector);
    store<u32>(PENDING_ERROR, load<u32>(FAULT_ERROR));
    store<u32>(PENDING_HAS_ERROR, load<u32>(FAULT_HAS_ERROR));
  }
  return -1;
}

/** Appends the state to the fault chain, or starts a new chain with it. */
function recordFault(during: bool): void {
  let length = during ? load<u32>(CHAIN_LENGTH) : 0;
  const chain = vcpuAt(load<u32>(CURRENT)) + CHAIN;
  if (length >= <u32>CHAIN_MAX) {
    // A long chain of benign faults: the oldest goes.
    memory.copy(chain, chain + CPU_SIZE, (CHAIN_MAX - 1) * CPU_SIZE);
    length = CHAIN_MAX - 1;
  }
  store<u32>(CHAIN_LENGTH, length + 1);
  memory.copy(chain + length * CPU_SIZE, CPU, CPU_SIZE);
}

function traceException(vector: u32, hasError: bool, error: u32, rip: u64): void {
  if (load<u32>(TRACE))
    trace(TRACE_EXCEPTION, load<u32>(CURRENT), vector | (<u64>hasError << 8) | (<u64>error << 32), rip, load<u64>(CR2));
}
