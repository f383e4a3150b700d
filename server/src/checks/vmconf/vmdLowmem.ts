/** The known issue `vmd-lowmem`, where the version ends low RAM at 636 or 640 KiB. No config decides it. */
import { hex } from '../../address/format';
import { vmdLowmem as issue } from '../../vmm/vmd/knownIssues/vmdLowmem';
import { lowmemEnd } from '../../vmm/vmd/versions';
import { at, vmconfCheck } from './vmconfCheck';

export const vmdLowmem = vmconfCheck(
  { code: issue.id, severity: 'information', title: issue.title },
  function* (config, { choice }) {
    const { version } = config;
    // Read for another VMM, the file has no guest of vmd.
    if ((choice && choice.vmm !== issue.vmm) || !issue.affected.includes(version.id)) return;
    const end = lowmemEnd(version.facts);
    for (const vm of config.vms) {
      // An OpenBSD kernel that is booted directly does not reboot through Linux's blob.
      if (vm.duplicateOf || /(?:^|\/)bsd[^/]*$/.test(vm.boot?.path.text ?? '')) continue;
      if (vm.memory && !vm.memory.size.ok) continue;
      const own = vm.memory && vm.block.options.includes(vm.memory.option) ? vm.memory.option : vm.block.name;
      yield {
        at: at(own),
        message: `vmd@${version.id} ends low RAM at ${version.facts.lowmemKb} KiB (${hex(end)}): a Linux guest that reboots through the BIOS was reported to double-fault there, and ending it at 576 KiB is reported to help. The cause is not known; guests that do not reboot through the BIOS are not concerned.`,
        evidence: 'inferred',
      };
    }
  },
);
