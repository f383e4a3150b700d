/** Whether the CPU would enter the guest at all: the VM-entry checks on the initial state of every vCPU that runs. */
import type { Core, CpuProfile } from '../../emulator/face';
import { addressWidths, vendorOf } from '../x86/cpuid/answers';
import { checkEntry, type EntryCpu, type GuestState } from '../x86/entryChecks/entryChecks';
import { pagingMode } from '../x86/controlRegisters';
import type { VcpuState } from '../x86/state';

const PDPT_BYTES = 32;

/** One sentence that names each violated check with its numbers and source, or null where every running vCPU may enter. */
export function refusedEntry(core: Core, profile: CpuProfile): string | null {
  const cpu = entryCpu(profile);
  const problems: string[] = [];
  for (let vcpu = 0; vcpu < core.vcpus; vcpu++) {
    if (core.activity(vcpu) !== 'running') continue;
    const { violations } = checkEntry(guestState(core, core.state(vcpu)), cpu);
    for (const { check, problem } of violations)
      problems.push(
        `${core.vcpus > 1 ? `vCPU ${vcpu}: ` : ''}${problem} (check ${check.id}: ${check.source})`,
      );
  }
  return problems.length === 0 ? null : `The CPU refuses to enter the guest: ${problems.join('; ')}.`;
}

/** A modern host: “unrestricted guest” is on, and the bits that VMX fixes are hidden from the guest by the VMM. */
function entryCpu(profile: CpuProfile): EntryCpu {
  const { physical, linear } = addressWidths(profile);
  return {
    vendor: vendorOf(profile),
    physicalWidth: physical,
    linearWidth: linear,
    unrestrictedGuest: true,
    fixedBitsVisible: false,
  };
}

/** The state with its PDPTEs, which a VMM reads from the table that CR3 names. */
function guestState(core: Core, state: VcpuState): GuestState {
  if (pagingMode(state.cr0, state.cr4, state.efer) !== 'pae') return state;
  const table = core.read(state.cr3 & 0xffffffe0n, PDPT_BYTES);
  if (!table) return state;
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  return { ...state, pdptes: [0, 8, 16, 24].map((at) => view.getBigUint64(at, true)) };
}
