/**
 * MONITOR and MWAIT (SDM vol. 2): MWAIT is a hint, and waking at once is always allowed, so it goes on as if the monitored
 * line had just been written. What can fault, faults.
 */
import { ADDRESS_MASKS, CPL, CPUID_5_ECX, MODE, TLB_SET } from "./layout";
import { probeRead } from "./access";
import { Reason } from "./events";
import { protection, undefined_ } from "./fault";
import { OP_ADDRESS } from "./op";
import { linearRead, RAX, RCX, stackBit } from "./operand";

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
  probeRead(linearRead(op, offset, 1), 1, stackBit(op), load<u32>(TLB_SET));
}
/** ECX bit 0, interrupts wake where IF is 0 too, exists by CPUID.05H:ECX[1]. */
export function mwait(op: usize): void {
  supervisorOnly();
  const hints = extensions();
  if (hints & ~(load<u32>(CPUID_5_ECX) & 2 ? <u64>1 : 0)) protection(Reason.MonitorHint, hints);
}
