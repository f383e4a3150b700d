/** Booleans: eight words, and bhyve ends at any other (config.c, _bool_value). */
import { booleanOf } from '../../vmm/bhyve/settings';
import { at, shown } from '../places';
import { bhyveCheck, replaceValue } from './bhyveCheck';
import { rowValues } from './rowValues';

const MEANT: ReadonlyMap<string, string> = new Map([
  ['y', 'true'],
  ['t', 'true'],
  ['enable', 'true'],
  ['enabled', 'true'],
  ['n', 'false'],
  ['f', 'false'],
  ['disable', 'false'],
  ['disabled', 'false'],
  ['none', 'false'],
]);

export const boolean = bhyveCheck(
  { code: 'bhyve-boolean', severity: 'error', title: 'A value that is no boolean' },
  function* (config) {
    for (const { key, value, row } of rowValues(config)) {
      if (row.kind !== 'boolean' || booleanOf(value.value) !== null) continue;
      const bare = value.value.trim().replace(/^["']|["']$/g, '');
      const word = booleanOf(bare) === null ? MEANT.get(bare.toLowerCase()) : bare;
      const words = word === undefined ? ['true', 'false'] : [word];
      const consulted = key === 'lpc.pc-testdev' ? ' where there is an lpc device' : '';
      yield {
        at: at(config, value.entry.valueSpan),
        message: `\`${shown(key)}=${shown(value.value)}\` is no boolean: bhyve takes true, on, yes and 1, false, off, no and 0, and ends with status 4 at anything else${consulted}.`,
        fixes: words.flatMap((each) => replaceValue(config, value.entry, each, words.length === 1)),
      };
    }
  },
);
