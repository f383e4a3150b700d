/** Instances that vm_instance refuses because it compares MAC addresses the wrong way round. */
import { optionsOf, type OptionOf, type VmConfig } from '../../vmm/vmd/config';
import { at, related, vmconfCheck } from './vmconfCheck';

/** Where vm_instance was read with this comparison: vmd.c rev 1.169 and rev 1.173. */
const AFFECTED: ReadonlySet<string> = new Set(['7.8', '2026-01']);

export const instanceAddress = vmconfCheck(
  {
    code: 'vmconf-instance-lladdr',
    severity: 'warning',
    title: 'An instance whose MAC addresses this version refuses',
  },
  function* (config) {
    if (!AFFECTED.has(config.version.id)) return;
    for (const vm of config.vms) {
      const { parent } = vm;
      // What a parent inherits itself is not followed.
      if (!parent || parent.block.parent || vm.duplicateOf) continue;
      const inherited = interfaceCount(parent);
      if (inherited === 0) continue;
      const own = vm.interfaces.find(
        (option) => addressOf(option) && differs(addressOf(option)!, parent, inherited),
      );
      const refused = `vm_instance (vmd.c rev 1.169) refuses an address that differs from any of the parent's with "lladdr cannot be reused"`;
      if (own) {
        yield {
          at: at(own),
          message: `${refused}: an instance cannot have a \`lladdr\` of its own, and vmd refuses the file.`,
          related: [related(parent.block.name, 'Its parent')],
          evidence: 'inferred',
        };
      } else if (inherited > 1 && interfaceCount(vm) < inherited) {
        yield {
          at: at(vm.block.name),
          message: `${refused}, and this instance inherits one of ${inherited} interfaces with its address: vmd refuses the file unless the instance has ${inherited} interfaces of its own.`,
          related: [related(parent.block.name, 'Its parent')],
          evidence: 'inferred',
        };
      }
    }
  },
);

/** `interface` lines, or `interfaces` where that is more. */
function interfaceCount(vm: VmConfig): number {
  const [count] = optionsOf(vm.block, 'interfaces');
  return Math.max(vm.interfaces.length, count?.count.kind === 'number' ? Number(count.count.text) : 0);
}

function addressOf(option: OptionOf<'interface'>): string | null {
  const address = option.options.findLast(({ kind }) => kind === 'lladdr');
  return address?.kind === 'lladdr' && address.address?.kind === 'string'
    ? address.address.text.toLowerCase()
    : null;
}

/** Whether one of the parent's interfaces has another address; those without one get a random one. */
function differs(address: string, parent: VmConfig, count: number): boolean {
  return (
    parent.interfaces.length < count || parent.interfaces.some((option) => addressOf(option) !== address)
  );
}
