/** Machines for the tests, as vm.conf gives them. */
import type { Machine } from '../../../server/src/machine/machine';
import { SourceText } from '../../../server/src/text/sourceText';
import { vmconf } from '../../../server/src/vmm/vmd/language';

export const CONFIG_URI = 'file:///etc/vm.conf';

/** The one VM of a config with that much memory, under a version of vmd. The memory line is line 1, `more` line 3. */
export function vmdMachine(version: string, memory = '512M', more = ''): Machine {
  const text = `vm "guest" {\n\tmemory ${memory}\n\tdisk "/home/guest.img"\n${more && `\t${more}\n`}}\n`;
  const document = vmconf.parse(new SourceText(CONFIG_URI, text), {
    files: new Map(),
    choice: { vmm: 'vmd', version },
  });
  const machine = document.machines[0];
  if (!machine) throw new Error(`no machine: ${JSON.stringify(document.problems)}`);
  return machine;
}
