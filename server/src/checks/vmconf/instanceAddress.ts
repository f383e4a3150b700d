/** Instances that vm_instance refuses because it compares MAC addresses the wrong way round. */
import type { OptionOf, VmConfig } from '../../vmm/vmd/config';
import { at, related, vmconfCheck } from './vmconfCheck';
import { INSTANCES_READ, interfaceCount } from './instanceInterfaces';

export const instanceAddress = vmconfCheck(
  {
    code: 'vmconf-instance-lladdr',
    severity: 'warning',
    title: 'An instance with a MAC address that this version refuses',
  },
  function* (config) {
    if (!INSTANCES_READ.has(config.version.id)) return;
    for (const vm of config.vms) {
      const { parent } = vm;
      // What a parent inherits itself is not followed.
      if (!parent || parent.block.parent || vm.duplicateOf || interfaceCount(parent) === 0) continue;
      for (const [index, option] of vm.interfaces.entries()) {
        const address = addressOf(option);
        if (address === null || address === addressAt(parent, index)) continue;
        yield {
          at: at(option),
          message: `vm_instance (vmd.c rev 1.169) refuses an address that differs from the one of the parent's interface in the same place with "lladdr cannot be reused": an instance cannot have a \`lladdr\` of its own, and vmd refuses the file.`,
          related: [related(parent.block.name, 'Its parent')],
          evidence: 'inferred',
        };
      }
    }
  },
);

function addressOf(option: OptionOf<'interface'>): string | null {
  const address = option.options.findLast(({ kind }) => kind === 'lladdr');
  return address?.kind === 'lladdr' && address.address?.kind === 'string'
    ? address.address.text.toLowerCase()
    : null;
}

/** The address of the interface at that place, null where the config gives none: vmd draws one by lot then. */
function addressAt(parent: VmConfig, index: number): string | null {
  const option = parent.interfaces[index];
  return option ? addressOf(option) : null;
}
