/** The known issue `vmd-direct-launch`: a kernel of `boot` under a vmd that starts amd64 kernels in compatibility mode. */
import { hex } from '../../address/format';
import { PML3_PAGE, PML4_PAGE } from '../../vmm/vmd/bootState';
import { vmdDirectLaunch as issue } from '../../vmm/vmd/knownIssues/vmdDirectLaunch';
import type { Check } from '../check';

export const vmdDirectLaunch: Check = {
  code: issue.id,
  severity: 'information',
  title: issue.title,
  on: ['vmconf'],
  *run({ choice, machines }) {
    if (choice?.vmm !== issue.vmm || !issue.affected.includes(choice.version)) return;
    for (const { images } of machines) {
      const kernel = images.find(({ role }) => role === 'kernel');
      if (kernel?.origin.kind !== 'text') continue;
      yield {
        at: kernel.origin,
        evidence: 'proven',
        message: `vmd@${choice.version} starts an ELF64 kernel in compatibility mode: EFER.LMA is 1 and CS.L is 0. That is legal, but exceptions take 16-byte gates although the code is 32-bit; and the PML4 entry at ${hex(PML4_PAGE)}, ${hex(PML3_PAGE | 1n)}, has no RW, so a kernel that sets CR0.WP before it loads CR3 faults at its next write. vmd of x86_vm.c rev 1.17 and later starts it in 32-bit mode without paging.`,
      };
    }
  },
};
