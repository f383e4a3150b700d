/**
 * String instructions. Each iteration is a tick; rCX, rSI and rDI hold the finished iterations whenever the instruction is
 * left, by a fault, an interrupt or the end of the run's budget (SDM vol. 2, REP). Long forward runs inside a page are
 * copied or filled at once.
 */
import {
  ADDRESS_MASKS, AT, ATTENTION, BUDGET, CURRENT, DEBUG_ACTIVE, END, ES, FIRST, NOW, PROGRESS, REPEATING, RIP, SEG_READ_HIGH,
  SEG_WRITE_HIGH, SEGMENT_SIZE, SEGMENTS, SYSTEM_FLAGS, TLB_SET,
} from "./layout";
import { attend, hostForRead, hostForWrite, probeWrite, read, write } from "./access";
import { start } from "./fault";
import { DF_FLAG, flagsSub, zero } from "./flags";
import { OP_ADDRESS, OP_FLAGS, OP_FLAT, OP_REP, OP_REPNE, OP_SEGMENT, OP_SIZE } from "./op";
import { checkRead, checkWrite, linearRead, RAX, RCX, RDI, RDX, RSI, setRegister } from "./operand";
import { notePort } from "./breakpoint";
import { checkPort } from "./io";
import { readPort, writePort } from "./bus";

@inline function mask(op: usize): u64 {
  return load<u64>(ADDRESS_MASKS + (<usize>load<u8>(op, OP_ADDRESS) << 3));
}
/** A 16-bit pointer or counter keeps the upper bits of its register. */
@inline function setCounter(at: usize, m: u64, value: u64): void {
  if (m == 0xffff) store<u16>(at, <u16>value);
  else store<u64>(at, value & m);
}
@inline function advance(at: usize, m: u64, delta: i64): void {
  setCounter(at, m, load<u64>(at) + <u64>delta);
}
@inline function destinationRead(op: usize, m: u64, size: u32): u64 {
  const offset = load<u64>(RDI) & m;
  return load<u8>(op, OP_FLAGS) & OP_FLAT ? offset : checkRead(ES, offset, size);
}
@inline function destinationWrite(op: usize, m: u64, size: u32): u64 {
  const offset = load<u64>(RDI) & m;
  return load<u8>(op, OP_FLAGS) & OP_FLAT ? offset : checkWrite(ES, offset, size);
}
@inline function source(op: usize, m: u64, size: u32): u64 {
  return linearRead(op, load<u64>(RSI) & m, size);
}
@inline function stepOf<T>(): i64 {
  return load<u32>(SYSTEM_FLAGS) & DF_FLAG ? -(<i64>sizeof<T>()) : <i64>sizeof<T>();
}
@inline function repeated(op: usize): bool {
  return (load<u8>(op, OP_FLAGS) & (OP_REP | OP_REPNE)) != 0;
}

/** Iterations that this entry into a repeated instruction may make. */
@inline function allowance(): u64 {
  return <u64>(load<u32>(BUDGET) - (load<u32>(AT) - load<u32>(FIRST)) / OP_SIZE);
}

/** After `done` iterations, `left` in rCX: counts them, and comes back to the instruction if it isn't finished. */
@inline function leave(done: u64, finished: bool): void {
  if (done > 1) store<u64>(NOW, load<u64>(NOW) + done - 1);
  store<u64>(PROGRESS, 0);
  if (!finished) store<u64>(RIP, start());
  store<u8>(REPEATING, !finished);
  store<u32>(END, 0);
}

/** How many elements fit before the end of the page. */
@inline function room<T>(host: usize): u64 {
  return (0x1000 - (<u64>host & 0xfff)) / sizeof<T>();
}

@inline function moveOne<T>(op: usize, m: u64, delta: i64): void {
  const from = source(op, m, sizeof<T>());
  const to = destinationWrite(op, m, sizeof<T>());
  write<T>(to, read<T>(from, 0), 0);
  advance(RSI, m, delta);
  advance(RDI, m, delta);
}
export function movs<T>(op: usize): void {
  const m = mask(op);
  const delta = stepOf<T>();
  if (!repeated(op)) {
    moveOne<T>(op, m, delta);
    return;
  }
  let count = load<u64>(RCX) & m;
  const budget = allowance();
  let done: u64 = 0;
  while (count != 0 && done < budget) {
    count--;
    moveOne<T>(op, m, delta);
    setCounter(RCX, m, count);
    done++;
    noteProgress(done);
    if (load<u32>(ATTENTION)) break;
    if (count > 1 && delta > 0 && done < budget) {
      const from = hostForRead(source(op, m, sizeof<T>()));
      const to = hostForWrite(destinationWrite(op, m, sizeof<T>()));
      if (from && to) {
        let n = min<u64>(min<u64>(room<T>(from), room<T>(to)), min<u64>(count, budget - done));
        n = min<u64>(n, min<u64>(withinSegment(op, m, load<u64>(RSI), sizeof<T>(), false), withinSegment(op, m, load<u64>(RDI), sizeof<T>(), true)));
        const bytes = <u32>n * sizeof<T>();
        // An overlapping forward copy repeats a pattern: only the element loop does that.
        if (n > 1 && (to <= from || to >= from + bytes)) {
          memory.copy(to, from, bytes);
          advance(RSI, m, bytes);
          advance(RDI, m, bytes);
          count -= n;
          setCounter(RCX, m, count);
          done += n;
          noteProgress(done);
        }
      }
    }
  }
  leave(max<u64>(done, 1), count == 0);
}

/** Elements from `pointer` on that stay inside the segment's limit and the address size. */
function withinSegment(op: usize, m: u64, pointer: u64, size: u32, destination: bool): u64 {
  const offset = pointer & m;
  let high: u64 = m;
  if (!(load<u8>(op, OP_FLAGS) & OP_FLAT)) {
    const s: usize = SEGMENTS + (destination ? ES : <usize>load<u8>(op, OP_SEGMENT)) * SEGMENT_SIZE;
    high = min<u64>(high, destination ? load<u64>(s, SEG_WRITE_HIGH) : load<u64>(s, SEG_READ_HIGH));
  }
  if (offset > high) return 0;
  const span = high - offset;
  return span == ~(<u64>0) ? span : (span + 1) / size;
}
/** Finished iterations, for the count should the next one fault. */
@inline function noteProgress(done: u64): void {
  store<u64>(PROGRESS, done);
}

@inline function storeOne<T>(op: usize, m: u64, delta: i64): void {
  write<T>(destinationWrite(op, m, sizeof<T>()), load<T>(RAX), 0);
  advance(RDI, m, delta);
}
export function stos<T>(op: usize): void {
  const m = mask(op);
  const delta = stepOf<T>();
  if (!repeated(op)) {
    storeOne<T>(op, m, delta);
    return;
  }
  let count = load<u64>(RCX) & m;
  const budget = allowance();
  let done: u64 = 0;
  while (count != 0 && done < budget) {
    count--;
    storeOne<T>(op, m, delta);
    setCounter(RCX, m, count);
    done++;
    noteProgress(done);
    if (load<u32>(ATTENTION)) break;
    if (count > 1 && delta > 0 && done < budget) {
      const to = hostForWrite(destinationWrite(op, m, sizeof<T>()));
      if (to) {
        let n = min<u64>(room<T>(to), min<u64>(count, budget - done));
        n = min<u64>(n, withinSegment(op, m, load<u64>(RDI), sizeof<T>(), true));
        const value = load<T>(RAX);
        if (sizeof<T>() == 1) memory.fill(to, <u8>value, <usize>n);
        else for (let i: u32 = 0; i < <u32>n; i++) store<T>(to + i * sizeof<T>(), value);
        advance(RDI, m, <i64>(n * sizeof<T>()));
        count -= n;
        setCounter(RCX, m, count);
        done += n;
        noteProgress(done);
      }
    }
  }
  leave(max<u64>(done, 1), count == 0);
}

@inline function loadOne<T>(op: usize, m: u64, delta: i64): void {
  setRegister<T>(0, read<T>(source(op, m, sizeof<T>()), 0));
  advance(RSI, m, delta);
}
export function lods<T>(op: usize): void {
  const m = mask(op);
  const delta = stepOf<T>();
  if (!repeated(op)) {
    loadOne<T>(op, m, delta);
    return;
  }
  let count = load<u64>(RCX) & m;
  const budget = allowance();
  let done: u64 = 0;
  while (count != 0 && done < budget) {
    loadOne<T>(op, m, delta);
    setCounter(RCX, m, --count);
    noteProgress(++done);
    if (load<u32>(ATTENTION)) break;
  }
  leave(max<u64>(done, 1), count == 0);
}

@inline function scanOne<T>(op: usize, m: u64, delta: i64): void {
  const b = read<T>(destinationRead(op, m, sizeof<T>()), 0);
  const a = load<T>(RAX);
  advance(RDI, m, delta);
  flagsSub<T>(a, b, <T>(a - b));
}
@inline function compareOne<T>(op: usize, m: u64, delta: i64): void {
  const a = read<T>(source(op, m, sizeof<T>()), 0);
  const b = read<T>(destinationRead(op, m, sizeof<T>()), 0);
  advance(RSI, m, delta);
  advance(RDI, m, delta);
  flagsSub<T>(a, b, <T>(a - b));
}
/** REPE goes on while equal, REPNE while different. */
@inline function compareLoop<T>(op: usize, scan: bool): void {
  const m = mask(op);
  const delta = stepOf<T>();
  if (!repeated(op)) {
    if (scan) scanOne<T>(op, m, delta);
    else compareOne<T>(op, m, delta);
    return;
  }
  const whileEqual = (load<u8>(op, OP_FLAGS) & OP_REP) != 0;
  let count = load<u64>(RCX) & m;
  const budget = allowance();
  let done: u64 = 0;
  let finished = count == 0;
  while (!finished && done < budget) {
    if (scan) scanOne<T>(op, m, delta);
    else compareOne<T>(op, m, delta);
    setCounter(RCX, m, --count);
    noteProgress(++done);
    finished = count == 0 || zero() != whileEqual;
    if (load<u32>(ATTENTION)) break;
  }
  leave(max<u64>(done, 1), finished);
}
export function scas<T>(op: usize): void { compareLoop<T>(op, true); }
export function cmps<T>(op: usize): void { compareLoop<T>(op, false); }

// ---- Port strings ----
@inline function portFlags(op: usize): i32 {
  return 1 | (repeated(op) ? 2 : 0);
}
/** The destination is checked before the port is read (its effect can't be undone). */
@inline function insOne<T>(op: usize, m: u64, delta: i64): void {
  const to = destinationWrite(op, m, sizeof<T>());
  probeWrite(to, sizeof<T>(), 0, load<u32>(TLB_SET));
  const value = <T>readPort(load<u16>(RDX), sizeof<T>(), load<u32>(CURRENT), portFlags(op));
  write<T>(to, value, 0);
  if (load<u8>(DEBUG_ACTIVE)) notePort(load<u16>(RDX), sizeof<T>());
  advance(RDI, m, delta);
}
@inline function outsOne<T>(op: usize, m: u64, delta: i64): void {
  const value = read<T>(source(op, m, sizeof<T>()), 0);
  writePort(load<u16>(RDX), sizeof<T>(), <u32>value, load<u32>(CURRENT), portFlags(op));
  if (load<u8>(DEBUG_ACTIVE)) notePort(load<u16>(RDX), sizeof<T>());
  advance(RSI, m, delta);
}
@inline function portLoop<T>(op: usize, input: bool): void {
  checkPort(load<u16>(RDX), sizeof<T>());
  const m = mask(op);
  const delta = stepOf<T>();
  if (!repeated(op)) {
    if (input) insOne<T>(op, m, delta);
    else outsOne<T>(op, m, delta);
    attend();
    return;
  }
  let count = load<u64>(RCX) & m;
  const budget = allowance();
  let done: u64 = 0;
  while (count != 0 && done < budget) {
    if (input) insOne<T>(op, m, delta);
    else outsOne<T>(op, m, delta);
    setCounter(RCX, m, --count);
    noteProgress(++done);
    if (load<u32>(ATTENTION)) break;
  }
  leave(max<u64>(done, 1), count == 0);
}
export function ins<T>(op: usize): void { portLoop<T>(op, true); }
export function outs<T>(op: usize): void { portLoop<T>(op, false); }
