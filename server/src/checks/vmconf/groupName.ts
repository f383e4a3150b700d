/** Interface groups: at most 15 bytes, no digit at the end. */
import type { Text } from '../../vmm/vmd/syntax';
import { at, byteLength, vmconfCheck } from './vmconfCheck';
import type { Found } from '../check';

export const groupName = vmconfCheck(
  { code: 'vmconf-group-name', severity: 'error', title: 'An interface group name that vmd refuses' },
  function* (config) {
    for (const { block } of config.switches) {
      for (const option of block.options) if (option.kind === 'group') yield* problem(option.name);
    }
    for (const { interfaces } of config.vms) {
      for (const { options } of interfaces) {
        for (const option of options) if (option.kind === 'group') yield* problem(option.name);
      }
    }
  },
);

function* problem(name: Text): Generator<Found> {
  if (!name.known) return;
  const length = byteLength(name.text);
  if (length > 15)
    yield {
      at: at(name),
      message: `This group name has ${length} bytes: at most 15 are allowed, and vmd refuses the file.`,
    };
  else if (/\d$/.test(name.text)) {
    yield {
      at: at(name),
      message: `A group name may not end with a digit (ifconfig(8)): vmd refuses \`${name.text}\`.`,
    };
  }
}
