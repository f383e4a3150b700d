/** A leading zero makes a number octal where strtol picks the base (0): counts, memory.size, IDs. */
import { leadingInteger } from '../../vmm/bhyve/config/numbers';
import { at, shown } from '../places';
import { bhyveCheck, replaceValue } from './bhyveCheck';
import { rowValues } from './rowValues';

const BASE_ZERO = new Set(['count', 'size', 'integer']);
const PADDED = /^0+([1-9][0-9]*)(.*)$/s;

export const octal = bhyveCheck(
  { code: 'bhyve-octal', severity: 'warning', title: 'A number that a leading zero makes octal' },
  function* (config) {
    for (const { key, value, row } of rowValues(config)) {
      const padded = BASE_ZERO.has(row.kind) ? PADDED.exec(value.value) : null;
      const number = padded && leadingInteger(value.value);
      if (!number || String(number.value) === padded[1]) continue;
      yield {
        at: at(config, value.entry.valueSpan),
        message: `\`${shown(key)}=${shown(value.value)}\` is octal because of its leading zero: bhyve reads ${number.value}${shown(number.rest)}, not ${padded[1]!}${shown(padded[2]!)}.`,
        fixes: replaceValue(config, value.entry, padded[1]! + padded[2]!),
      };
    }
  },
);
