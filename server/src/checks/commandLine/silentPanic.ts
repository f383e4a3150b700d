/** A command line under which an early panic restarts the guest and leaves no word, whatever the VMM does with the restart. */
import type { Check } from '../check';
import { silentPanic } from './earlyPanic';
import { isTemplate } from './parameters';

/** libkrun ends there with status 0, a known issue of its own; Firecracker has no virtio console, see `command-line-console`. */
const TOLD_ELSEWHERE: ReadonlySet<string> = new Set(['libkrun', 'firecracker']);

export const silentPanicCheck: Check = {
  code: 'command-line-silent-panic',
  severity: 'information',
  title: 'Command line that hides an early panic',
  on: ['machine'],
  *run({ machines }) {
    for (const { commandLine, vmm } of machines) {
      if (!vmm || TOLD_ELSEWHERE.has(vmm) || commandLine?.origin.kind !== 'text') continue;
      if (isTemplate(commandLine.value)) continue;
      const panic = silentPanic(commandLine.value);
      if (panic === null) continue;
      const when = panic < 0 ? 'at once' : `after ${panic} s`;
      yield {
        at: commandLine.origin,
        evidence: 'proven',
        message: `The command line has panic=${panic} with virtio consoles only and neither earlyprintk= nor earlycon=: a guest that panics before its virtio console is up restarts ${when} and says nothing. earlyprintk=serial or earlycon=uart8250,io,0x3f8 on a serial port that the VM has shows the reason.`,
      };
    }
  },
};
