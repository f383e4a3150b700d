/** R2: what EFLAGS.RF says about the event before a double fault. */
import { hex } from '../../../address/format';
import { bit } from '../../../x86/bitField';
import { linesOf, register, type CrashRule } from '../../crashFacts';
import type { OopsFacts } from '../facts';

/**
 * The CPU sets RF in the flags that it saves for a fault, and for an event between two iterations of a repeated string
 * instruction (SDM vol. 3, "Instruction-Breakpoint Exception Condition", on the RF flag). That the frame of a #DF has
 * the flags of the first event is how processors behave: the manual calls the saved state of a #DF undefined.
 */
export const doubleFaultFirstEvent: CrashRule<OopsFacts> = {
  id: 'R2',
  code: 'double-fault-first-event',
  title: 'What kind of event came before the double fault',
  confidence: 'likely',
  check(facts) {
    const rflags = register(facts, 'rflags');
    if (facts.oops.kind !== 'double-fault' || rflags === undefined) return [];
    const fault = bit(rflags, 16);
    const interruptible = bit(rflags, 9);
    const exception = interruptible
      ? ' (or an interrupt that came in the middle of a repeated string instruction)'
      : '';
    const message = fault
      ? `EFLAGS ${hex(rflags)} has RF set, with interrupts ${interruptible ? 'on' : 'off'}: the event before the double fault was most likely itself a fault, raised at RIP${exception}. Which one is not recorded; the error code 0 is the double fault’s own and says nothing.`
      : `EFLAGS ${hex(rflags)} has RF clear: the event before the double fault was most likely an interrupt, a trap or a breakpoint, and RIP is where the CPU was to go on. The error code 0 is the double fault’s own and says nothing.`;
    return [
      {
        message,
        severity: 'information',
        evidence: 'inferred',
        cause: null,
        lines: linesOf(facts, 'rflags'),
      },
    ];
  },
};
