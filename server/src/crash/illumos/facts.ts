/** One illumos panic with everything that its rules may look at. */
import type { CrashFacts } from '../crashFacts';
import { candidatesOf, type DumpContext } from '../dumpFormat';
import type { IllumosFrame, IllumosPanic } from './panic';

export interface PanicFacts extends CrashFacts {
  readonly panic: IllumosPanic;
  /** The kernel that panicked is the host's: the stack is in its VMM module. */
  readonly host: boolean;
}

/** The VMMs whose guests run on illumos's vmm module. */
const ON_ILLUMOS = ['bhyve', 'propolis'];
/** Messages that only the vmm module has (usr/src/uts/intel/io/vmm). */
const VMM_MESSAGES = /^bad pending MMIO state|, file: \S{0,300}\/vmm\//;

export function panicFacts(panic: IllumosPanic, context: DumpContext): PanicFacts {
  const host = panic.frames.some(({ module }) => module === 'vmm') || VMM_MESSAGES.test(panic.message);
  return {
    text: context.text,
    block: null,
    mode: {
      mode: null,
      reason: host
        ? 'the panic is the host’s: the guest’s registers are not in it'
        : 'the text has no registers',
    },
    candidates: candidatesOf(context, ON_ILLUMOS),
    panic,
    host,
  };
}

/** The innermost frame of that function, or undefined. */
export function frameNamed({ panic }: PanicFacts, pattern: RegExp): IllumosFrame | undefined {
  return panic.frames.find(({ symbol }) => symbol !== null && pattern.test(symbol));
}
