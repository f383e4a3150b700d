/** A triple fault ended Firecracker with success, up to 1.14. */
import { MIB } from '../../../address/range';
import type { KnownIssue, ShownRun, SimulationCell } from '../../../machine/knownIssue';
import { simulatedGuest } from '../../../machine/simulatedGuest';
import { FIRECRACKER_VERSIONS, NEWEST_FIRECRACKER } from '../versions';

const CHANGE =
  'firecracker-microvm/firecracker pull request 5611, commit 841ce5258 (2026-01-07), first in tag v1.15.0';
const CHOSEN = {
  kind: 'vmm',
  vmm: 'firecracker',
  version: NEWEST_FIRECRACKER.id,
  citation: `chosen for the simulation of: ${CHANGE}`,
} as const;

const cell = (name: string, version: string, probe: string): SimulationCell => ({
  name,
  version,
  probe,
  parameters: {},
  evidence: 'reproduced',
});

export const firecrackerTripleFaultStatus: KnownIssue = {
  id: 'firecracker-triple-fault-status',
  vmm: 'firecracker',
  title: 'A triple fault of the guest ends Firecracker with exit status 0',
  link: 'https://github.com/bootpath/bootpath/blob/main/docs/known-issues/firecracker-triple-fault-status.md',
  affected: FIRECRACKER_VERSIONS.filter(({ facts }) => facts.shutdownStatus === 0).map(({ id }) => id),
  statements: [
    {
      text: 'KVM_EXIT_SHUTDOWN was logged at level info, "Received KVM_EXIT_SHUTDOWN signal", and the vCPU stopped with FcExitCode::Ok, which becomes the status of the process.',
      evidence: 'proven',
      citation:
        'tag v1.14.0: src/vmm/src/vstate/vcpu.rs, handle_kvm_exit and Vcpu::running; src/vmm/src/lib.rs, Vmm::process',
    },
    {
      text: 'KVM makes that exit of a triple fault. An orderly reboot does not come this way: it is command 0xFE to the i8042, and ends with status 0 too, so the status could not tell the two apart.',
      evidence: 'proven',
      citation: `${CHANGE}; src/vmm/src/devices/legacy/i8042.rs; Linux Documentation/virt/kvm/api.rst, KVM_EXIT_SHUTDOWN`,
    },
    {
      text: 'From 1.15 on it is an unexpected exit: "Unexpected exit reason on vcpu run: Shutdown" at level error, and status 1.',
      evidence: 'proven',
      citation: `${CHANGE}; tag v1.15.0: src/vmm/src/arch/x86_64/vcpu.rs, run_arch_emulation; lib.rs, FcExitCode::GenericError`,
    },
    {
      text: 'With the default command line, which has no serial console (8250.nr_uarts=0), nothing else tells of the fault.',
      evidence: 'inferred',
      citation: 'src/vmm/src/vmm_config/boot_source.rs, DEFAULT_KERNEL_CMDLINE',
    },
  ],
  hypotheses: [],
  fix: 'Firecracker 1.15 or later. Before, look for "Received KVM_EXIT_SHUTDOWN signal" in the log at level info; an orderly reboot does not write it.',
  simulation: {
    guest: simulatedGuest({ name: 'microVM', memory: 128n * MIB }, CHOSEN),
    cells: [
      cell('1.14, a triple fault', '1.14', 'kernel-triple-fault'),
      cell('1.15, a triple fault', '1.15', 'kernel-triple-fault'),
    ],
    reached: ({ outcome, exitStatus, faultChain }: ShownRun) =>
      outcome === 'triple-fault' && exitStatus === 0
        ? `A guest whose chain of faults is ${faultChain.map(({ vector }) => vector).join(', ')} ended, and so did Firecracker, with exit status ${exitStatus}.`
        : null,
    shows:
      'The probe raises #UD with the interrupt table that Firecracker leaves, one entry of zeros; the report has the fault chain that no log of Firecracker has.',
  },
};
