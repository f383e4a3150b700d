/** A triple fault in the log of Firecracker or libkrun, and the status with which Firecracker ended. */
import type { CrashRule } from '../../crashFacts';
import { firecrackerTripleFaultStatus as issue } from '../../knownIssues';
import type { ShutdownFacts } from '../facts';

export const shutdownReported: CrashRule<ShutdownFacts> = {
  id: 'R23b',
  code: 'vmm-ended-by-triple-fault',
  title: 'The VMM ended with a triple fault of the guest',
  confidence: 'certain',
  check({ event }) {
    const often = event.count > 1 ? ` The text has it ${event.count} times.` : '';
    return [
      {
        message: `KVM ended a vCPU with KVM_EXIT_SHUTDOWN: an exception, then one while it was delivered, then one while the double fault was. The VMM ends.${often} Which exception it was is in no log: run the same image under the emulator, or trace kvm:kvm_exit on the host.`,
        severity: 'error',
        evidence: 'proven',
        cause: null,
        lines: [event.first],
      },
    ];
  },
};

export const endedWithSuccess: CrashRule<ShutdownFacts> = {
  id: issue.id,
  code: issue.id,
  title: issue.title,
  confidence: 'likely',
  check({ event }) {
    if (event.takenFor !== 'success' || event.vmm === 'libkrun') return [];
    const newest = issue.affected.at(-1)!;
    const whose = event.vmm === 'firecracker' ? '' : 'If this is Firecracker’s log, not libkrun’s: ';
    return [
      {
        message: `${whose}the line is of level info, which Firecracker has up to ${newest}, and the process ends with status 0, as after an orderly reboot. From 1.15 on it is an error, and the status is 1.`,
        severity: 'warning',
        evidence: 'proven',
        cause: 'vmm',
        confidence: event.vmm === 'firecracker' ? 'certain' : 'possible',
        lines: [event.first],
      },
    ];
  },
};
