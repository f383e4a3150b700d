/** `partuuid` of a drive that is not the root device is never read (builder.rs, attach_block_devices). */
import { flagOf, textOf } from '../jsonRules';
import { firecrackerCheck } from './firecrackerCheck';

export const partuuid = firecrackerCheck(
  { code: 'firecracker-partuuid', severity: 'warning', title: 'A partuuid that nobody reads' },
  function* (rules) {
    for (const drive of rules.devices('drives')) {
      const uuid = textOf(drive, 'partuuid');
      const root = flagOf(drive, 'is_root_device');
      if (!uuid || root?.value !== false) continue;
      yield {
        at: rules.at(uuid),
        message:
          '`partuuid` only goes into `root=PARTUUID=` of the root device, and this drive is none: it has no effect.',
        related: [rules.related(root, '`is_root_device` is false here')],
      };
    }
  },
);
