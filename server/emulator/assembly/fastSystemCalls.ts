/** SYSCALL, SYSRET, SYSENTER and SYSEXIT: flat segments, no descriptor is read (SDM vol. 2; APM vol. 3). */
import {
  CPL, CS, EFER, FEATURES, HAS_AMD, MODE, MSR_CSTAR, MSR_FMASK, MSR_LSTAR, MSR_STAR, MSR_SYSENTER_CS, MSR_SYSENTER_EIP,
  MSR_SYSENTER_ESP, NO_TRAP, RIP, SS, SYSTEM_FLAGS,
} from "./layout";
import { canonical } from "./access";
import { expectEndbranchAtEntry } from "./branch";
import { privileged } from "./control";
import { Reason } from "./events";
import { GP, protection, raise, undefined_ } from "./fault";
import { IF, RF, rflags, setFlags, systemFlags, TF, VM } from "./flags";
import { longActive } from "./mmu";
import { EFER_SCE } from "./msr";
import { OP_OPERAND } from "./op";
import { R11, RCX, RDX, RSP } from "./operand";
import { attributesOf, baseOf, limitOf, protectedMode, setCpl, setSegment, updateMode } from "./segment";

function flatCode(selector: u32, level: u32, long: bool): void {
  setSegment(CS, selector, 0, 0xffffffff, (long ? 0xa09b : 0xc09b) | (level << 5));
  setCpl(level);
}
function flatStack(selector: u32, level: u32): void {
  setSegment(SS, selector, 0, 0xffffffff, 0xc093 | (level << 5));
}
/** SYSCALL and SYSRET are single-stepped by TF as it is behind them. */
function stepByNewFlags(): void {
  store<u8>(NO_TRAP, systemFlags() & TF ? 2 : 1);
}
export function syscall(op: usize): void {
  const amd = (load<u32>(FEATURES) & HAS_AMD) != 0;
  const mode = load<u8>(MODE);
  if (!(load<u64>(EFER) & EFER_SCE)) undefined_(Reason.SyscallDisabled);
  if (!protectedMode() || (!amd && mode != 2)) undefined_(Reason.NotInMode);
  const star = load<u64>(MSR_STAR);
  const selector = <u32>(star >> 32) & 0xfffc;
  if (longActive()) {
    store<u64>(RCX, load<u64>(RIP));
    store<u64>(R11, rflags());
    setFlags(rflags() & ~<u32>load<u64>(MSR_FMASK), 0x3f7fd5);
    store<u32>(SYSTEM_FLAGS, systemFlags() & ~(RF | VM));
    flatCode(selector, 0, true);
    flatStack(selector + 8, 0);
    store<u64>(RIP, load<u64>(mode == 2 ? MSR_LSTAR : MSR_CSTAR));
  } else {
    store<u64>(RCX, load<u64>(RIP));
    store<u32>(SYSTEM_FLAGS, systemFlags() & ~(RF | VM | IF));
    flatCode(selector, 0, false);
    flatStack(selector + 8, 0);
    store<u64>(RIP, star & 0xffffffff);
  }
  stepByNewFlags();
  updateMode();
  expectEndbranchAtEntry();
}
export function sysret(op: usize): void {
  const amd = (load<u32>(FEATURES) & HAS_AMD) != 0;
  const mode = load<u8>(MODE);
  if (!(load<u64>(EFER) & EFER_SCE)) undefined_(Reason.SyscallDisabled);
  if (!protectedMode() || (!amd && mode != 2)) undefined_(Reason.NotInMode);
  privileged();
  const base = <u32>(load<u64>(MSR_STAR) >> 48) & 0xffff;
  const to64 = load<u8>(op, OP_OPERAND) == 3;
  const target = load<u64>(RCX);
  if (to64 && !canonical(target) && !amd) raise(GP, 0, Reason.SysretNonCanonical, target);
  if (longActive()) {
    setFlags(<u32>load<u64>(R11), 0x3c7fd5);
    store<u32>(SYSTEM_FLAGS, systemFlags() & ~(RF | VM));
  } else store<u32>(SYSTEM_FLAGS, systemFlags() | IF);
  flatCode((to64 ? base + 16 : base) | 3, 3, to64);
  if (amd) setSegment(SS, (base + 8) | 3, baseOf(SS), limitOf(SS), attributesOf(SS) | 0x60);
  else flatStack((base + 8) | 3, 3);
  store<u64>(RIP, to64 ? target : target & 0xffffffff);
  stepByNewFlags();
  updateMode();
}
export function sysenter(op: usize): void {
  const long = longActive();
  if (long && (load<u32>(FEATURES) & HAS_AMD) != 0) undefined_(Reason.NotInMode);
  const cs = <u32>load<u64>(MSR_SYSENTER_CS);
  if (!protectedMode() || (cs & 0xfffc) == 0) protection(Reason.SysenterNull, cs);
  store<u32>(SYSTEM_FLAGS, systemFlags() & ~(VM | IF | RF));
  flatCode(cs & 0xfffc, 0, long);
  flatStack((cs & 0xfffc) + 8, 0);
  store<u64>(RSP, long ? load<u64>(MSR_SYSENTER_ESP) : load<u64>(MSR_SYSENTER_ESP) & 0xffffffff);
  store<u64>(RIP, long ? load<u64>(MSR_SYSENTER_EIP) : load<u64>(MSR_SYSENTER_EIP) & 0xffffffff);
  updateMode();
  expectEndbranchAtEntry();
}
export function sysexit(op: usize): void {
  // The privilege comes first, on AMD in long mode too (seen on a family 26 CPU at CPL 3).
  privileged();
  const long = longActive();
  if (long && (load<u32>(FEATURES) & HAS_AMD) != 0) undefined_(Reason.NotInMode);
  const cs = <u32>load<u64>(MSR_SYSENTER_CS);
  if (!protectedMode() || (cs & 0xfffc) == 0) protection(Reason.SysenterNull, cs);
  const to64 = load<u8>(op, OP_OPERAND) == 3;
  if (to64) {
    if (!canonical(load<u64>(RCX))) protection(Reason.NonCanonicalTarget, load<u64>(RCX));
    if (!canonical(load<u64>(RDX))) protection(Reason.NonCanonicalTarget, load<u64>(RDX));
  }
  const base = (cs & 0xfffc) + (to64 ? 32 : 16);
  flatCode(base | 3, 3, to64);
  flatStack((base + 8) | 3, 3);
  store<u64>(RSP, to64 ? load<u64>(RCX) : load<u64>(RCX) & 0xffffffff);
  store<u64>(RIP, to64 ? load<u64>(RDX) : load<u64>(RDX) & 0xffffffff);
  updateMode();
}
