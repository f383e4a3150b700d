/** VMs with nothing to boot from: vm_register refuses them. */
import { at, vmconfCheck } from './vmconfCheck';

const COUNTED: ReadonlySet<string> = new Set(['memory', 'interface', 'interfaces']);

export const noBootSource = vmconfCheck(
  { code: 'vmconf-no-boot-source', severity: 'error', title: 'A VM with nothing to boot from' },
  function* (config) {
    for (const vm of config.vms) {
      const { block } = vm;
      // A line that was not understood may be a disk.
      const halfTyped =
        !block.brace || block.options.length === 0 || block.options.some(({ kind }) => kind === 'unknown');
      if (halfTyped || vm.duplicateOf || vm.disks.length > 0 || vm.boot || vm.cdrom) continue;
      const inherited = block.parent ? ' (disks are not inherited)' : '';
      // vmc_flags counts these options too, and being an instance: without any, vm_register stops before it looks.
      const counted = block.parent !== null || block.options.some(({ kind }) => COUNTED.has(kind));
      const words = counted ? 'no kernel or disk/cdrom specified' : 'invalid configuration, no devices';
      yield {
        at: at(block.name),
        message: `VM \`${vm.name}\` has no disk, cdrom or boot image${inherited}: vmd refuses the file with "${words}" (\`vmd -n\` does not notice).`,
      };
    }
  },
);
