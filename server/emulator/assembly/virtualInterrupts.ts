/**
 * Virtual interrupts: CR4.VME lets virtual-8086 code below IOPL 3 use VIF for IF and sends INT n to its own IVT; CR4.PVI
 * gives CLI and STI at CPL 3 the same (SDM vol. 3, 21.3 and 21.4).
 */
import { CPL, CR4, CS, MODE, NO_TRAP, RIP, SYSTEM_FLAGS, TR } from "./layout";
import { attend, readSystem } from "./access";
import { Reason } from "./events";
import { protection } from "./fault";
import { IF, IOPL, RF, rflags, systemFlags, TF, VIF, VIP } from "./flags";
import { beginStack, commitStack, pushNext } from "./operand";
import { attributesOf, baseOf, limitOf, protectedMode, realCs, selectorOf, UNUSABLE, v86 } from "./segment";

const CR4_VME: u64 = 1;
const CR4_PVI: u64 = 2;

/** Whether VIF stands in for IF in virtual-8086 mode. */
export function virtualInV86(): bool {
  return (load<u64>(CR4) & CR4_VME) != 0 && v86() && (systemFlags() & IOPL) != IOPL;
}
/** The same for CLI and STI in any mode. */
export function virtualFlag(): bool {
  if (v86()) return virtualInV86();
  return (load<u64>(CR4) & CR4_PVI) != 0 && load<u8>(CPL) == 3 && protectedMode() && (systemFlags() & IOPL) != IOPL;
}

export function clearVirtual(): void {
  store<u32>(SYSTEM_FLAGS, systemFlags() & ~VIF);
}
/** STI: an interrupt that waits (VIP) is for the monitor to deliver. */
export function setVirtual(): void {
  if (systemFlags() & VIP) protection(Reason.V86Sensitive);
  store<u32>(SYSTEM_FLAGS, systemFlags() | VIF);
}

/**
 * At the start of an instruction: VIF with VIP, which no instruction of the program leaves behind, is #GP(0) at once. IRET,
 * a task switch or a load of CR4 at level 0 can make such a state (Bochs does the same; the manuals only say that VIF with
 * VIP is the monitor's).
 */
export function checkVirtualState(): void {
  if (load<u8>(CPL) != 3 || load<u8>(MODE) == 2) return;
  const cr4 = load<u64>(CR4);
  if ((cr4 & CR4_PVI) == 0 && !((cr4 & CR4_VME) != 0 && v86())) return;
  protection(Reason.V86Sensitive);
}

/** FLAGS as virtual-8086 code sees them: IF is VIF, IOPL is 3. */
export function virtualImage(): u32 {
  const flags = rflags();
  return (flags & ~IF) | IOPL | (flags & VIF ? IF : 0);
}
/** POPF and IRET of such an image: refused where TF is set, or IF while an interrupt waits. */
export function checkVirtualImage(image: u32): void {
  if (image & TF || (image & IF && systemFlags() & VIP)) protection(Reason.V86Sensitive);
}
export function takeVirtualImage(image: u32): void {
  store<u32>(SYSTEM_FLAGS, (systemFlags() & ~VIF) | (image & IF ? VIF : 0));
}

/** INT n in virtual-8086 mode under VME: true where the redirection bitmap of the TSS sent it to the program's own IVT. */
export function redirected(vector: u32): bool {
  if (!(load<u64>(CR4) & CR4_VME)) return false;
  const tr = attributesOf(TR);
  if (tr & UNUSABLE || (tr & 8) == 0 || limitOf(TR) < 103) protection(Reason.V86Sensitive, vector);
  // 32 bytes below the I/O permission bitmap.
  const at = <u32>readSystem<u16>(baseOf(TR) + 102) - 32 + (vector >> 3);
  if (at > limitOf(TR)) protection(Reason.V86Sensitive, vector);
  if ((readSystem<u8>(baseOf(TR) + at) >> <u8>(vector & 7)) & 1) return false;
  const entry = readSystem<u32>(vector << 2);
  const virtual = virtualInV86();
  beginStack();
  pushNext<u16>(<u16>(virtual ? virtualImage() : rflags()));
  pushNext<u16>(<u16>selectorOf(CS));
  pushNext<u16>(<u16>load<u64>(RIP));
  commitStack();
  store<u32>(SYSTEM_FLAGS, systemFlags() & ~(TF | RF | (virtual ? VIF : IF)));
  realCs(entry >> 16);
  store<u64>(RIP, entry & 0xffff);
  store<u8>(NO_TRAP, 1);
  attend();
  return true;
}
