/**
 * A guest that triple-faults early restarts without a word. What the VMM does is shown; why the guest of a report faulted is in
 * no log.
 */
import type { KnownIssue, ShownRun, SimulationCell } from '../../../machine/knownIssue';
import { simulatedGuest } from '../../../machine/simulatedGuest';
import { MIB } from '../../../address/range';
import { decidedBy, NAME } from '../origin';
import { CLOUD_HYPERVISOR_VERSIONS, NEWEST_CLOUD_HYPERVISOR } from '../versions';

const CHOSEN = decidedBy(NEWEST_CLOUD_HYPERVISOR.id, 'chosen for the simulation');

const cell = (name: string, version: string): SimulationCell => ({
  name,
  version,
  probe: 'kernel-triple-fault',
  parameters: {},
  evidence: 'reproduced',
});

export const chvSilentTripleFault: KnownIssue = {
  id: 'chv-silent-triple-fault',
  vmm: NAME,
  title: 'A triple fault restarts the guest and leaves no message',
  link: 'https://github.com/bootpath/bootpath/blob/main/docs/known-issues/chv-silent-triple-fault.md',
  affected: CLOUD_HYPERVISOR_VERSIONS.filter(({ facts }) => !facts.logsTripleFault).map(({ id }) => id),
  statements: [
    {
      text: 'KVM_EXIT_SHUTDOWN is mapped to VmExit::Reset, which logs "VmExit::Reset" at level info and restarts the VM. The level is shown with -v.',
      evidence: 'proven',
      citation:
        'cloud-hypervisor/cloud-hypervisor tag v51.0: hypervisor/src/kvm/mod.rs, KvmVcpu::run; vmm/src/cpu.rs, start_vcpu; docs/logging.md',
    },
    {
      text: 'From v52.0 on the line "Guest likely triple-faulted" comes before it, at level error.',
      evidence: 'proven',
      citation: 'commit a67277b9c of 2026-05-07 (pull request 8149)',
    },
    {
      text: 'Guests are reported to restart so early in their firmware that only the log of the VMM shows it.',
      evidence: 'proven',
      citation: 'pull request 8149; issue 6817, where a maintainer takes the restarts for triple faults',
    },
    {
      text: 'The registers after KVM_EXIT_SHUTDOWN do not tell the cause; on AMD hosts KVM has reset the vCPU by then.',
      evidence: 'proven',
      citation: 'commit a67277b9c, its message; Linux arch/x86/kvm/svm/svm.c, shutdown_interception',
    },
    {
      text: 'Until a kernel or firmware loads an interrupt table, any exception is a triple fault: the VMM leaves a table of one descriptor of zeros at 0x520.',
      evidence: 'proven',
      citation: 'arch/src/x86_64/regs.rs, configure_segments_and_sregs',
    },
  ],
  hypotheses: [],
  fix: 'v52.0 or later names the triple fault in the log. Before, run with -v and look for "VmExit::Reset" without "i8042 reset signalled", "ACPI Reboot signalled" or "CMOS reset" before it; KVM’s trace point kvm:kvm_exit (perf, trace-cmd) has the exits that led there.',
  simulation: {
    guest: simulatedGuest({ name: 'vm', memory: 512n * MIB }, CHOSEN),
    cells: [cell('v48.0, as up to v51.2', 'v48.0'), cell('v52.0', 'v52.0')],
    reached: ({ outcome, reason }: ShownRun) =>
      outcome === 'triple-fault' && reason.includes('logs only')
        ? 'The guest took a triple fault and is restarted; nothing of it is in the log at its usual level.'
        : null,
    shows:
      'An exception before the guest has an interrupt table comes to a triple fault through #GP and #DF, and both versions restart the VM; they differ in what the log says. Which exception it was is shown by the fault chain here, and by no log there.',
  },
};
