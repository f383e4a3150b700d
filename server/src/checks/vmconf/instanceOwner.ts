/** An instance whose owner vm_instance finds to differ from its parent's. */
import { optionsOf, type VmConfig } from '../../vmm/vmd/config';
import { at, related, vmconfCheck } from './vmconfCheck';
import { INSTANCES_READ } from './instanceInterfaces';

export const instanceOwner = vmconfCheck(
  {
    code: 'vmconf-instance-owner',
    severity: 'warning',
    title: 'An instance with another owner than its parent',
  },
  function* (config) {
    if (!INSTANCES_READ.has(config.version.id)) return;
    for (const vm of config.vms) {
      const { parent } = vm;
      // What a parent inherits itself is not followed.
      if (!parent || parent.block.parent || vm.duplicateOf) continue;
      const [own, theirs] = [ownerOf(vm), ownerOf(parent)];
      if (!own || !theirs || own.group !== null || theirs.group === null) continue;
      const option = optionsOf(vm.block, 'owner').at(-1);
      yield {
        at: at(option ?? vm.block.name),
        message: `The parent's owner has the group \`${theirs.group}\` and this instance none: vm_instance (vmd.c rev 1.169) does not hand the group down and says "group mismatch", so vmd refuses the file.`,
        related: [related(optionsOf(parent.block, 'owner').at(-1)!, 'The owner of the parent')],
        evidence: 'inferred',
      };
    }
  },
);

/** The group of the last `owner`, null for none; null as a whole where a macro hides it. */
function ownerOf(vm: VmConfig): { readonly group: string | null } | null {
  const option = optionsOf(vm.block, 'owner').at(-1);
  if (!option || option.owner.kind === 'number') return { group: null };
  if (option.owner.kind !== 'string') return null;
  const [, group] = option.owner.text.split(/:(.*)/s);
  return { group: group || null };
}
