/** Two VMs of one name: vmd keeps the first and drops the other without a word. */
import { isVmdSince } from '../../vmm/vmd/versions';
import { at, lineOf, related, vmconfCheck } from './vmconfCheck';

export const vmDuplicate = vmconfCheck(
  { code: 'vmconf-vm-duplicate', severity: 'warning', title: 'A VM whose name is taken' },
  function* (config) {
    const takesBoot = isVmdSince(config.version.id, '7.8');
    for (const { block, name, duplicateOf } of config.vms) {
      if (!duplicateOf || !block.brace) continue;
      const first = duplicateOf.block.name;
      const dropped = takesBoot
        ? 'vmd keeps that one and drops this block without an error, except that its `boot`, or the lack of one, takes the place of the first'
        : 'vmd keeps that one and drops this block without an error';
      yield {
        at: at(block.name),
        severity: block.parent ? 'error' : 'warning',
        message: block.parent
          ? `\`${name}\` is declared in line ${lineOf(first)}: an instance may not take the name of another VM, and vmd refuses the file.`
          : `\`${name}\` is declared in line ${lineOf(first)}: ${dropped}.`,
        related: [related(first, 'The VM that vmd keeps')],
      };
    }
  },
);
