/** Whether a text is a flat config of bhyve: by keys that nothing else has. */

const LOOKED_AT = 64 * 1024;
const LONGEST_LINE = 400;
const PRAGMA = /^#\s*bootpath:\s*bhyve\b/;
const KEY = new RegExp(
  [
    '^(?:pci\\.\\d+\\.\\d+\\.\\d+\\.[a-z]',
    'lpc\\.(?:com[1-4]\\.path|bootrom|bootvars|fwcfg|pc-testdev)=',
    'memory\\.(?:size|wired|guest_in_core)=',
    'x86\\.(?:strictio|strictmsr|verbosemsr|mptable|x2apic|vmexit_on_hlt|vmexit_on_pause)=',
    'acpi_tables(?:_in_memory)?=',
    'virtio_msix=|rtc\\.use_localtime=|destroy_on_poweroff=)',
  ].join('|'),
);

/** Looks at the first 64 KiB, never at the file's name. */
export function recogniseBhyveConfig(text: string): boolean {
  const head = text.slice(0, LOOKED_AT);
  const lines = head.split('\n').map((line) => line.slice(0, LONGEST_LINE));
  if (lines.some((line) => KEY.test(line))) return true;
  return lines.slice(0, 10).some((line) => PRAGMA.test(line)) && !startsInColumns(lines);
}

/** A memory map or a log, which may have the pragma too: its first line has blanks where a config has a key. */
function startsInColumns(lines: readonly string[]): boolean {
  const first = lines.find((line) => line.trim() !== '' && !line.startsWith('#'));
  return first !== undefined && /^[^=]*\S\s+\S/.test(first);
}
