/** More interfaces than a VM takes, by `interface` lines or by `interfaces`. */
import { optionsOf } from '../../vmm/vmd/config';
import { at, vmconfCheck } from './vmconfCheck';

export const tooManyInterfaces = vmconfCheck(
  {
    code: 'vmconf-too-many-interfaces',
    severity: 'error',
    title: 'More network interfaces than a VM can have',
  },
  function* (config) {
    const { maxInterfaces } = config.version.facts;
    for (const { block, interfaces } of config.vms) {
      for (const [index, option] of interfaces.slice(maxInterfaces).entries()) {
        yield {
          at: at(option),
          message: `This is interface ${maxInterfaces + index + 1} of the VM: vmd@${config.version.id} takes at most ${maxInterfaces} and refuses the file.`,
        };
      }
      for (const { count } of optionsOf(block, 'interfaces')) {
        if (count.kind !== 'number' || (/^\d{1,9}$/.test(count.text) && Number(count.text) <= maxInterfaces))
          continue;
        yield {
          at: at(count),
          message: `\`interfaces\` takes 0 to ${maxInterfaces}, not ${count.text}: vmd refuses the file.`,
        };
      }
    }
  },
);
