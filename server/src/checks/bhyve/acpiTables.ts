/** Without `acpi_tables` a guest finds no ACPI on illumos and on FreeBSD before 15; then the default changed. */
import { at } from '../places';
import { bhyveCheck, insertLine } from './bhyveCheck';

export const acpiTables = bhyveCheck(
  { code: 'bhyve-acpi-tables', severity: 'information', title: 'No ACPI tables by this version’s default' },
  function* (config) {
    if (!config.complete || config.version.facts.acpiTables || config.values.has('acpi_tables')) return;
    const rom = config.values.get('bootrom') ?? config.values.get('lpc.bootrom');
    if (!rom) return;
    yield {
      at: at(config, config.place),
      message: `bhyve@${config.version.id} writes no ACPI tables unless \`acpi_tables\` is on${config.form === 'command' ? ' (-A)' : ''}: the firmware of this guest finds none. FreeBSD 15 writes them by default.`,
      fixes: insertLine(config, rom.entry, 'acpi_tables=true'),
    };
  },
);
