/** One tap(4) device for two interfaces of VMs that start together. */
import type { OptionOf, VmConfig } from '../../vmm/vmd/config';
import { at, lineOf, related, vmconfCheck } from './vmconfCheck';

export const tapShared = vmconfCheck(
  { code: 'vmconf-tap-shared', severity: 'warning', title: 'A tap device that another interface has' },
  function* (config) {
    const taken = new Map<string, { readonly vm: VmConfig; readonly option: OptionOf<'interface'> }>();
    for (const vm of config.vms) {
      if (vm.duplicateOf || !vm.enabled) continue;
      for (const option of vm.interfaces) {
        const { name } = option;
        if (name?.kind !== 'string' || !/^tap\d+$/.test(name.text)) continue;
        const first = taken.get(name.text);
        if (!first) {
          taken.set(name.text, { vm, option });
          continue;
        }
        // An instance with its parent's device has a rule of its own.
        if (first.vm === vm.parent) continue;
        const where =
          first.vm === vm
            ? `Another interface of the VM, in line ${lineOf(first.option)},`
            : `VM \`${first.vm.name.slice(0, 60)}\`, in line ${lineOf(first.option)},`;
        yield {
          at: at(name),
          severity: first.vm === vm ? 'error' : 'warning',
          message: `${where} has ${name.text} too. A tap device can be opened once: ${first.vm === vm ? 'the VM does not start' : 'only the first of the two VMs starts'}.`,
          related: [related(first.option.name!, 'The same device')],
        };
      }
    }
  },
);
