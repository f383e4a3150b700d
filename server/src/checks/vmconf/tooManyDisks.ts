/** More disks than a VM takes. */
import { at, vmconfCheck } from './vmconfCheck';

export const tooManyDisks = vmconfCheck(
  { code: 'vmconf-too-many-disks', severity: 'error', title: 'More disks than a VM can have' },
  function* (config) {
    const { maxDisks } = config.version.facts;
    for (const { disks } of config.vms) {
      for (const [index, disk] of disks.slice(maxDisks).entries()) {
        yield {
          at: at(disk),
          message: `This is disk ${maxDisks + index + 1} of the VM: vmd@${config.version.id} takes at most ${maxDisks} and refuses the file.`,
        };
      }
    }
  },
);
