/**
 * Protection keys of user pages (PKRU) and supervisor pages (IA32_PKRS), in 4-level and 5-level paging, data accesses only
 * (SDM vol. 3, 4.6.2). The TLBs hold what a key has allowed, so a new register value drops them.
 */
import { CR0, CR4, PKRS, PKRU } from "./layout";
import { Reason } from "./events";
import { protection, undefined_ } from "./fault";
import { CR0_WP, FETCH, WRITE, longActive } from "./mmu";
import { RAX, RCX, RDX } from "./operand";
import { dropCurrent } from "./tlb";

export const CR4_PKE: u64 = 0x400000;
export const CR4_PKS: u64 = 0x1000000;

/** Whether key number `key` forbids the access: bit 2i disables access, bit 2i+1 writes. */
export function keyForbids(access: u32, set: u32, userPage: bool, key: u32): bool {
  const cr4 = load<u64>(CR4);
  if (!(cr4 & (CR4_PKE | CR4_PKS)) || access == FETCH || !longActive()) return false;
  if (!(cr4 & (userPage ? CR4_PKE : CR4_PKS))) return false;
  const bits = load<u32>(userPage ? PKRU : PKRS) >> (key << 1);
  if (bits & 1) return true;
  return access == WRITE && (bits & 2) != 0 && (set == 2 || (load<u64>(CR0) & CR0_WP) != 0);
}

export function setPkru(value: u32): void {
  if (value == load<u32>(PKRU)) return;
  store<u32>(PKRU, value);
  if (load<u64>(CR4) & CR4_PKE) dropCurrent();
}

/** WRMSR of IA32_PKRS. */
export function setPkrs(value: u64): void {
  if (value >> 32) protection(Reason.MsrReserved, value, 0x6e1);
  store<u32>(PKRS, <u32>value);
  if (load<u64>(CR4) & CR4_PKS) dropCurrent();
}

/** Both exist at every CPL, but only while CR4.PKE is set. */
export function rdpkru(op: usize): void {
  if (!(load<u64>(CR4) & CR4_PKE)) undefined_(Reason.NotInMode);
  if (load<u32>(RCX)) protection(Reason.PkruOperand, load<u32>(RCX));
  store<u64>(RAX, load<u32>(PKRU));
  store<u64>(RDX, 0);
}
export function wrpkru(op: usize): void {
  if (!(load<u64>(CR4) & CR4_PKE)) undefined_(Reason.NotInMode);
  if (load<u32>(RCX) | load<u32>(RDX)) protection(Reason.PkruOperand, load<u32>(RCX), load<u32>(RDX));
  setPkru(load<u32>(RAX));
}
