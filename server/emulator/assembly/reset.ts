/** RESET, INIT and start-up IPIs (SDM vol. 3, Table 9-1, 8.4, 10.4.7). */
import {
  ACTIVITY, APIC_BASE, CHAIN_LENGTH, CPL, CPU, CPU_SIZE, CPUID_SIGNATURE, CR0, CR2, CR3, CR4, CS, CURRENT, DEBUG_ACTIVE,
  DELIVERING, DR, EFER, EVENT_NONE, FCW, FSW, FTW, GDTR_BASE, GDTR_LIMIT, IDTR_BASE, IDTR_LIMIT, LDTR, MONITOR_STATE, MSR_PAT, MXCSR,
  NMI_BLOCKED, NO_TRAP, NOW, PDPTE, PENDING, RANDOM, REGS, REPEATING, REQUEST_EXTINT, REQUEST_INIT, REQUEST_NMI, REQUEST_SIPI, RIP,
  RUNNING, SHADOW, BLOCK_RIP, SYSTEM_FLAGS, TR, TRACE, TSC_OFFSET, WAIT_FOR_SIPI, XCR0,
} from "./layout";
import { resetApic, vcpuAt } from "./apic";
import { trace } from "./bus";
import { TRACE_INIT, TRACE_SIPI } from "./events";
import { setArithmetic } from "./flags";
import { refreshAllLimits, setSegment, updateMode } from "./segment";
import { dropCurrent } from "./tlb";

/** The state that RESET and INIT share. Leaves MSRs, x87 and XCR0 alone. */
function common(cr0: u64): void {
  memory.fill(REGS, 0, 144);
  store<u64>(REGS + 16, load<u32>(CPUID_SIGNATURE));
  store<u64>(RIP, 0xfff0);
  store<u64>(BLOCK_RIP, 0xfff0);
  setArithmetic(0);
  store<u32>(SYSTEM_FLAGS, 2);
  store<u64>(CR0, cr0);
  store<u64>(CR2, 0);
  store<u64>(CR3, 0);
  store<u64>(CR4, 0);
  store<u64>(EFER, 0);
  memory.fill(DR, 0, 64);
  store<u64>(DR + 48, 0xffff0ff0);
  store<u64>(DR + 56, 0x400);
  store<u8>(DEBUG_ACTIVE, 0);
  store<u64>(GDTR_BASE, 0);
  store<u32>(GDTR_LIMIT, 0xffff);
  store<u64>(IDTR_BASE, 0);
  store<u32>(IDTR_LIMIT, 0xffff);
  memory.fill(PDPTE, 0, 32);
  store<u8>(CPL, 0);
  for (let i: u32 = 0; i < 6; i++) setSegment(i, 0, 0, 0xffff, 0x93);
  setSegment(CS, 0xf000, 0xffff0000, 0xffff, 0x93);
  setSegment(LDTR, 0, 0, 0xffff, 0x82);
  setSegment(TR, 0, 0, 0xffff, 0x83);
  refreshAllLimits();
  store<u8>(SHADOW, 0);
  store<u8>(NMI_BLOCKED, 0);
  store<u8>(NO_TRAP, 0);
  store<u8>(REPEATING, 0);
  store<u32>(PENDING, EVENT_NONE);
  store<u32>(DELIVERING, EVENT_NONE);
  dropCurrent();
  updateMode();
}

/** RESET of one vCPU, which must be the current one. */
export function resetCurrent(): void {
  const vcpu = load<u32>(CURRENT);
  memory.fill(CPU, 0, CPU_SIZE);
  const v = vcpuAt(vcpu);
  resetApic(vcpu, false);
  store<u8>(v, 0, REQUEST_INIT);
  store<u8>(v, 0, REQUEST_NMI);
  store<u8>(v, 0, REQUEST_EXTINT);
  store<u8>(v, 0, MONITOR_STATE);
  store<u32>(v, 0, REQUEST_SIPI);
  store<u32>(v, vcpu == 0 ? RUNNING : WAIT_FOR_SIPI, ACTIVITY);
  store<u64>(MSR_PAT, 0x0007040600070406);
  store<u64>(XCR0, 1);
  store<u16>(FCW, 0x40);
  store<u16>(FSW, 0);
  // Tags 5555: all registers hold zero, none is empty.
  store<u8>(FTW, 0xff);
  store<u32>(MXCSR, 0x1f80);
  store<u64>(TSC_OFFSET, 0 - load<u64>(NOW));
  store<u64>(RANDOM, vcpu);
  common(0x60000010);
}

/** INIT: CD and NW stay; the BSP starts at the reset vector, the others wait for a start-up IPI. */
export function initCurrent(): void {
  const vcpu = load<u32>(CURRENT);
  const v = vcpuAt(vcpu);
  store<u8>(v, 0, REQUEST_INIT);
  if (load<u32>(TRACE)) trace(TRACE_INIT, vcpu, 0, 0, 0);
  // An NMI that waited is gone with the state it would have interrupted (as in Bochs, KVM and QEMU).
  store<u8>(v, 0, REQUEST_NMI);
  store<u8>(v, 0, REQUEST_EXTINT);
  store<u8>(v, 0, MONITOR_STATE);
  resetApic(vcpu, true);
  common((load<u64>(CR0) & 0x60000000) | 0x10);
  store<u32>(CHAIN_LENGTH, 0);
  store<u32>(v, load<u64>(v, APIC_BASE) & 0x100 ? RUNNING : WAIT_FOR_SIPI, ACTIVITY);
}

/** A start-up IPI in wait-for-SIPI: real mode at VV00:0000. */
export function startCurrent(): void {
  const vcpu = load<u32>(CURRENT);
  const v = vcpuAt(vcpu);
  const vector = load<u32>(v, REQUEST_SIPI) - 1;
  store<u32>(v, 0, REQUEST_SIPI);
  setSegment(CS, vector << 8, <u64>vector << 12, 0xffff, 0x93);
  store<u64>(RIP, 0);
  store<u32>(v, RUNNING, ACTIVITY);
  updateMode();
  if (load<u32>(TRACE)) trace(TRACE_SIPI, vcpu, vector, 0, 0);
}
