/** How a rule on a config file of QEMU is made: a row of the table and a function on the groups of the file. */
import type { Severity } from '../../text/finding';
import { isQemuConfigDocument } from '../../vmm/pc/readconfig/document';
import type { QemuConfig } from '../../vmm/pc/readconfig/read';
import type { Check, Found } from '../check';
import { Places } from '../places';

export function qemuCheck(
  row: { readonly code: string; readonly severity: Severity; readonly title: string },
  run: (config: QemuConfig, places: Places) => Iterable<Found>,
): Check {
  return {
    ...row,
    on: ['qemu-config'],
    run: (document) =>
      isQemuConfigDocument(document) ? run(document.config, new Places(document.source)) : [],
  };
}
