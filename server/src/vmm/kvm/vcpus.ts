/**
 * vCPUs as KVM hands them to a VMM. KVM_CREATE_VCPU leaves the registers of RESET (arch/x86/kvm/x86.c, kvm_vcpu_reset): CR0 is
 * 0x60000010, so CD and NW are on until somebody clears them. vCPU 0 is runnable; the others are KVM_MP_STATE_UNINITIALIZED:
 * their registers may be set, but INIT resets them, and only then a SIPI starts them (lapic.c, kvm_apic_accept_events).
 *
 * The in-kernel local APIC does every ICR message itself, shorthands included (lapic.c, kvm_apic_send_ipi): a VMM sees none, and
 * an INIT with level de-assert changes nothing.
 */
import type { Core } from '../../../emulator/face';
import type { VcpuState } from '../../x86/state';

/** CR0 of KVM_GET_SREGS before anybody has set it: ET, NW and CD. */
export const KVM_RESET_CR0 = 0x60000010n;

/**
 * Gives all vCPUs the same registers, as VMMs do that boot a kernel directly, and lets vCPU 0 run.
 * `msrs` are those of KVM_SET_MSRS that the core keeps; those that the board keeps belong to `KvmMsrs`.
 */
export function startKvmVcpus(core: Core, state: VcpuState, msrs: ReadonlyMap<number, bigint>): void {
  for (let vcpu = 0; vcpu < core.vcpus; vcpu++) {
    core.setState(vcpu, state);
    for (const [index, value] of msrs) core.setMsr(vcpu, index, value);
    core.setActivity(vcpu, vcpu === 0 ? 'running' : 'wait-for-sipi');
  }
  // LINT0 passes the 8259 pair's interrupts from the start (KVM_X86_QUIRK_LINT0_REENABLED), as firmware leaves it.
  core.enterVirtualWireMode();
}
