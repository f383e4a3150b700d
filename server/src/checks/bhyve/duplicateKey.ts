/** A key that is set more than once: the last one counts (config.c, set_config_value_node frees the string before). */
import type { ConfigEntry } from '../../vmm/bhyve/config/flatConfig';
import { at, related, shown } from '../places';
import { bhyveCheck, removeLine } from './bhyveCheck';

export const duplicateKey = bhyveCheck(
  { code: 'bhyve-duplicate-key', severity: 'warning', title: 'A key that a later line sets again' },
  function* (config) {
    const last = new Map<string, ConfigEntry>();
    for (const entry of config.entries) last.set(entry.key, entry);
    if (last.size === config.entries.length) return;
    for (const entry of config.entries) {
      const winner = last.get(entry.key)!;
      if (winner === entry) continue;
      const same = winner.raw === entry.raw;
      const span = entry.implied ? entry.valueSpan : { start: entry.keySpan.start, end: entry.valueSpan.end };
      yield {
        ...(same ? { severity: 'hint' as const } : {}),
        at: at(config, span),
        message: `\`${shown(entry.key)}\` is set again later, to \`${shown(winner.raw)}\`: bhyve keeps the last and says nothing.`,
        related: [related(config, winner.implied ? winner.valueSpan : winner.keySpan, 'The one that counts')],
        fixes: removeLine(config, entry, 'Remove this line'),
        tags: ['unnecessary'],
      };
    }
  },
);
