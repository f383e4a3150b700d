/** `config.dump` ends bhyve before it makes a VM. */
import { booleanOf } from '../../vmm/bhyve/settings';
import { at } from '../places';
import { bhyveCheck, removeLine } from './bhyveCheck';

export const configDump = bhyveCheck(
  {
    code: 'bhyve-config-dump',
    severity: 'warning',
    title: 'bhyve prints its configuration and starts no VM',
  },
  function* (config) {
    const given = config.values.get('config.dump');
    if (!given || booleanOf(given.value) !== true) return;
    yield {
      at: at(config, given.entry.implied ? given.entry.valueSpan : given.entry.keySpan),
      message:
        'With `config.dump` bhyve writes all variables to standard output and ends with status 1: it starts no VM.',
      fixes: removeLine(config, given.entry, 'Remove this line'),
    };
  },
);
