/** Page walks: 32-bit, PAE, 4-level and 5-level paging with rights, reserved bits, A and D (SDM vol. 3, chapter 4). */
import {
  A20_MASK, CR0, CR2, CR3, CR4, EFER, FEATURES, HAS_1G, PDPTE, PHYSICAL_MASK, WALK, WALK_GLOBAL,
} from "./layout";
import { Reason } from "./events";
import { PF, raise } from "./fault";
import { isRom, physicalRead, physicalWrite } from "./physical";
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

/** Bits of a page-fault error code. */
const ERROR_P = 1;
const ERROR_W = 2;
const ERROR_U = 4;
const ERROR_RSVD = 8;
const ERROR_ID = 0x10;

@inline export function longActive(): bool {
  return (load<u64>(EFER) & EFER_LMA) != 0;
}

/** Raises #PF for `linear`; CR2 is written now, even if this becomes a double fault. */
function pageFault(linear: u64, access: u32, set: u32, bits: u32, reason: Reason, entry: u64): u64 {
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
  raise(PF, error, reason, linear, entry);
  return 0;
}

/** Whether the rights of a finished walk allow the access. */
function allowed(access: u32, set: u32, rights: u64, xd: u64): bool {
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
  return access != FETCH || !(xd & XD);
}

/**
 * The guest physical address of `linear` for an access in TLB set `set` (0 supervisor, 1 supervisor with AC, 2 user);
 * raises #PF. Sets A and D. `linear` must be canonical.
 */
export function translate(linear: u64, access: u32, set: u32): u64 {
  store<u32>(WALK_GLOBAL, 0);
  if (!(load<u64>(CR0) & CR0_PG)) return linear & load<u64>(A20_MASK);
  if (!(load<u64>(CR4) & CR4_PAE)) return translate32(linear, access, set);
  const long = longActive();
  const efer = load<u64>(EFER);
  // Bits that must be zero in every entry: those above MAXPHYADDR, and XD where it is not enabled.
  let reserved: u64 = ~load<u64>(PHYSICAL_MASK) & (long ? <u64>0x000fffffffffffff : <u64>0x7fffffffffffffff);
  if (!(efer & EFER_NXE)) reserved |= XD;
  let level: u32;
  let table: u64;
  if (long) {
    level = (load<u64>(CR4) & CR4_LA57) != 0 ? 5 : 4;
    table = load<u64>(CR3) & ADDRESS;
  } else {
    const pdpte = load<u64>(PDPTE + ((<u32>(linear >> 30) & 3) << 3));
    if (!(pdpte & P)) return pageFault(linear, access, set, 0, Reason.NotPresent, pdpte);
    table = pdpte & ADDRESS;
    level = 2;
  }
  let rights: u64 = RW | US;
  let xd: u64 = 0;
  let count: u32 = 0;
  let entry: u64;
  let page: u64;
  for (;;) {
    const shift: u64 = 3 + 9 * <u64>level;
    const where = (table + (((linear >> shift) & 0x1ff) << 3)) & load<u64>(A20_MASK);
    entry = physicalRead<u64>(where);
    store<u64>(WALK + (count << 4), where);
    store<u64>(WALK + (count << 4), entry, 8);
    count++;
    if (!(entry & P)) return pageFault(linear, access, set, 0, Reason.NotPresent, entry);
    let wrong = entry & reserved;
    page = ((<u64>1) << shift) - 1;
    const large = level > 1 && (entry & PS) != 0;
    if (large) {
      if (level > 3 || (level == 3 && !(load<u32>(FEATURES) & HAS_1G))) wrong |= PS;
      else wrong |= entry & page & ~0x1fff;
    }
    if (wrong) return pageFault(linear, access, set, ERROR_P | ERROR_RSVD, Reason.ReservedBit, entry);
    rights &= entry;
    xd |= entry;
    if (large || level == 1) break;
    table = entry & ADDRESS;
    level--;
  }
  if (!allowed(access, set, rights, xd)) return pageFault(linear, access, set, ERROR_P, Reason.Rights, entry);
  for (let i: u32 = 0; i < count; i++) {
    const where = load<u64>(WALK + (i << 4));
    const old = load<u64>(WALK + (i << 4), 8);
    const want = old | A | (access == WRITE && i == count - 1 ? D : 0);
    if (want != old && !isRom(where)) physicalWrite<u64>(where, want);
  }
  if (entry & G && (load<u64>(CR4) & CR4_PGE) != 0) store<u32>(WALK_GLOBAL, 1);
  return ((entry & ADDRESS & ~page) | (linear & page)) & load<u64>(A20_MASK);
}

/** 32-bit paging with 4 KiB and, under CR4.PSE, 4 MiB pages (PSE-36). */
function translate32(linear: u64, access: u32, set: u32): u64 {
  const a20 = load<u64>(A20_MASK);
  const pdeAt = ((load<u64>(CR3) & 0xfffff000) | ((linear >> 20) & 0xffc)) & a20;
  const pde = physicalRead<u32>(pdeAt);
  if (!(pde & 1)) return pageFault(linear, access, set, 0, Reason.NotPresent, pde);
  if ((pde & 0x80) != 0 && (load<u64>(CR4) & CR4_PSE) != 0) {
    // Bits 20:13 are address bits 39:32 as far as the physical width goes; the rest up to bit 21 is reserved.
    const above = <u32>(~load<u64>(PHYSICAL_MASK) >> 32) & 0xff;
    if (pde & (0x200000 | (above << 13)))
      return pageFault(linear, access, set, ERROR_P | ERROR_RSVD, Reason.ReservedBit, pde);
    if (!allowed(access, set, pde, 0)) return pageFault(linear, access, set, ERROR_P, Reason.Rights, pde);
    const want = pde | 0x20 | (access == WRITE ? 0x40 : 0);
    if (want != pde && !isRom(pdeAt)) physicalWrite<u32>(pdeAt, want);
    if (pde & 0x100 && (load<u64>(CR4) & CR4_PGE) != 0) store<u32>(WALK_GLOBAL, 1);
    return (<u64>(pde & 0xffc00000) | ((<u64>(pde >> 13) & 0xff) << 32) | (linear & 0x3fffff)) & a20;
  }
  const pteAt = (<u64>(pde & 0xfffff000) | ((linear >> 10) & 0xffc)) & a20;
  const pte = physicalRead<u32>(pteAt);
  if (!(pte & 1)) return pageFault(linear, access, set, 0, Reason.NotPresent, pte);
  if (!allowed(access, set, pde & pte & 6, 0)) return pageFault(linear, access, set, ERROR_P, Reason.Rights, pte);
  if (!(pde & 0x20) && !isRom(pdeAt)) physicalWrite<u32>(pdeAt, pde | 0x20);
  const want = pte | 0x20 | (access == WRITE ? 0x40 : 0);
  if (want != pte && !isRom(pteAt)) physicalWrite<u32>(pteAt, want);
  if (pte & 0x100 && (load<u64>(CR4) & CR4_PGE) != 0) store<u32>(WALK_GLOBAL, 1);
  return (<u64>(pte & 0xfffff000) | (linear & 0xfff)) & a20;
}
