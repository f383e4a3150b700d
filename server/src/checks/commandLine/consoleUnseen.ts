/** A command line of which nobody sees a console. */
import type { Check } from '../check';
import { CONSOLES } from './consoles';
import { isTemplate, parametersOf, valuesOf } from './parameters';

export const consoleUnseen: Check = {
  code: 'command-line-console',
  severity: 'warning',
  title: 'Console that this VMM shows to nobody',
  on: ['machine'],
  *run({ machines }) {
    for (const machine of machines) {
      const { commandLine, vmm } = machine;
      const verdict = CONSOLES.get(vmm ?? '');
      if (!verdict || commandLine?.origin.kind !== 'text' || isTemplate(commandLine.value)) continue;
      const consoles = [...new Set(valuesOf(parametersOf(commandLine.value), 'console'))];
      const reasons = consoles.map((name) => verdict(machine, name));
      // One that is seen is enough: distributions name several, and those that are not there do no harm.
      if (consoles.length === 0 || reasons.includes(null)) continue;
      const words = consoles.map((name, index) => `console=${name}: ${reasons[index]!}`);
      yield {
        at: commandLine.origin,
        evidence: 'proven',
        message: `Nobody sees what the guest prints. ${words.join('; ')}. The kernel's messages, a panic included, go nowhere.`,
      };
    }
  },
};
