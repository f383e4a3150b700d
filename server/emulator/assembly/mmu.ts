/** Page walks: 32-bit, PAE, 4-level and 5-level paging with rights, reserved bits, A and D (SDM vol. 3, chapter 4). */
import {
  A20_MASK, CPUID_1_EDX, CR0, CR2, CR3, CR4, EFER, FEATURES, HAS_1G, HAS_AMD, PDPTE, PDPTES_IN_WALK, PHYSICAL_MASK, TLB_2M, TLB_4M,
  TLB_1G, TLB_GLOBAL, WALK, WALK_TLB,
} from "./layout";
import { Reason } from "./events";
import { PF, raiseHere } from "./fault";
import { isRom, physicalRead, physicalWrite } from "./physical";
import { keyForbids } from "./protectionKeys";
import { CR4_SMAP, dropPage } from "./tlb";

export const READ = 0;
export const WRITE = 1;
export const FETCH = 2;

export const CR0_PG: u64 = 0x80000000;
export const CR0_WP: u64 = 0x10000;
export const CR4_PSE: u64 = 0x10;
export const CR4_PAE: u64 = 0x20;
export const CR4_PGE: u64 = 0x80;
export const CR4_LA57: u64 = 0x1000;
export const CR4_SMEP: u64 = 0x100000;
export const EFER_LMA: u64 = 0x400;
export const EFER_NXE: u64 = 0x800;

const P: u64 = 1;
const RW: u64 = 2;
const US: u64 = 4;
const A: u64 = 0x20;
const D: u64 = 0x40;
const PS: u64 = 0x80;
const G: u64 = 0x100;
const XD: u64 = 0x8000000000000000;
const ADDRESS: u64 = 0x000ffffffffff000;
/** Bits 2:1 and 8:5 of a PAE PDPTE; those above MAXPHYADDR are reserved, too (SDM vol. 3, table 4-8; APM vol. 2, 5.2.3). */
export const PDPTE_RESERVED: u64 = 0x1e6;

/** Bits of a page-fault error code. */
const ERROR_P = 1;
const ERROR_W = 2;
const ERROR_U = 4;
const ERROR_RSVD = 8;
const ERROR_ID = 0x10;
const ERROR_PK = 0x20;

@inline export function longActive(): bool {
  return (load<u64>(EFER) & EFER_LMA) != 0;
}

/** Raises #PF for `linear`; CR2 is written now, even if this becomes a double fault. */
@inline function pageFault(linear: u64, access: u32, set: u32, bits: u32, reason: Reason, entry: u64): u64 {
  let error = bits;
  if (access == WRITE) error |= ERROR_W;
  if (set == 2) error |= ERROR_U;
  if (access == FETCH) {
    const cr4 = load<u64>(CR4);
    const nx = (cr4 & CR4_PAE) != 0 && (load<u64>(EFER) & EFER_NXE) != 0;
    if (nx || (cr4 & CR4_SMEP) != 0) error |= ERROR_ID;
  }
  dropPage(linear);
  store<u64>(CR2, linear);
  raiseHere(PF, error, reason, linear, entry);
  return 0;
}

/** Whether the rights of all levels, and XD in `entry`, allow the access (SDM vol. 3, 4.6.1). */
function allowed(access: u32, set: u32, rights: u64, entry: u64): bool {
  const cr4 = load<u64>(CR4);
  const user = (rights & US) != 0;
  if (set == 2) {
    if (!user) return false;
    if (access == WRITE) return (rights & RW) != 0;
  } else {
    if (access == FETCH) {
      if (user && (cr4 & CR4_SMEP) != 0) return false;
    } else {
      if (user && set == 0 && (cr4 & CR4_SMAP) != 0) return false;
      if (access == WRITE && !(rights & RW) && (load<u64>(CR0) & CR0_WP) != 0) return false;
    }
  }
  return access != FETCH || !(entry & XD);
}

/** Entries that the last walk used, top level first, and the bytes in each. */
let used: u32 = 0;
let entrySize: u32 = 8;

/** Reads the entry at `where` for the walk: its address and value are kept for `mark`. */
function use(where: u64): u64 {
  const entry = entrySize == 8 ? physicalRead<u64>(where) : <u64>physicalRead<u32>(where);
  store<u64>(WALK + (used << 4), where);
  store<u64>(WALK + (used << 4), entry, 8);
  used++;
  return entry;
}

/** Sets `bits` in entry number `index` of the walk; one in ROM stays as it is. */
function mark(index: u32, bits: u64): void {
  const where = load<u64>(WALK + (index << 4));
  const old = load<u64>(WALK + (index << 4), 8);
  const want = old | bits;
  if (want == old || isRom(where)) return;
  if (entrySize == 8) physicalWrite<u64>(where, want);
  else physicalWrite<u32>(where, <u32>want);
}

/**
 * The end of a walk (`entry`: the last one, with XD of any level): rights, then what the TLB must know. A violation of rights
 * leaves A set in the entries above the last one (SDM vol. 3, 6.15, #PF); in the last one that is up to the model, and stays
 * clear here.
 */
@inline function finish(linear: u64, access: u32, set: u32, rights: u64, entry: u64, pageBits: u32): void {
  const byKey = keyForbids(access, set, (rights & US) != 0, <u32>(entry >> 59) & 15);
  const byRights = !allowed(access, set, rights, entry);
  if (byKey || byRights) {
    for (let i: u32 = 0; i + 1 < used; i++) mark(i, A);
    const bits = ERROR_P | (byKey ? ERROR_PK : 0);
    const last = load<u64>(WALK + ((used - 1) << 4), 8);
    pageFault(linear, access, set, bits, byRights ? Reason.Rights : Reason.ProtectionKey, last);
  }
  const global = (entry & G) != 0 && (load<u64>(CR4) & CR4_PGE) != 0 ? TLB_GLOBAL : 0;
  const size: u32 = pageBits == 12 ? 0 : pageBits == 21 ? TLB_2M : pageBits == 22 ? TLB_4M : TLB_1G;
  store<u32>(WALK_TLB, global | size);
}

/** 32-bit paging with 4 KiB and, under CR4.PSE, 4 MiB pages (SDM vol. 3, 4.3). */
function walk32(linear: u64, access: u32, set: u32): u64 {
  entrySize = 4;
  const a20 = load<u64>(A20_MASK);
  const pde = use(((load<u64>(CR3) & 0xfffff000) | ((linear >> 20) & 0xffc)) & a20);
  if (!(pde & P)) return pageFault(linear, access, set, 0, Reason.NotPresent, pde);
  if ((pde & PS) != 0 && (load<u64>(CR4) & CR4_PSE) != 0) {
    // With PSE-36 bits 20:13 are address bits 39:32 as far as the physical width goes; the rest up to bit 21 is reserved.
    const above = (load<u32>(CPUID_1_EDX) & 0x20000) != 0 ? (~load<u64>(PHYSICAL_MASK) >> 32) & 0xff : 0xff;
    if (pde & (0x200000 | (above << 13)))
      return pageFault(linear, access, set, ERROR_P | ERROR_RSVD, Reason.ReservedBit, pde);
    finish(linear, access, set, pde, pde, 22);
    return ((pde & 0xffc00000) | (((pde >> 13) & 0xff) << 32) | (linear & 0x3fffff)) & a20;
  }
  const pte = use(((pde & 0xfffff000) | ((linear >> 10) & 0xffc)) & a20);
  if (!(pte & P)) return pageFault(linear, access, set, 0, Reason.NotPresent, pte);
  finish(linear, access, set, pde & pte, pte, 12);
  return ((pte & 0xfffff000) | (linear & 0xfff)) & a20;
}

/** PAE, 4-level and 5-level paging (SDM vol. 3, 4.4 and 4.5). */
function walk64(linear: u64, access: u32, set: u32): u64 {
  entrySize = 8;
  const a20 = load<u64>(A20_MASK);
  const long = longActive();
  // Bits that must be zero in every entry: those above MAXPHYADDR, and XD where it is not enabled.
  let reserved: u64 = ~load<u64>(PHYSICAL_MASK) & (long ? <u64>0x000fffffffffffff : <u64>0x7fffffffffffffff);
  if (!(load<u64>(EFER) & EFER_NXE)) reserved |= XD;
  let level: u32;
  let table: u64;
  if (long) {
    level = (load<u64>(CR4) & CR4_LA57) != 0 ? 5 : 4;
    table = load<u64>(CR3) & ADDRESS;
  } else {
    const at = (<u32>(linear >> 30) & 3) << 3;
    const inWalk = (load<u32>(FEATURES) & PDPTES_IN_WALK) != 0;
    const pdpte = inWalk ? physicalRead<u64>(((load<u64>(CR3) & 0xffffffe0) + at) & a20) : load<u64>(PDPTE + at);
    if (inWalk && pdpte & P && pdpte & (PDPTE_RESERVED | ~load<u64>(PHYSICAL_MASK)))
      return pageFault(linear, access, set, ERROR_P | ERROR_RSVD, Reason.ReservedBit, pdpte);
    if (!(pdpte & P)) return pageFault(linear, access, set, 0, Reason.NotPresent, pdpte);
    table = pdpte & ADDRESS;
    level = 2;
  }
  let rights: u64 = RW | US;
  let xd: u64 = 0;
  let entry: u64;
  let within: u64;
  let shift: u32;
  for (;;) {
    shift = 3 + 9 * level;
    entry = use((table + (((linear >> shift) & 0x1ff) << 3)) & a20);
    if (!(entry & P)) return pageFault(linear, access, set, 0, Reason.NotPresent, entry);
    within = ((<u64>1) << shift) - 1;
    const leaf = level == 1 || (level < 4 && (entry & PS) != 0);
    let wrong = entry & reserved;
    if (level > 3) {
      // PS, and on AMD the place of the global bit as well (APM vol. 2, 5.3.3).
      wrong |= entry & (load<u32>(FEATURES) & HAS_AMD ? PS | G : PS);
    } else if (leaf && level > 1) {
      if (level == 3 && !(load<u32>(FEATURES) & HAS_1G)) wrong |= PS;
      wrong |= entry & within & ~0x1fff;
    }
    if (wrong) return pageFault(linear, access, set, ERROR_P | ERROR_RSVD, Reason.ReservedBit, entry);
    rights &= entry;
    xd |= entry & XD;
    if (leaf) break;
    table = entry & ADDRESS;
    level--;
  }
  finish(linear, access, set, rights, entry | xd, shift);
  return ((entry & ADDRESS & ~within) | (linear & within)) & a20;
}

/**
 * As `translate`, but sets neither A nor D of what it could use: for an access over a page end, whose second page may fault.
 */
@inline export function check(linear: u64, access: u32, set: u32): u64 {
  used = 0;
  store<u32>(WALK_TLB, 0);
  if (!(load<u64>(CR0) & CR0_PG)) return linear & load<u64>(A20_MASK);
  return load<u64>(CR4) & CR4_PAE ? walk64(linear, access, set) : walk32(linear, access, set);
}

/**
 * The guest physical address of `linear` for an access in TLB set `set` (0 supervisor, 1 supervisor with AC, 2 user);
 * raises #PF. Sets A and D (SDM vol. 3, 4.8). `linear` must be canonical.
 */
@inline export function translate(linear: u64, access: u32, set: u32): u64 {
  const gpa = check(linear, access, set);
  for (let i: u32 = 0; i < used; i++) mark(i, access == WRITE && i == used - 1 ? A | D : A);
  return gpa;
}
