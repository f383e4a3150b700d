/**
 * Translation look-aside buffers: per vCPU three sets (supervisor, supervisor with AC set, user), each with entries for
 * reads, writes and fetches. An entry exists only if the access has been allowed, so rights need no second look.
 *
 * A write entry may be marked TLB_NOTICED: it translates as ever, but misses on the fast path, so that the write is noticed.
 * That is how writes to decoded code and first writes behind a snapshot are seen. What is translated never depends on it.
 */
import {
  AC_CHECK, CPL, CR0, CR4, CURRENT, DEBUG_DATA, DR, SYSTEM_FLAGS, TLB_1G, TLB_2M, TLB_ENTRIES, TLB_FETCH,
  TLB_FETCH_ENTRIES, TLB_FETCH_SIZE, TLB_GLOBAL, TLB_IN_USE, TLB_NOTICED, TLB_READ, TLB_READ_INFO, TLB_SET, TLB_SET_SIZE, TLB_SIZE,
  TLB_USED, TLB_VCPU_SIZE, TLB_WRITE, TLB_WRITE_INFO, TLBS, VCPU_COUNT,
} from "./layout";
import { refreshBreakpoints } from "./breakpoint";
import { AC_FLAG } from "./flags";

export const CR4_SMAP: u64 = 0x200000;

/** Bases of the current set; always rebuilt by `selectTlb`. */
export let readTlb: usize = 0;
export let writeTlb: usize = 0;
export let fetchTlb: usize = 0;
/** The supervisor set, for the CPU's own accesses to descriptor tables. */
export let systemTlb: usize = 0;

/** The set for the present CPL and AC. To be called after each change of CPL, AC, CR0.AM, CR4.SMAP or vCPU. */
export function selectTlb(): void {
  const base: usize = TLBS + load<u32>(CURRENT) * TLB_VCPU_SIZE;
  const user = load<u8>(CPL) == 3;
  const ac = (load<u32>(SYSTEM_FLAGS) & AC_FLAG) != 0;
  const set: u32 = user ? 2 : ac && (load<u64>(CR4) & CR4_SMAP) != 0 ? 1 : 0;
  store<u32>(TLB_SET, set);
  fetchTlb = base + set * TLB_SET_SIZE + TLB_FETCH;
  systemTlb = base;
  // Alignment and data breakpoints are checked on the slow path: the fourth set never hits.
  const checked = user && ac && (load<u64>(CR0) & 0x40000) != 0;
  store<u8>(AC_CHECK, checked);
  const watched = load<u32>(DR + 56) & 0xff ? refreshBreakpoints() : false;
  store<u8>(DEBUG_DATA, watched);
  const data = base + (checked || watched ? 3 : set) * TLB_SET_SIZE;
  readTlb = data + TLB_READ;
  writeTlb = data + TLB_WRITE;
}

/** Enters a data mapping of linear page to host page into `set` of the current vCPU; `bits` as WALK_TLB. Writes are noticed. */
export function fillData(write: bool, set: u32, linear: u64, host: usize, gpa: u64, bits: u32): void {
  fillDataOf(load<u32>(CURRENT), write, set, linear, host, gpa, bits);
}
export function fillDataOf(vcpu: u32, write: bool, set: u32, linear: u64, host: usize, gpa: u64, bits: u32): void {
  const base: usize = TLBS + vcpu * TLB_VCPU_SIZE + set * TLB_SET_SIZE;
  const index = <u32>(linear >> 12) & (TLB_ENTRIES - 1);
  const entry = base + (write ? TLB_WRITE : TLB_READ) + (index << 4);
  store<u64>(entry, (linear & ~0xfff) | (write ? TLB_NOTICED : 0));
  store<u64>(entry, <u64>host - (linear & ~0xfff), 8);
  store<u64>(base + (write ? TLB_WRITE_INFO : TLB_READ_INFO) + (index << 3), (gpa & ~0xfff) | bits);
  store<u32>(base + TLB_USED, load<u32>(base + TLB_USED) | TLB_IN_USE | bits);
}

/** Enters a fetch mapping: `tag` is the linear page with the code size, `info` the guest page with the bits of WALK_TLB. */
export function fillFetch(tlb: usize, index: u32, tag: u64, host: usize, codePage: usize, info: u64): void {
  const entry = tlb + index * TLB_FETCH_SIZE;
  store<u64>(entry, tag);
  store<u32>(entry, <u32>host, 8);
  store<u32>(entry, <u32>codePage, 12);
  store<u64>(entry, info, 16);
  const used = tlb - TLB_FETCH + TLB_USED;
  store<u32>(used, load<u32>(used) | TLB_IN_USE | (<u32>info & (TLB_GLOBAL | TLB_SIZE)));
}

function dropSet(base: usize): void {
  if (load<u32>(base + TLB_USED) == 0) return;
  memory.fill(base + TLB_READ, 0xff, TLB_ENTRIES * 16);
  memory.fill(base + TLB_WRITE, 0xff, TLB_ENTRIES * 16);
  memory.fill(base + TLB_FETCH, 0xff, TLB_FETCH_ENTRIES * TLB_FETCH_SIZE);
  store<u32>(base + TLB_USED, 0);
}

/** Drops everything of one vCPU. */
export function dropVcpu(vcpu: u32): void {
  for (let set: u32 = 0; set < 3; set++) dropSet(TLBS + vcpu * TLB_VCPU_SIZE + set * TLB_SET_SIZE);
}

export function dropCurrent(): void {
  dropVcpu(load<u32>(CURRENT));
}

/** Drops everything of all vCPUs: the memory map or A20 changed. */
export function dropAll(): void {
  const count = load<u32>(VCPU_COUNT);
  for (let vcpu: u32 = 0; vcpu < count; vcpu++) dropVcpu(vcpu);
}

/** At creation: all entries empty, those of the fourth set for ever. */
export function initTlbs(): void {
  const count = load<u32>(VCPU_COUNT);
  for (let vcpu: u32 = 0; vcpu < count; vcpu++)
    for (let set: u32 = 0; set < 4; set++) {
      const base = TLBS + vcpu * TLB_VCPU_SIZE + set * TLB_SET_SIZE;
      store<u32>(base + TLB_USED, TLB_IN_USE);
      dropSet(base);
    }
}

/** MOV to CR3 and its like: entries of global pages stay (SDM vol. 3, 4.10.4.1). */
export function dropNonGlobal(): void {
  for (let set: u32 = 0; set < 3; set++) {
    const base: usize = TLBS + load<u32>(CURRENT) * TLB_VCPU_SIZE + set * TLB_SET_SIZE;
    const held = load<u32>(base + TLB_USED);
    if (!(held & TLB_GLOBAL)) {
      dropSet(base);
      continue;
    }
    for (let i: u32 = 0; i < <u32>TLB_ENTRIES; i++) {
      if (!(load<u64>(base + TLB_READ_INFO + (i << 3)) & TLB_GLOBAL)) store<u64>(base + TLB_READ + (i << 4), -1);
      if (!(load<u64>(base + TLB_WRITE_INFO + (i << 3)) & TLB_GLOBAL)) store<u64>(base + TLB_WRITE + (i << 4), -1);
    }
    for (let i: u32 = 0; i < <u32>TLB_FETCH_ENTRIES; i++) {
      const entry = base + TLB_FETCH + i * TLB_FETCH_SIZE;
      if (!(load<u64>(entry, 16) & TLB_GLOBAL)) store<u64>(entry, -1);
    }
  }
}

/**
 * A page fault drops what is cached for its address (SDM vol. 3, 4.10.4.1). A large page is cached in 4 KiB pieces, each
 * under its own page number, so one piece goes.
 */
export function dropPage(linear: u64): void {
  const page = linear & ~0xfff;
  const index = <u32>(linear >> 12) & (TLB_ENTRIES - 1);
  for (let set: u32 = 0; set < 3; set++) {
    const base: usize = TLBS + load<u32>(CURRENT) * TLB_VCPU_SIZE + set * TLB_SET_SIZE;
    dropTag(base + TLB_READ + (index << 4), page);
    dropTag(base + TLB_WRITE + (index << 4), page);
    dropTag(base + TLB_FETCH + (index & (TLB_FETCH_ENTRIES - 1)) * TLB_FETCH_SIZE, page);
  }
}
@inline function dropTag(entry: usize, page: u64): void {
  if ((load<u64>(entry) & ~0xfff) == page) store<u64>(entry, -1);
}

/** INVLPG and INVPCID: the page of `linear`, a large one whole; a global one too if `globals`. */
export function dropLinear(linear: u64, globals: bool): void {
  const index = <u32>(linear >> 12) & (TLB_ENTRIES - 1);
  for (let set: u32 = 0; set < 3; set++) {
    const base: usize = TLBS + load<u32>(CURRENT) * TLB_VCPU_SIZE + set * TLB_SET_SIZE;
    const held = load<u32>(base + TLB_USED);
    if (!held) continue;
    // Where the set may hold pieces of large pages, they are anywhere.
    const many = (held & TLB_SIZE) != 0;
    let i: u32 = many ? 0 : index;
    const last: u32 = many ? TLB_ENTRIES - 1 : index;
    for (; i <= last; i++) {
      dropIfOf(base + TLB_READ + (i << 4), load<u64>(base + TLB_READ_INFO + (i << 3)), linear, globals);
      dropIfOf(base + TLB_WRITE + (i << 4), load<u64>(base + TLB_WRITE_INFO + (i << 3)), linear, globals);
      const fetch = base + TLB_FETCH + (i & (TLB_FETCH_ENTRIES - 1)) * TLB_FETCH_SIZE;
      dropIfOf(fetch, load<u64>(fetch, 16), linear, globals);
    }
  }
}
/** Drops `entry`, which maps what `info` says, if its whole page holds `linear`. */
@inline function dropIfOf(entry: usize, info: u64, linear: u64, globals: bool): void {
  const size = <u32>info & TLB_SIZE;
  const shift: u64 = size == 0 ? 12 : size == TLB_2M ? 21 : size == TLB_1G ? 30 : 22;
  if (((load<u64>(entry) ^ linear) >> shift) == 0 && (globals || !(info & TLB_GLOBAL))) store<u64>(entry, -1);
}

/** The write entry of a linear page, marked or not; 0 where there is none. */
@inline export function writeEntry(linear: u64, set: u32): usize {
  const entry: usize =
    TLBS + load<u32>(CURRENT) * TLB_VCPU_SIZE + set * TLB_SET_SIZE + TLB_WRITE + ((<usize>(linear >> 12) & (TLB_ENTRIES - 1)) << 4);
  return (load<u64>(entry) & ~TLB_NOTICED) == (linear & ~0xfff) ? entry : 0;
}
/** The guest physical address of `linear` by a write entry. */
@inline export function guestOf(entry: usize, linear: u64): u64 {
  const set = entry & ~<usize>(TLB_SET_SIZE - 1);
  return (load<u64>(set + TLB_WRITE_INFO + (((entry - set - TLB_WRITE) >> 4) << 3)) & ~0xfff) | (linear & 0xfff);
}
@inline export function hostByEntry(entry: usize, linear: u64): usize {
  return <usize>(load<u64>(entry, 8) + linear);
}
/** From now on writes through the entry go the fast way. */
@inline export function unnotice(entry: usize): void {
  store<u64>(entry, load<u64>(entry) & ~TLB_NOTICED);
}

/** A snapshot was taken: the next write to each page is noticed. */
export function noticeAllWrites(): void {
  const count = load<u32>(VCPU_COUNT);
  for (let vcpu: u32 = 0; vcpu < count; vcpu++)
    for (let set: u32 = 0; set < 3; set++) {
      const base: usize = TLBS + vcpu * TLB_VCPU_SIZE + set * TLB_SET_SIZE;
      if (load<u32>(base + TLB_USED) == 0) continue;
      // An empty entry has the bit set already.
      for (let i: u32 = 0; i < <u32>TLB_ENTRIES; i++) {
        const entry = base + TLB_WRITE + (i << 4);
        store<u64>(entry, load<u64>(entry) | TLB_NOTICED);
      }
    }
}

/** A physical page got decoded code: every write to it is noticed. */
export function noticeWrites(gpa: u64): void {
  const count = load<u32>(VCPU_COUNT);
  for (let vcpu: u32 = 0; vcpu < count; vcpu++)
    for (let set: u32 = 0; set < 3; set++) {
      const base: usize = TLBS + vcpu * TLB_VCPU_SIZE + set * TLB_SET_SIZE;
      if (load<u32>(base + TLB_USED) == 0) continue;
      for (let i: u32 = 0; i < <u32>TLB_ENTRIES; i++)
        if ((load<u64>(base + TLB_WRITE_INFO + (i << 3)) & ~0xfff) == gpa) {
          const entry = base + TLB_WRITE + (i << 4);
          store<u64>(entry, load<u64>(entry) | TLB_NOTICED);
        }
    }
}
