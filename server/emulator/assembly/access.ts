/**
 * Memory accesses by linear address. A TLB hit is one compare and one add; everything else (first touch, page crossing,
 * MMIO, ROM, pages with code, alignment checks) is in the slow functions. Nothing is written before all of it may be.
 */
import { AC_CHECK, ATTENTION, CR4, DEBUG_DATA, END, LINEAR_WIDTH, MODE, TLB_SET, TLB_SET_SIZE, TLB_WRITE, WALK_TLB } from "./layout";
import { noteData } from "./breakpoint";
import { Reason } from "./events";
import { AC, GP, SS_FAULT, raise } from "./fault";
import { READ, WRITE, check, longActive, translate } from "./mmu";
import { PAGE_CODE, PAGE_ROM, PAGE_WATCHED, beforeWrite, hostOf, leafOf, physicalRead, physicalWrite, touch } from "./physical";
import { apicCovers } from "./apic";
import { fillData, guestOf, hostByEntry, readTlb, systemTlb, unnotice, writeEntry, writeTlb } from "./tlb";

export const PAGE_MASK: u64 = 0xfffffffffffff000;

/** Whether an address is canonical for the paging mode in force. */
@inline export function canonical(linear: u64): bool {
  return ((<i64>linear << 16) >> 16) == <i64>linear || canonical57(linear);
}

export function canonical57(linear: u64): bool {
  return (load<u64>(CR4) & 0x1000) != 0 && ((<i64>linear << 7) >> 7) == <i64>linear;
}

/**
 * Canonical in the widest form of the CPU, whatever CR4.LA57 says: what counts for table bases, addresses in MSRs and
 * operands of invalidations.
 */
export function canonicalForCpu(linear: u64): bool {
  const shift: i64 = load<u32>(LINEAR_WIDTH) == 57 ? 7 : 16;
  return ((<i64>linear << shift) >> shift) == <i64>linear;
}

/** In place of the bit that says "through the stack segment": the CPU's own access to a descriptor table, IDT or TSS. */
const SYSTEM: u32 = 2;

/** #GP(0), or #SS(0) of the stack, for an access beyond the canonical addresses; comes before #AC. */
export function requireCanonical(linear: u64, size: u32, stack: u32): void {
  if (!canonical(linear) || !canonical(linear + size - 1))
    raise(stack & ~SYSTEM ? SS_FAULT : GP, 0, Reason.NonCanonicalData, linear, size);
}

/** Brings `linear` into the address space in force: canonical in long mode, else 32 bits. */
function prepare(linear: u64, size: u32, stack: u32, set: u32): u64 {
  if (longActive()) requireCanonical(linear, size, stack);
  else linear &= 0xffffffff;
  if (load<u8>(AC_CHECK) != 0 && set == 2 && (<u32>linear & (size - 1)) != 0)
    raise(AC, 0, Reason.Alignment, linear, size);
  return linear;
}

/** The linear address `bytes` further; wraps at 4 GiB outside 64-bit mode, for tables only outside long mode. */
@inline export function onward(linear: u64, bytes: u64, stack: u32 = 0): u64 {
  return load<u8>(MODE) == 2 || (stack == SYSTEM && longActive()) ? linear + bytes : (linear + bytes) & 0xffffffff;
}

@inline export function read<T>(linear: u64, stack: u32): T {
  const entry = readTlb + ((<usize>(linear >> 12) & 1023) << 4);
  if (load<u64>(entry) == ((linear + (sizeof<T>() - 1)) & PAGE_MASK)) return load<T>(<usize>(load<u64>(entry, 8) + linear));
  return readSlow<T>(linear, stack, load<u32>(TLB_SET));
}

@inline export function write<T>(linear: u64, value: T, stack: u32): void {
  const entry = writeTlb + ((<usize>(linear >> 12) & 1023) << 4);
  if (load<u64>(entry) == ((linear + (sizeof<T>() - 1)) & PAGE_MASK)) store<T>(<usize>(load<u64>(entry, 8) + linear), value);
  else writeSlow<T>(linear, value, stack, load<u32>(TLB_SET));
}

/** A read by the CPU itself (descriptor tables, IDT, TSS): supervisor rights at any CPL. Data breakpoints see it. */
export function readSystem<T>(linear: u64): T {
  const entry = systemTlb + ((<usize>(linear >> 12) & 1023) << 4);
  if (load<u64>(entry) == ((linear + (sizeof<T>() - 1)) & PAGE_MASK) && !load<u8>(DEBUG_DATA))
    return load<T>(<usize>(load<u64>(entry, 8) + linear));
  return readSlow<T>(linear, SYSTEM, 0);
}

/** A push in TLB set `set`, that of the level whose stack it is. Alignment and data breakpoints are on the slow path. */
export function pushAs<T>(linear: u64, value: T, set: u32): void {
  const entry = systemTlb + set * TLB_SET_SIZE + TLB_WRITE + ((<usize>(linear >> 12) & 1023) << 4);
  if (load<u64>(entry) == ((linear + (sizeof<T>() - 1)) & PAGE_MASK) && !(load<u8>(DEBUG_DATA) | load<u8>(AC_CHECK)))
    store<T>(<usize>(load<u64>(entry, 8) + linear), value);
  else writeSlow<T>(linear, value, 1, set);
}

export function writeSystem<T>(linear: u64, value: T): void {
  writeSlow<T>(linear, value, SYSTEM, 0);
}

export function readSlow<T>(at: u64, stack: u32, set: u32): T {
  const linear = prepare(at, sizeof<T>(), stack, set);
  if (load<u8>(DEBUG_DATA)) noteData(linear, sizeof<T>(), false);
  if ((<u32>linear & 0xfff) + sizeof<T>() > 0x1000) return readCrossing<T>(linear, stack, set);
  const gpa = translate(linear, READ, set);
  const bits = load<u32>(WALK_TLB);
  if (!apicCovers(gpa)) {
    const leaf = touch(gpa);
    if (leaf) {
      fillData(false, set, linear, hostOf(leaf), gpa, bits);
      return load<T>(hostOf(leaf) + (<u32>gpa & 0xfff));
    }
  }
  return physicalRead<T>(gpa);
}

/** Both pages are allowed before a byte is read or an entry of the first is marked as accessed. */
function readCrossing<T>(linear: u64, stack: u32, set: u32): T {
  const first: u32 = 0x1000 - (<u32>linear & 0xfff);
  check(linear, READ, set);
  const high = translate(onward(linear, first, stack), READ, set);
  const low = translate(linear, READ, set);
  let value: u64 = 0;
  for (let i: u32 = 0; i < sizeof<T>(); i++) {
    const byte = physicalRead<u8>(i < first ? low + i : high + (i - first));
    value |= <u64>byte << (i << 3);
  }
  return <T>value;
}

export function writeSlow<T>(at: u64, value: T, stack: u32, set: u32): void {
  const linear = prepare(at, sizeof<T>(), stack, set);
  if (load<u8>(DEBUG_DATA)) noteData(linear, sizeof<T>(), true);
  if ((<u32>linear & 0xfff) + sizeof<T>() > 0x1000) {
    writeCrossing<T>(linear, value, stack, set);
    return;
  }
  const known = writeEntry(linear, set);
  if (known) {
    writeNoticed<T>(known, guestOf(known, linear), value);
    return;
  }
  const gpa = translate(linear, WRITE, set);
  const bits = load<u32>(WALK_TLB);
  if (!apicCovers(gpa)) {
    const leaf = touch(gpa);
    if (leaf && !(load<u32>(leaf) & PAGE_ROM)) {
      fillData(true, set, linear, hostOf(leaf), gpa, bits);
      writeNoticed<T>(writeEntry(linear, set), gpa, value);
      return;
    }
  }
  physicalWrite<T>(gpa, value);
}

/** A write to RAM by an entry of the TLB; without code on the page the next one goes the fast way. */
function writeNoticed<T>(entry: usize, gpa: u64, value: T): void {
  const leaf = leafOf(gpa, false);
  beforeWrite(leaf, <u32>gpa & 0xfff, sizeof<T>());
  if (!(load<u32>(leaf) & (PAGE_CODE | PAGE_WATCHED))) unnotice(entry);
  store<T>(hostOf(leaf) + (<u32>gpa & 0xfff), value);
}

/** Both pages are allowed before a byte is written or an entry of the first is marked as dirty. */
function writeCrossing<T>(linear: u64, value: T, stack: u32, set: u32): void {
  const first: u32 = 0x1000 - (<u32>linear & 0xfff);
  check(linear, WRITE, set);
  const high = translate(onward(linear, first, stack), WRITE, set);
  const low = translate(linear, WRITE, set);
  for (let i: u32 = 0; i < sizeof<T>(); i++)
    physicalWrite<u8>(i < first ? low + i : high + (i - first), <u8>(<u64>value >> (i << 3)));
}

/**
 * Checks that `size` bytes may be read, without reading: raises what the read would raise. The guest physical address of the
 * first byte.
 */
export function probeRead(at: u64, size: u32, stack: u32, set: u32): u64 {
  const linear = prepare(at, size, stack, set);
  const gpa = translate(linear, READ, set);
  if ((<u32>linear & 0xfff) + size > 0x1000) translate(onward(linear, 0x1000 - (linear & 0xfff)), READ, set);
  return gpa;
}

/** Checks that `size` bytes may be written, without writing: raises what the write would raise. */
export function probeWrite(at: u64, size: u32, stack: u32, set: u32): void {
  const linear = prepare(at, size, stack, set);
  if ((<u32>linear & 0xfff) + size <= 0x1000 && writeEntry(linear, set)) return;
  check(linear, WRITE, set);
  if ((<u32>linear & 0xfff) + size > 0x1000) check(onward(linear, 0x1000 - (linear & 0xfff)), WRITE, set);
}

/** Host address for a read or write of one page at `linear`, if the TLB knows it; else 0. */
@inline export function hostForRead(linear: u64): usize {
  const entry = readTlb + ((<usize>(linear >> 12) & 1023) << 4);
  return load<u64>(entry) == (linear & PAGE_MASK) ? <usize>(load<u64>(entry, 8) + linear) : 0;
}
@inline export function hostForWrite(linear: u64): usize {
  const entry = writeTlb + ((<usize>(linear >> 12) & 1023) << 4);
  return load<u64>(entry) == (linear & PAGE_MASK) ? <usize>(load<u64>(entry, 8) + linear) : 0;
}

/** Where the read-modify-write in progress stores its result: a host address, or 0 and a linear address. */
let targetHost: usize = 0;
let targetLinear: u64 = 0;
let targetStack: u32 = 0;

/** The read of a read-modify-write: the page must be writable before anything is read. */
@inline export function readToModify<T>(linear: u64, stack: u32): T {
  const entry = writeTlb + ((<usize>(linear >> 12) & 1023) << 4);
  if (load<u64>(entry) == ((linear + (sizeof<T>() - 1)) & PAGE_MASK)) {
    const host = <usize>(load<u64>(entry, 8) + linear);
    targetHost = host;
    return load<T>(host);
  }
  return readToModifySlow<T>(linear, stack);
}

function readToModifySlow<T>(linear: u64, stack: u32): T {
  const set = load<u32>(TLB_SET);
  targetHost = 0;
  targetLinear = linear;
  targetStack = stack;
  if ((<u32>linear & 0xfff) + sizeof<T>() <= 0x1000) {
    const page = prepare(linear, sizeof<T>(), stack, set);
    const entry = writeEntry(page, set);
    if (entry) {
      if (load<u8>(DEBUG_DATA)) noteData(page, sizeof<T>(), false);
      return load<T>(hostByEntry(entry, page));
    }
  }
  probeWrite(linear, sizeof<T>(), stack, set);
  return readSlow<T>(linear, stack, set);
}

@inline export function writeModified<T>(value: T): void {
  if (targetHost) store<T>(targetHost, value);
  else writeModifiedSlow<T>(value);
}

function writeModifiedSlow<T>(value: T): void {
  writeSlow<T>(targetLinear, value, targetStack, load<u32>(TLB_SET));
}

/** The instruction needs the outer loop before the next one. */
@inline export function attend(): void {
  store<u32>(ATTENTION, 1);
  store<u32>(END, 0);
}
