/** The local APIC timer: one-shot, periodic and TSC-deadline (SDM vol. 3, 10.5.4). It counts ticks of the clock. */
import {
  APIC_DIVIDE, APIC_EXPIRES, APIC_INITIAL, APIC_LVT, APIC_STARTED, APIC_TSC_DEADLINE, NEXT_TIMER, NOW, TSC_OFFSET,
  VCPU_COUNT,
} from "./layout";
import { now } from "./fault";

import { LVT_MASKED, me, NEVER, notice, requestVector, vcpuAt } from "./apic";

@inline export function divisor(v: usize): u64 {
  const d = load<u32>(v, APIC_DIVIDE);
  const n = (d & 3) | ((d >> 1) & 4);
  return n == 7 ? 1 : (<u64>2) << n;
}
/** 0 one-shot, 1 periodic, 2 TSC deadline. */
@inline export function timerMode(v: usize): u32 {
  return (load<u32>(v, APIC_LVT) >> 17) & 3;
}
export function findNextTimer(): void {
  let next = NEVER;
  const count = load<u32>(VCPU_COUNT);
  for (let i: u32 = 0; i < count; i++) next = min<u64>(next, load<u64>(vcpuAt(i), APIC_EXPIRES));
  store<u64>(NEXT_TIMER, next);
  notice();
}
/** A write to the initial count, which TSC-deadline mode ignores. */
export function startTimer(v: usize, count: u32): void {
  if (timerMode(v) == 2) return;
  store<u32>(v, count, APIC_INITIAL);
  const at = now();
  store<u64>(v, at, APIC_STARTED);
  store<u64>(v, count ? at + count * divisor(v) : NEVER, APIC_EXPIRES);
  findNextTimer();
}
/** A change to or from TSC-deadline mode: the deadline and the count are gone (SDM vol. 3, 10.5.4.1). */
export function disarmTimer(v: usize): void {
  store<u32>(v, 0, APIC_INITIAL);
  store<u64>(v, 0, APIC_TSC_DEADLINE);
  store<u64>(v, NEVER, APIC_EXPIRES);
  findNextTimer();
}
export function currentCount(v: usize): u32 {
  const expires = load<u64>(v, APIC_EXPIRES);
  if (expires == NEVER || timerMode(v) == 2) return 0;
  const at = now();
  return expires <= at ? 0 : <u32>((expires - at + divisor(v) - 1) / divisor(v));
}
/** Timers that are due: their interrupts, and the next period. */
export function fireTimers(): void {
  const at = load<u64>(NOW);
  const count = load<u32>(VCPU_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const v = vcpuAt(i);
    const expires = load<u64>(v, APIC_EXPIRES);
    if (expires > at) continue;
    const lvt = load<u32>(v, APIC_LVT);
    if (timerMode(v) == 1 && load<u32>(v, APIC_INITIAL) != 0) {
      const period = load<u32>(v, APIC_INITIAL) * divisor(v);
      store<u64>(v, expires + ((at - expires) / period + 1) * period, APIC_EXPIRES);
    } else {
      store<u64>(v, NEVER, APIC_EXPIRES);
      store<u64>(v, 0, APIC_TSC_DEADLINE);
    }
    if (!(lvt & LVT_MASKED)) requestVector(v, lvt & 0xff, false);
  }
  findNextTimer();
}
export function tscDeadline(): u64 {
  return load<u64>(me(), APIC_TSC_DEADLINE);
}
export function setTscDeadline(value: u64): void {
  const v = me();
  if (timerMode(v) != 2) return;
  store<u64>(v, value, APIC_TSC_DEADLINE);
  const at = now();
  const tsc = at + load<u64>(TSC_OFFSET);
  // One that has passed fires at once.
  store<u64>(v, !value ? NEVER : value > tsc ? at + (value - tsc) : at + 1, APIC_EXPIRES);
  findNextTimer();
}
/** The TSC was set: a deadline is a value of it, not a point in time. */
export function followTsc(): void {
  const value = tscDeadline();
  if (value) setTscDeadline(value);
}
