/** VMs with `boot` and neither disk nor cdrom, which these versions of vmd refuse when they read vm.conf. */
import { at, vmconfCheck } from './vmconfCheck';

/** Where both halves were read: parse.y leaves vmc_kernel at -1, and vm_register looks at nothing else. */
const AFFECTED: ReadonlySet<string> = new Set(['7.8', '2026-01']);

export const bootOnly = vmconfCheck(
  {
    code: 'vmconf-boot-only',
    severity: 'warning',
    title: 'A VM with a boot image and neither disk nor cdrom',
  },
  function* (config) {
    if (!AFFECTED.has(config.version.id)) return;
    for (const vm of config.vms) {
      if (!vm.boot || vm.disks.length > 0 || vm.cdrom || vm.duplicateOf) continue;
      yield {
        at: at(vm.boot),
        message: `\`boot\` alone does not count as something to boot from: parse.y rev 1.72 leaves the kernel's descriptor at -1, and vm_register (vmd.c rev 1.169) then says "no kernel or disk/cdrom specified". Add a disk or a cdrom.`,
        evidence: 'inferred',
      };
    }
  },
);
