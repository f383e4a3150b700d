/** Names of VMs: length, characters, and what they begin with. */
import { at, byteLength, vmconfCheck } from './vmconfCheck';

export const vmName = vmconfCheck(
  { code: 'vmconf-vm-name', severity: 'error', title: 'A VM name that vmd refuses' },
  function* (config) {
    const { maxName } = config.version.facts;
    for (const { block, name } of config.vms) {
      // A block without its brace is still being typed.
      if (!block.name.known || !block.brace) continue;
      const problem = nameProblem(name, maxName);
      if (problem) yield { at: at(block.name), message: problem };
    }
  },
);

function nameProblem(name: string, maxName: number): string | null {
  const length = byteLength(name);
  if (length >= maxName) return `This name has ${length} bytes: vmd takes at most ${maxName - 1}.`;
  if (name === '')
    return 'The name of a VM may not be empty: vmd refuses the file (`vmd -n` does not notice).';
  if (/^[-._]/.test(name)) {
    return `The name of a VM may not begin with \`${name[0]}\`: vmd refuses the file (\`vmd -n\` does not notice).`;
  }
  const stray = /[^A-Za-z0-9._-]/u.exec(name);
  return (
    stray &&
    `The name of a VM takes letters, digits, \`.\`, \`-\` and \`_\`, not \`${stray[0]}\`: vmd refuses the file (\`vmd -n\` does not notice).`
  );
}
