/** VMs with nothing to boot from: vm_register refuses them. */
import { at, vmconfCheck } from './vmconfCheck';

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
      yield {
        at: at(block.name),
        message: `VM \`${vm.name}\` has no disk, cdrom or boot image${inherited}: vmd refuses the file with "no kernel or disk/cdrom specified" (\`vmd -n\` does not notice).`,
      };
    }
  },
);
