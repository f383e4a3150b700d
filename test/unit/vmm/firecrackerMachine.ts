/** Microvms for the tests, as a config file gives them. */
import type { Machine } from '../../../server/src/machine/machine';
import { SourceText } from '../../../server/src/text/sourceText';
import { firecracker } from '../../../server/src/vmm/firecracker/language';

export const CONFIG_URI = 'file:///vm/guest.json';

export function firecrackerDocument(text: string, version?: string) {
  return firecracker.parse(new SourceText(CONFIG_URI, text), {
    files: new Map(),
    ...(version === undefined ? {} : { choice: { vmm: 'firecracker', version } }),
  });
}

/** The microVM of a config with that much memory; `sections` are further members of the object. */
export function firecrackerMachine(version: string, mib: bigint | null, vcpus = 1, sections = ''): Machine {
  const size = mib === null ? '' : `,\n  "machine-config": {"vcpu_count": ${vcpus}, "mem_size_mib": ${mib}}`;
  const text = `{\n  "boot-source": {"kernel_image_path": "vmlinux"}${size}${sections}\n}\n`;
  const document = firecrackerDocument(text, version);
  const machine = document.machines[0];
  if (!machine) throw new Error(`no machine: ${JSON.stringify(document.problems)}`);
  return machine;
}
