/** [cloudinit] and the block devices of that type, which need each other. */
import { memberOf } from '../../text/shape/node';
import { usedBlockDevices } from './unusedBlockDevices';
import { propolisCheck, textOf } from './propolisCheck';

export const cloudinit = propolisCheck(
  { code: 'propolis-cloudinit', severity: 'error', title: 'A cloud-init volume that cannot be made' },
  function* (rules) {
    const section = memberOf(rules.document.config, 'cloudinit');
    const volumes = rules.blockDevices.filter(({ table }) => textOf(table, 'type')?.value === 'cloudinit');
    const used = usedBlockDevices(rules.document.config);
    const read = volumes.filter(({ name }) => used.has(name));
    if (!section) {
      for (const { key } of read) {
        yield {
          at: rules.at(key),
          message:
            'A block device of type `cloudinit` is made of the table `[cloudinit]`, which is not there: propolis-standalone panics.',
        };
      }
      return;
    }
    if (read.length === 0) {
      yield {
        at: rules.at(section.key),
        severity: 'warning',
        message: `No disk has a block device of type \`cloudinit\`: nobody reads this table${volumes.length > 0 ? ' until a device names that block device' : ''}.`,
        ...(volumes.length > 0 ? { related: [rules.related(volumes[0]!.key, 'The block device')] } : {}),
      };
      return;
    }
    for (const name of ['user-data', 'meta-data', 'network-config']) {
      const text = memberOf(section.value, name);
      const path = memberOf(section.value, `${name}-path`);
      if (!text || !path) continue;
      yield {
        at: rules.at(path.key),
        message: `\`${name}\` is given as text too: propolis-standalone panics with "cannot provide path and string".`,
        related: [rules.related(text.key, 'The text')],
      };
    }
  },
);
