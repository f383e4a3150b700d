/** Whether a text is a config for `firecracker --config-file`. Imported by the client too: no parser here. */

import { looksBinary } from '../../text/binary';

/** As much as is looked at, in UTF-16 units. */
const LOOKED_AT = 64 * 1024;
const PRAGMA = /(?:#|\/\/|;)\s*bootpath:\s*firecracker\b/;
/**
 * `boot-source` is Firecracker's own word; the others only count together. A kernel's path alone is in requests to the API and in
 * the settings of other programs.
 */
const BOOT_SOURCE = /"boot-source"\s*:/;
const KERNEL = /"kernel_image_path"\s*:/;
const BESIDE_KERNEL = /"(?:drives|boot_source|machine[-_]config|network[-_]interfaces)"\s*:/;
const MACHINE = /"machine-config"\s*:/;
const SIZE = /"(?:vcpu_count|mem_size_mib)"\s*:/;

/** Looks at the first 64 KiB, never at the file's name. */
export function recogniseFirecracker(text: string): boolean {
  const head = text.slice(0, LOOKED_AT);
  if (looksBinary(head) || !/^\ufeff?\s*(?:\/[/*]|\{)/.test(head)) return false;
  const first = head.split('\n', 10).join('\n');
  if (PRAGMA.test(first)) return true;
  return (
    BOOT_SOURCE.test(head) ||
    (KERNEL.test(head) && BESIDE_KERNEL.test(head)) ||
    (MACHINE.test(head) && SIZE.test(head))
  );
}
