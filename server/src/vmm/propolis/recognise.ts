/** Whether a text is a config of propolis-standalone: TOML of many other programs has a [main] too, so its keys decide. */

import { looksBinary } from '../../text/binary';

const LOOKED_AT = 64 * 1024;
const LONGEST_LINE = 400;

const PRAGMA = /^#\s*bootpath:\s*propolis\b/;
const HEADER = /^\[\s*([\w."'-]+(?:\s*\.\s*[\w."'-]+)*)\s*\]\s*(?:#.*)?$/;
const BOOTROM = /^bootrom(?:_version)?\s*=/;
const MAIN_KEY = /^(?:cpus|memory|use_reservoir|exit_on_(?:halt|reboot)|boot_order|cpuid_profile)\s*=/;
const DRIVER = /^driver\s*=\s*["'](?:pci-virtio-(?:block|viona|socket|9p)|pci-nvme|qemu-pvpanic|tpm-crb)["']/;
const VENDOR = /^vendor\s*=\s*["'](?:amd|intel)["']/;
const BLOCK_TYPE = /^type\s*=\s*["'](?:file|crucible|crucible-mem|mem-async|cloudinit)["']/;

/** Looks at the first 64 KiB, never at the file's name. */
export function recognisePropolis(text: string): boolean {
  const head = text.slice(0, LOOKED_AT);
  if (looksBinary(head)) return false;
  const lines = head.split('\n').map((line) => line.slice(0, LONGEST_LINE).trim());
  if (lines.slice(0, 10).some((line) => PRAGMA.test(line))) return true;
  let table = '';
  let mainKeys = 0;
  for (const line of lines) {
    const header = HEADER.exec(line)?.[1];
    if (header !== undefined) {
      table = header;
      continue;
    }
    if (table === 'main') {
      if (BOOTROM.test(line)) return true;
      if (MAIN_KEY.test(line)) mainKeys++;
      if (mainKeys >= 2) return true;
    }
    if (mainKeys > 0 && table.startsWith('cpuid.') && VENDOR.test(line)) return true;
    if (table.startsWith('dev.') && DRIVER.test(line)) return true;
    if (table.startsWith('block_dev.') && BLOCK_TYPE.test(line)) return true;
  }
  return false;
}
