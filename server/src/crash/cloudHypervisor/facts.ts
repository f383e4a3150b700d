/** One event of a Cloud Hypervisor log with everything that its rules may look at. */
import type { CrashFacts } from '../crashFacts';
import { candidatesOf, type DumpContext } from '../dumpFormat';
import type { LogEvent } from './scanner';

export interface LogFacts extends CrashFacts {
  readonly event: LogEvent;
}

export function logFacts(event: LogEvent, context: DumpContext): LogFacts {
  return {
    text: context.text,
    block: null,
    mode: { mode: null, reason: 'the log of the VMM has no registers' },
    candidates: candidatesOf(context, ['cloud-hypervisor']),
    event,
  };
}
