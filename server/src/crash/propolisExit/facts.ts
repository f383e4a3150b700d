/** One unhandled exit of Propolis, with everything that its rules may look at. */
import type { CrashFacts } from '../crashFacts';
import { candidatesOf, type DumpContext } from '../dumpFormat';
import type { PropolisExit } from './scanner';

export interface ExitFacts extends CrashFacts {
  readonly exit: PropolisExit;
}

export function exitFacts(exit: PropolisExit, context: DumpContext): ExitFacts {
  return {
    text: context.text,
    block: null,
    mode: { mode: null, reason: 'the line of an unhandled exit has no registers' },
    candidates: candidatesOf(context, ['propolis']),
    exit,
  };
}
