/** What an instance may not have: permissions of its own, a disk or a tap of its parent. */
import { optionsOf } from '../../vmm/vmd/config';
import { at, related, vmconfCheck } from './vmconfCheck';

export const instanceOptions = vmconfCheck(
  { code: 'vmconf-instance-options', severity: 'error', title: 'An option that an instance may not have' },
  function* (config) {
    for (const { block, parent, disks, interfaces } of config.vms) {
      if (!parent) continue;
      for (const option of optionsOf(block, 'allow')) {
        yield {
          at: at(option),
          message: 'An instance cannot change the permissions of instances: vmd refuses the file.',
          related: [related(parent.block.name, 'Its parent')],
        };
      }
      for (const { path } of disks) {
        const same = parent.disks.find((disk) => disk.path.known && disk.path.text === path.text);
        if (!path.known || !same) continue;
        yield {
          at: at(path),
          message: `The parent \`${parent.name}\` has this disk: an instance cannot use it too, and vmd refuses the file.`,
          related: [related(same.path, 'The disk of the parent')],
        };
      }
      for (const { name } of interfaces) {
        const same = parent.interfaces.find((other) => other.name && other.name.text === name?.text);
        if (!name || !same?.name) continue;
        yield {
          at: at(name),
          message: `The parent \`${parent.name}\` has an interface \`${name.text}\`: an instance cannot name it too, and vmd refuses the file.`,
          related: [related(same.name, 'The interface of the parent')],
        };
      }
    }
  },
);
