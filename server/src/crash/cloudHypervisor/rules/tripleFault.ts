/** R23: a triple fault, named by the log or told by the reset of a vCPU alone. */
import type { CrashRule } from '../../crashFacts';
import { chvSilentTripleFault as issue } from '../../knownIssues';
import type { LogFacts } from '../facts';

const often = (count: number): string =>
  count > 1 ? ` The text has it ${count} times: the guest starts over.` : '';
const NEXT =
  'Which exception it was is in no log: run the same image under the emulator, or trace kvm:kvm_exit on the host.';

export const namedTripleFault: CrashRule<LogFacts> = {
  id: 'R23',
  code: 'vmm-reported-triple-fault',
  title: 'The VMM reports a triple fault',
  confidence: 'certain',
  check({ event }) {
    if (event.kind !== 'triple-fault' || !event.named) return [];
    return [
      {
        message: `KVM ended the vCPU with KVM_EXIT_SHUTDOWN: an exception, then one while it was delivered, then one while the double fault was. Cloud Hypervisor restarts the guest.${often(event.count)} ${NEXT}`,
        severity: 'error',
        evidence: 'proven',
        cause: null,
        lines: [event.first],
      },
    ];
  },
};

export const silentTripleFault: CrashRule<LogFacts> = {
  id: issue.id,
  code: issue.id,
  title: issue.title,
  confidence: 'likely',
  check({ event }) {
    if (event.kind !== 'triple-fault' || event.named) return [];
    return [
      {
        message: `A vCPU left KVM_RUN with VmExit::Reset, and no line names the reason: before v52.0 that is all a triple fault leaves in the log. A reset that the guest asks for has its own line (i8042, ACPI, CMOS) and none of a vCPU; only a HLT exit would look the same, and KVM hands out none.${often(event.count)} ${NEXT}`,
        severity: 'error',
        evidence: 'inferred',
        cause: null,
        lines: [event.first],
      },
    ];
  },
};
