/**
 * MONITOR and MWAIT (SDM vol. 2; vol. 3, 8.10.2 to 8.10.4): the vCPU waits as in HLT until the 64 bytes around the monitored
 * address are written to, by whomever, or an interrupt comes. A write or an event between the two makes MWAIT go on at once,
 * and so does an address that is not RAM, or no MONITOR before. What can fault, faults.
 */
import {
  ACTIVITY, ADDRESS_MASKS, CPL, CPUID_5_ECX, CURRENT, HALTED, MODE, MONITOR_LINE, MONITOR_STATE, RUNNING, TLB_SET,
  VCPU_COUNT,
} from "./layout";
import { attend, probeRead } from "./access";
import { apicCovers, notice, vcpuAt } from "./apic";
import { Reason } from "./events";
import { protection, undefined_ } from "./fault";
import { OP_ADDRESS } from "./op";
import { linearRead, RAX, RCX, stackBit } from "./operand";
import { leafOf, PAGE_ROM, PAGE_WATCHED, touch } from "./physical";
import { noticeWrites } from "./tlb";

const LINE: u64 = 64;
/** MONITOR_STATE: a line is watched; MWAIT waits; it waits and an interrupt ends it where IF is 0 too. */
const ARMED = 1;
const WAITING = 2;
export const WAITING_OPEN = 3;

/** Both are #UD above CPL 0 (no CPU here lets user code have them by HWCR). */
function supervisorOnly(): void {
  if (load<u8>(CPL) != 0) undefined_(Reason.Privilege);
}
/** ECX, in 64-bit mode all of RCX. */
function extensions(): u64 {
  return load<u8>(MODE) == 2 ? load<u64>(RCX) : <u64>load<u32>(RCX);
}
export function monitor(op: usize): void {
  supervisorOnly();
  if (extensions()) protection(Reason.MonitorHint, extensions());
  const offset = load<u64>(RAX) & load<u64>(ADDRESS_MASKS + (<usize>load<u8>(op, OP_ADDRESS) << 3));
  const gpa = probeRead(linearRead(op, offset, 1), 1, stackBit(op), load<u32>(TLB_SET));
  const v = vcpuAt(load<u32>(CURRENT));
  const leaf = apicCovers(gpa) ? 0 : touch(gpa);
  if (!leaf || (load<u32>(leaf) & PAGE_ROM) != 0) {
    store<u8>(v, 0, MONITOR_STATE);
    return;
  }
  store<u64>(v, gpa & ~(LINE - 1), MONITOR_LINE);
  store<u8>(v, ARMED, MONITOR_STATE);
  store<u32>(leaf, load<u32>(leaf) | PAGE_WATCHED);
  noticeWrites(gpa & ~0xfff);
}
/** ECX bit 0, interrupts wake where IF is 0 too, exists by CPUID.05H:ECX[1]. */
export function mwait(op: usize): void {
  supervisorOnly();
  const hints = extensions();
  if (hints & ~(load<u32>(CPUID_5_ECX) & 2 ? <u64>1 : 0)) protection(Reason.MonitorHint, hints);
  const v = vcpuAt(load<u32>(CURRENT));
  if (load<u8>(v, MONITOR_STATE) != ARMED) return;
  store<u8>(v, <u8>(hints ? WAITING_OPEN : WAITING), MONITOR_STATE);
  store<u32>(v, HALTED, ACTIVITY);
  attend();
}

/** The monitor of a vCPU is gone; if it waited, it runs. */
export function endMonitor(v: usize): void {
  const state = load<u8>(v, MONITOR_STATE);
  if (!state) return;
  store<u8>(v, 0, MONITOR_STATE);
  if (state == ARMED) return;
  store<u32>(v, RUNNING, ACTIVITY);
  notice();
}
/** `size` bytes at `offset` of a watched page are written. */
export function watchedWrite(leaf: usize, offset: u32, size: u32): void {
  const count = load<u32>(VCPU_COUNT);
  let watched = false;
  for (let i: u32 = 0; i < count; i++) {
    const v = vcpuAt(i);
    const line = load<u64>(v, MONITOR_LINE);
    if (!load<u8>(v, MONITOR_STATE) || leafOf(line, false) != leaf) continue;
    const at = <u32>line & 0xfff;
    if (at < offset + size && offset < at + <u32>LINE) endMonitor(v);
    else watched = true;
  }
  if (!watched) store<u32>(leaf, load<u32>(leaf) & ~PAGE_WATCHED);
}
/** After a restore: the pages that are watched. */
export function watchAgain(): void {
  const count = load<u32>(VCPU_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const v = vcpuAt(i);
    if (!load<u8>(v, MONITOR_STATE)) continue;
    const leaf = leafOf(load<u64>(v, MONITOR_LINE), false);
    if (leaf) store<u32>(leaf, load<u32>(leaf) | PAGE_WATCHED);
  }
}
