/** IN and OUT, and who may use a port (SDM vol. 1, 18.5). */
import { CPL, CURRENT, DEBUG_ACTIVE, TR } from "./layout";
import { attend, readSystem } from "./access";
import { notePort } from "./breakpoint";
import { readPort, writePort } from "./bus";
import { Reason } from "./events";
import { protection } from "./fault";
import { IOPL, systemFlags } from "./flags";
import { immediate, RAX, RDX, setRegister } from "./operand";
import { attributesOf, baseOf, limitOf, protectedMode, UNUSABLE, v86 } from "./segment";

/** Above IOPL, and always in virtual-8086 mode, the bitmap of the TSS decides: two bytes are read. */
export function checkPort(port: u32, size: u32): void {
  if (!protectedMode()) return;
  if (!v86() && load<u8>(CPL) <= (systemFlags() & IOPL) >> 12) return;
  const tr = attributesOf(TR);
  // A 16-bit TSS (types 1 and 3) has no bitmap.
  if (tr & UNUSABLE || (tr & 8) == 0 || limitOf(TR) < 103) protection(Reason.IoPermission, port, size);
  const at = <u32>readSystem<u16>(baseOf(TR) + 102) + (port >> 3);
  if (at + 1 > limitOf(TR)) protection(Reason.IoPermission, port, size);
  const bits = <u32>readSystem<u16>(baseOf(TR) + at) >> (port & 7);
  if (bits & ((1 << size) - 1)) protection(Reason.IoPermission, port, size);
}

@inline function input<T>(port: u32): void {
  checkPort(port, sizeof<T>());
  setRegister<T>(0, <T>readPort(port, sizeof<T>(), load<u32>(CURRENT), 0));
  if (load<u8>(DEBUG_ACTIVE)) notePort(port, sizeof<T>());
  attend();
}
@inline function output<T>(port: u32): void {
  checkPort(port, sizeof<T>());
  writePort(port, sizeof<T>(), <u32>load<T>(RAX), load<u32>(CURRENT), 0);
  if (load<u8>(DEBUG_ACTIVE)) notePort(port, sizeof<T>());
  attend();
}
export function inImm<T>(op: usize): void { input<T>(immediate<u32>(op) & 0xff); }
export function inDx<T>(op: usize): void { input<T>(load<u16>(RDX)); }
export function outImm<T>(op: usize): void { output<T>(immediate<u32>(op) & 0xff); }
export function outDx<T>(op: usize): void { output<T>(load<u16>(RDX)); }
