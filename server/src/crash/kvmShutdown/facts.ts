/** A vCPU that ended with KVM_EXIT_SHUTDOWN, with everything that the rules may look at. */
import type { CrashFacts } from '../crashFacts';
import { candidatesOf, type DumpContext } from '../dumpFormat';
import type { ShutdownEvent } from './scanner';

export interface ShutdownFacts extends CrashFacts {
  readonly event: ShutdownEvent;
}

export function shutdownFacts(event: ShutdownEvent, context: DumpContext): ShutdownFacts {
  return {
    text: context.text,
    block: null,
    mode: { mode: null, reason: 'the log of the VMM has no registers' },
    candidates: candidatesOf(context, event.vmm ? [event.vmm] : ['firecracker', 'libkrun']),
    event,
  };
}
