/** A driver that propolis-standalone does not know. */
import { closest } from '../../text/closest';
import { isTemplate } from '../../text/shape/checkShape';
import { DRIVERS } from '../../vmm/propolis/shape';
import { propolisCheck, textOf } from './propolisCheck';

/** Of forks, which have more of their own besides. */
const OF_FORKS = new Set(['tpm-crb']);

export const driver = propolisCheck(
  { code: 'propolis-driver', severity: 'error', title: 'A driver that Propolis does not know' },
  function* (rules) {
    const known = Object.keys(DRIVERS);
    for (const { name, table } of rules.devices) {
      const text = textOf(table, 'driver');
      if (!text || Object.hasOwn(DRIVERS, text.value) || OF_FORKS.has(text.value) || isTemplate(text.value))
        continue;
      const near = closest(text.value, known);
      yield {
        at: rules.at(text),
        message: `No driver is called \`${text.value.slice(0, 60)}\`: propolis-standalone ends with "Unrecognized driver" for device \`${name.slice(0, 60)}\`. It has ${known.join(', ')}.`,
        ...(near ? { fixes: [rules.replace(`Change to ${near}`, text, `"${near}"`)] } : {}),
      };
    }
  },
);
