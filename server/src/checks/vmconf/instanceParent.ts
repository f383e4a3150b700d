/** Instances of a VM that is not declared before them. */
import { closest } from '../../text/closest';
import { isVmdSince } from '../../vmm/vmd/versions';
import { at, related, replace, vmconfCheck } from './vmconfCheck';

export const instanceParent = vmconfCheck(
  {
    code: 'vmconf-instance-parent',
    severity: 'error',
    title: 'An instance of a VM that is not declared before it',
  },
  function* (config) {
    if (config.syntax.wanted.length > 0) return;
    const refuses = isVmdSince(config.version.id, '7.8');
    for (const { block, parent } of config.vms) {
      if (!block.parent?.known || parent) continue;
      const name = block.parent.text;
      const later = config.vms.find((vm) => vm.name === name && vm.block !== block);
      const near = closest(
        name,
        config.vms.filter((vm) => vm.block !== block).map((vm) => vm.name),
      );
      yield {
        at: at(block.parent),
        severity: refuses ? 'error' : 'warning',
        message: later
          ? `VM \`${name}\` is declared further down: vmd resolves instances as it reads, and ${refuses ? 'refuses the file' : 'inherits nothing'}.`
          : `No VM \`${name}\` is declared: ${refuses ? 'vmd refuses the file' : 'this version inherits nothing and says nothing'}.`,
        related: later ? [related(later.block.name, 'Declared here, too late')] : [],
        fixes: !later && near ? [replace(`Change to ${near}`, block.parent, `"${near}"`, true)] : [],
      };
    }
  },
);
