/** Numbers that atoi reads: it stops at the first character that is no decimal digit, so 0x10 is 0. */
import { atoi } from '../../vmm/bhyve/config/numbers';
import { at, shown } from '../places';
import { bhyveCheck, replaceValue } from './bhyveCheck';
import { rowValues } from './rowValues';

export const decimal = bhyveCheck(
  { code: 'bhyve-decimal', severity: 'warning', title: 'A number of which bhyve reads the beginning' },
  function* (config) {
    for (const { key, value, row } of rowValues(config)) {
      // Blanks and carriage returns have a rule of their own, and change nothing here.
      const text = value.value.trim();
      if (row.kind !== 'decimal' || row.values || /^[+-]?\d+$/.test(text)) continue;
      const hexadecimal = /^0x[\da-f]{1,8}$/i.test(text) ? [String(Number(text))] : [];
      yield {
        at: at(config, value.entry.valueSpan),
        message: `\`${shown(key)}=${shown(value.value)}\` is read as ${atoi(text)}: bhyve takes decimal digits and stops at the first character that is none.`,
        fixes: hexadecimal.flatMap((number) => replaceValue(config, value.entry, number)),
      };
    }
  },
);
