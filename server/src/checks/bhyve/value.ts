/** Values that bhyve refuses, and values that it passes over. */
import type { BhyveConfig } from '../../vmm/bhyve/config/config';
import type { Found } from '../check';
import { at, shown } from '../places';
import { bhyveCheck, replaceValue } from './bhyveCheck';
import { rowValues } from './rowValues';
import { VALUE_RULES } from './valueRules';

function* verdicts(config: BhyveConfig, refused: boolean): Generator<Found> {
  for (const { key, value, row, device } of rowValues(config)) {
    const rule = VALUE_RULES.get(device === null ? row.key : `${device} ${row.key}`);
    const verdict = rule?.(value.value, config);
    if (verdict?.refused !== refused) continue;
    const trimmed = value.value.trim();
    const better = trimmed !== value.value && !rule?.(trimmed, config) ? [trimmed] : [];
    yield {
      at: at(config, value.entry.valueSpan),
      message: `\`${shown(key)}=${shown(value.value)}\`: ${verdict.text}.`,
      fixes: better.flatMap((each) => replaceValue(config, value.entry, each)),
    };
  }
}

export const value = bhyveCheck(
  { code: 'bhyve-value', severity: 'error', title: 'A value that bhyve refuses' },
  (config) => verdicts(config, true),
);

export const valueIgnored = bhyveCheck(
  { code: 'bhyve-value-ignored', severity: 'warning', title: 'A value that bhyve passes over' },
  (config) => verdicts(config, false),
);
