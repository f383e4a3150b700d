/** One disk image for two VMs that start together, or twice in one VM. */
import type { OptionOf, VmConfig } from '../../vmm/vmd/config';
import { at, lineOf, related, vmconfCheck } from './vmconfCheck';

interface Use {
  readonly vm: VmConfig;
  readonly disk: OptionOf<'disk'>;
}

export const diskShared = vmconfCheck(
  {
    code: 'vmconf-disk-shared',
    severity: 'warning',
    title: 'A disk image that another disk of a running VM has',
  },
  function* (config) {
    const started = new Map<string, Use>();
    for (const vm of config.vms) {
      if (vm.duplicateOf) continue;
      const own = new Map<string, Use>();
      for (const disk of vm.disks) {
        if (!disk.path.known) continue;
        const { text } = disk.path;
        const twice = own.get(text);
        const other = vm.enabled ? started.get(text) : undefined;
        if (twice) {
          yield {
            at: at(disk.path),
            severity: 'error',
            message: `The VM has \`${text.slice(0, 80)}\` in line ${lineOf(twice.disk)} already: vmd opens images with an exclusive lock, so the second one fails and the VM does not start.`,
            related: [related(twice.disk.path, 'The same image')],
          };
          // An instance with its parent's disk has a rule of its own.
        } else if (other && other.vm !== vm.parent) {
          yield {
            at: at(disk.path),
            message: `VM \`${other.vm.name.slice(0, 60)}\` has this image in line ${lineOf(other.disk)} too, and both start with vmd: it opens images with an exclusive lock, so only the first of them starts.`,
            related: [related(other.disk.path, 'The same image')],
          };
        }
        own.set(text, twice ?? { vm, disk });
      }
      if (vm.enabled) for (const [path, use] of own) if (!started.has(path)) started.set(path, use);
    }
  },
);
