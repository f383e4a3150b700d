/**
 * Guest physical memory: slots say what a span is, pages are allocated on first touch and found through a radix tree.
 * A leaf entry is two u32: host page | PAGE_… bits, and the first code page (code.ts).
 */
import { readMmio, unwind, writeMmio } from "./bus";
import {
  CAUSE_MEMORY, CODE_BITMAP, CODE_NEXT, CURRENT, HEAP_HIGH_WATER, HEAP_TOP, MAX_PAGES, MEMORY_END, PAGE_COUNT, PAGES,
  RADIX, SLOT_COUNT, SLOT_RAM, SLOT_ROM, SLOT_SIZE, SLOTS, UNWIND_CAUSE,
} from "./layout";
import { apicCovers } from "./apic";
import { apicRead, apicWrite } from "./apicRegisters";
import { dropCode } from "./code";
import { watchedWrite } from "./monitor";

export const PAGE_PRESENT = 1;
export const PAGE_ROM = 2;
/** Allocated, but the slot is gone: the content waits for its return. */
export const PAGE_HIDDEN = 4;
/** Holds decoded code: its entries in write TLBs are marked TLB_NOTICED. */
export const PAGE_CODE = 8;
/** Changed since the last snapshot; where it is clear, so are the write TLBs of entries that miss the slow path. */
export const PAGE_DIRTY = 16;
/** Holds a line that a vCPU monitors: noticed as writes to code are. */
export const PAGE_WATCHED = 32;
const PAGE_BITS = 0xfff;

/** SLOT_RAM, SLOT_ROM or 0 for the slot that holds `gpa`. */
export function slotKind(gpa: u64): u32 {
  let low: i32 = 0;
  let high: i32 = load<i32>(SLOT_COUNT);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (load<u64>(SLOTS + middle * SLOT_SIZE, 8) > gpa) high = middle;
    else low = middle + 1;
  }
  if (low >= load<i32>(SLOT_COUNT)) return 0;
  const slot: usize = SLOTS + low * SLOT_SIZE;
  return load<u64>(slot) <= gpa ? load<u32>(slot, 16) : 0;
}

/** `size` zeroed bytes, a multiple of 4 KiB; 0 where the memory is used up. */
function allocate(size: u32): usize {
  const page = load<u32>(HEAP_TOP);
  const top = <u64>page + size;
  if (top > MEMORY_END) return 0;
  const have = <u64>memory.size() << 16;
  if (top > have) {
    // 4 MiB at a time, so that growing stays rare, but for the last ones.
    const wanted = min<i32>(<i32>((top - have + 0x3fffff) >> 22) << 6, <i32>((MEMORY_END - have) >> 16));
    if (memory.grow(wanted) < 0) return 0;
  }
  if (page < load<u32>(HEAP_HIGH_WATER)) memory.fill(page, 0, size);
  store<u32>(HEAP_TOP, <u32>top);
  if (<u32>top > load<u32>(HEAP_HIGH_WATER)) store<u32>(HEAP_HIGH_WATER, <u32>top);
  return page;
}

/** The address of the leaf entry of `gpa`; 0 where there is none and `create` is false, or no memory is left. */
export function leafOf(gpa: u64, create: bool): usize {
  let node: usize = RADIX;
  for (let shift: u64 = 42; shift > 12; shift -= 10) {
    const slot = node + ((<u32>(gpa >> shift) & 1023) << 2);
    let next = load<u32>(slot);
    if (!next) {
      if (!create) return 0;
      next = <u32>allocate(shift == 22 ? 0x2000 : 0x1000);
      if (!next) return 0;
      store<u32>(slot, next);
    }
    node = next;
  }
  return node + ((<u32>(gpa >> 12) & 1023) << 3);
}

/** Allocates the page of `gpa` if its slot is RAM or ROM. Returns the leaf, 0 for neither, 1 when out of memory. */
export function provide(gpa: u64): usize {
  const found = leafOf(gpa, false);
  if (found && load<u32>(found)) return load<u32>(found) & PAGE_HIDDEN ? 0 : found;
  const kind = slotKind(gpa);
  if (!kind) return 0;
  const leaf = leafOf(gpa, true);
  const count = load<u32>(PAGE_COUNT);
  if (!leaf || count >= <u32>MAX_PAGES) return 1;
  const page = allocate(0x1000);
  if (!page) return 1;
  store<u32>(leaf, <u32>page | PAGE_PRESENT | PAGE_DIRTY | (kind == SLOT_ROM ? PAGE_ROM : 0));
  store<u64>(PAGES + (count << 3), gpa & ~0xfff);
  store<u32>(PAGE_COUNT, count + 1);
  return leaf;
}

/** For a restored snapshot: allocates the page whatever its slot is. 0 when out of memory. */
export function restoreLeaf(gpa: u64): usize {
  const leaf = leafOf(gpa, true);
  const count = load<u32>(PAGE_COUNT);
  if (!leaf || count >= <u32>MAX_PAGES) return 0;
  const page = allocate(0x1000);
  if (!page) return 0;
  store<u32>(leaf, <u32>page | PAGE_PRESENT);
  store<u64>(PAGES + (count << 3), gpa & ~0xfff);
  store<u32>(PAGE_COUNT, count + 1);
  return page;
}

/** As `provide`, for the guest: running out of memory ends the run. */
export function touch(gpa: u64): usize {
  const leaf = provide(gpa);
  if (leaf == 1) {
    store<u32>(UNWIND_CAUSE, CAUSE_MEMORY);
    unwind();
  }
  return leaf;
}

@inline export function hostOf(leaf: usize): usize {
  return load<u32>(leaf) & ~PAGE_BITS;
}

/** After the slots changed: what each allocated page is now. */
export function refreshKinds(): void {
  const count = load<u32>(PAGE_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const gpa = load<u64>(PAGES + (i << 3));
    const leaf = leafOf(gpa, false);
    const kind = slotKind(gpa);
    const bits = kind == SLOT_RAM ? 0 : kind == SLOT_ROM ? PAGE_ROM : PAGE_HIDDEN;
    store<u32>(leaf, (load<u32>(leaf) & ~(PAGE_ROM | PAGE_HIDDEN)) | bits);
  }
}

/** Before `size` bytes at `offset` of a page change: notes that they do, and drops the blocks of code there. */
export function beforeWrite(leaf: usize, offset: u32, size: u32): void {
  const bits = load<u32>(leaf);
  store<u32>(leaf, bits | PAGE_DIRTY);
  if (bits & PAGE_WATCHED) watchedWrite(leaf, offset, size);
  if (!(bits & PAGE_CODE)) return;
  const first = offset >> 6;
  const last = (offset + size - 1) >> 6;
  let page = load<u32>(leaf, 4);
  while (page) {
    const bitmap = load<u64>(page, CODE_BITMAP);
    for (let chunk = first; chunk <= last; chunk++) {
      if ((bitmap >> chunk) & 1) {
        dropCode(leaf);
        return;
      }
    }
    page = load<u32>(page, CODE_NEXT);
  }
}

/** A read of `sizeof T` bytes inside one page, by the CPU: RAM, ROM, the local APIC's page or the bus. */
export function physicalRead<T>(gpa: u64): T {
  if (apicCovers(gpa)) return <T>apicRead(<u32>gpa & 0xfff, sizeof<T>());
  const leaf = touch(gpa);
  if (leaf) return load<T>(hostOf(leaf) + (<u32>gpa & 0xfff));
  return <T>readMmio(gpa, sizeof<T>(), load<u32>(CURRENT));
}

/** A write inside one page; a write to ROM goes to the bus. */
export function physicalWrite<T>(gpa: u64, value: T): void {
  if (apicCovers(gpa)) {
    apicWrite(<u32>gpa & 0xfff, sizeof<T>(), <u32>value);
    return;
  }
  const leaf = touch(gpa);
  if (leaf && !(load<u32>(leaf) & PAGE_ROM)) {
    beforeWrite(leaf, <u32>gpa & 0xfff, sizeof<T>());
    store<T>(hostOf(leaf) + (<u32>gpa & 0xfff), value);
  } else writeMmio(gpa, sizeof<T>(), <u64>value, load<u32>(CURRENT));
}

/** For A and D bits: an entry in ROM stays as it is, without a bus write. */
export function isRom(gpa: u64): bool {
  const leaf = touch(gpa);
  return leaf != 0 && (load<u32>(leaf) & PAGE_ROM) != 0;
}
