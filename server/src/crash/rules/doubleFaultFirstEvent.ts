/** R2: what EFLAGS.RF says about the event before a double fault. */
import { hex } from '../../address/format';
import { bit } from '../../x86/bitField';
import { linesOf, register, type CrashRule } from '../crashFacts';

/** The CPU sets RF in the frame of a fault (SDM vol. 3, 17.3.1.1), and the #DF frame has the flags of the first event. */
export const doubleFaultFirstEvent: CrashRule = {
  id: 'R2',
  code: 'double-fault-first-event',
  title: 'What kind of event came before the double fault',
  confidence: 'certain',
  check(facts) {
    const rflags = register(facts, 'rflags');
    if (facts.oops.kind !== 'double-fault' || rflags === undefined) return [];
    const rf = bit(rflags, 16);
    const interrupts = bit(rflags, 9) ? 'on' : 'off';
    const message = rf
      ? `EFLAGS ${hex(rflags)} has RF set, with interrupts ${interrupts}: the event before the double fault was itself a fault, raised at RIP. Which one is not recorded; the error code 0 is the double fault’s own and says nothing.`
      : `EFLAGS ${hex(rflags)} has RF clear: the event before the double fault was an interrupt, a trap or a software interrupt, and RIP is where the CPU was to go on. The error code 0 is the double fault’s own and says nothing.`;
    return [
      {
        message,
        severity: 'information',
        evidence: 'proven',
        cause: null,
        lines: linesOf(facts, 'rflags'),
      },
    ];
  },
};
