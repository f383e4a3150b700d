/** One reset that a guest asked for, with everything that its rules may look at. */
import type { CrashFacts } from '../crashFacts';
import { candidatesOf, type DumpContext } from '../dumpFormat';
import type { ResetRequest } from './scanner';
import { readSurroundings, type Surroundings } from './surroundings';

export interface ResetFacts extends CrashFacts {
  readonly request: ResetRequest;
  readonly around: Surroundings;
  /** The text also has a Linux panic or oops: then the reason may be recorded after all. */
  readonly withGuestCrash: boolean;
}

export function resetFacts(request: ResetRequest, context: DumpContext): ResetFacts {
  const around = readSurroundings(context.text);
  return {
    text: context.text,
    block: null,
    mode: { mode: null, reason: 'a log of port writes has no registers' },
    candidates: candidatesOf(context, around.vmm ? [around.vmm.value] : null),
    request,
    around,
    withGuestCrash: context.formats.has('linux-oops'),
  };
}
