/** An instance that inherits an interface with its name, which vm_instance then finds in use by the parent. */
import { optionsOf, type VmConfig } from '../../vmm/vmd/config';
import { at, related, vmconfCheck } from './vmconfCheck';

/** Where vm_instance was read: vmd.c rev 1.169 (2025-08-13) and rev 1.173 (2026-04-14). */
export const INSTANCES_READ: ReadonlySet<string> = new Set(['7.8', '2026-01']);

export const instanceInterfaces = vmconfCheck(
  {
    code: 'vmconf-instance-interface',
    severity: 'warning',
    title: 'An instance that inherits an interface by name',
  },
  function* (config) {
    if (!INSTANCES_READ.has(config.version.id)) return;
    for (const vm of config.vms) {
      const { parent } = vm;
      // What a parent inherits itself is not followed.
      if (!parent || parent.block.parent || vm.duplicateOf) continue;
      const inherited = parent.interfaces.slice(interfaceCount(vm)).find(({ name }) => name !== null);
      if (!inherited?.name) continue;
      yield {
        at: at(vm.block.name),
        message: `This instance inherits the interface \`${inherited.name.text}\` with its name: vm_instance (vmd.c rev 1.169) copies the name, then finds that the parent has it ("cannot be reused"), and vmd refuses the file. Leave the name out in the parent, or give the instance interfaces of its own.`,
        related: [related(inherited, 'The interface of the parent')],
        evidence: 'inferred',
      };
    }
  },
);

/** `interface` lines, or `interfaces` where that is more. */
export function interfaceCount(vm: VmConfig): number {
  const [count] = optionsOf(vm.block, 'interfaces');
  return Math.max(vm.interfaces.length, count?.count.kind === 'number' ? Number(count.count.text) : 0);
}
