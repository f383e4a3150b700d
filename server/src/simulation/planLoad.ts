/** Puts what a boot plan says into a core, in the place of what a VMM does at power-on. */
import { hex } from '../address/format';
import type { Core } from '../../emulator/face';
import type { PlannedVcpu } from '../boot-plan/plan';
import type { Board } from '../vmm/model';
import { RESET_LDTR, RESET_TR, type VcpuState } from '../x86/state';
import { fillMemory, fullMemory, loadVcpu } from './captureLoad';
import type { PlanContents } from './planContents';

/** After RESET; why it cannot be loaded, or null. */
export function loadPlan(
  { pieces, captured, registers }: PlanContents,
  core: Core,
  board: Pick<Board, 'writeMsr' | 'virtualWire'>,
): string | null {
  const most = Math.max(captured.length, ...registers.map(({ index }) => index + 1));
  if (most > core.vcpus) return `the plan has registers for ${most} vCPUs, the machine ${core.vcpus}`;
  for (const { address, bytes } of pieces) {
    if (!fillMemory(core, address, bytes)) return fullMemory(core);
  }
  captured.forEach((vcpu, index) => loadVcpu(vcpu, index, core));
  for (const vcpu of registers) {
    core.setState(vcpu.index, merged(core.state(vcpu.index), vcpu));
    core.setActivity(vcpu.index, vcpu.activity);
    for (const [index, value] of vcpu.msrs) {
      if (core.setMsr(vcpu.index, index, value)) continue;
      if (board.writeMsr?.(index, value, vcpu.index)) continue;
      return `the emulated CPU does not take ${hex(value)} in MSR ${hex(index)}, which the plan gives vCPU ${vcpu.index}`;
    }
  }
  if (board.virtualWire) core.enterVirtualWireMode();
  return null;
}

/** What the plan leaves out stays. */
function merged(state: VcpuState, vcpu: PlannedVcpu): VcpuState {
  return {
    ...state,
    ...vcpu.control,
    general: { ...state.general, ...vcpu.general },
    // KVM has a 32-bit TSS in TR after RESET, which may be entered in IA-32e mode too; the core's is one of 16 bits.
    segments: { ...state.segments, tr: RESET_TR, ldtr: RESET_LDTR, ...vcpu.segments },
    gdtr: vcpu.gdtr ?? state.gdtr,
    idtr: vcpu.idtr ?? state.idtr,
    dr: state.dr.map((value, index) => vcpu.debug[index] ?? value),
  };
}
