/** Keys that bhyve never looks for: it takes any key without a word, so that a misspelt one is lost. */
import type { BhyveConfig, PciNode } from '../../vmm/bhyve/config/config';
import type { ConfigEntry } from '../../vmm/bhyve/config/flatConfig';
import { deviceRow } from '../../vmm/bhyve/keys/devices';
import { lookUp, type KeyMatch } from '../../vmm/bhyve/keys/lookup';
import type { Found } from '../check';
import { at, related, shown } from '../places';
import { bhyveCheck, list, replaceKey } from './bhyveCheck';

type Unknown = Extract<KeyMatch, { kind: 'unknown' }>;

export const unknownKey = bhyveCheck(
  { code: 'bhyve-unknown-key', severity: 'warning', title: 'A key that bhyve does not read' },
  function* (config) {
    for (const { entry, match } of matches(config)) {
      if (match.kind === 'node') yield nodeFound(config, entry, match.better);
      else if (match.kind === 'unknown') yield found(config, entry, match);
    }
  },
);

/** For so many unknown keys a proposal is looked for: nobody reads more findings. */
const MOST_PROPOSALS = 500;

/** Keys that bhyve does not read, or not as a value; variables that others refer to are left out. */
export function* matches(config: BhyveConfig): Generator<{ entry: ConfigEntry; match: KeyMatch }> {
  let unknown = 0;
  const devices = new Map(config.devices.map((node) => [node.path, node]));
  const deviceAt = (place: string) => deviceName(devices.get(place));
  let macros: Set<string> | undefined;
  for (const [key, { entry }] of config.values) {
    const match = lookUp(key.trim(), config.version, deviceAt, unknown < MOST_PROPOSALS);
    if (match.kind === 'custom' || match.kind === 'known') continue;
    if (match.kind === 'unknown') unknown++;
    if (match.kind === 'unknown' && (macros ??= referencesOf(config)).has(key)) continue;
    yield { entry, match };
  }
}

function deviceName(node: PciNode | undefined): string | null {
  return node?.device && !node.device.open ? node.device.value.trim() : null;
}

/** Keys that `%(key)` names anywhere. */
function referencesOf({ values }: BhyveConfig): Set<string> {
  const keys = new Set<string>();
  for (const { entry } of values.values()) {
    if (!entry.raw.includes('%(')) continue;
    for (const [, key] of entry.raw.matchAll(/%\(([^)]*)\)/g)) keys.add(key!);
  }
  return keys;
}

function found(config: BhyveConfig, entry: ConfigEntry, match: Unknown): Found {
  const key = shown(entry.key.trim());
  const { device, devices, nearest, siblings } = match;
  const where = device === null ? 'bhyve' : `the device \`${device}\``;
  const parts = [
    `\`${key}\` is no key of ${where}, and bhyve takes unknown keys without a word: it has no effect.`,
  ];
  if (device !== null && devices.length > 0) {
    const names = devices.map((name) => `\`${name}\``);
    parts.push(`It is a key of ${list(names)}.`);
  }
  if (nearest !== null) parts.push(`Did you mean \`${nearest}\`?`);
  else if (siblings.length > 0 && siblings.length <= 12) {
    parts.push(`What there is: ${list(siblings.map((each) => `\`${each}\``))}.`);
  } else if (device !== null && deviceRow(device)?.keys.length === 0) {
    parts.push(`A \`${device}\` has no keys but \`device\`.`);
  }
  const place = entry.key.split('.').slice(0, 4).join('.');
  const node = device === null ? undefined : config.devices.find(({ path }) => path === place);
  return {
    at: at(config, entry.implied ? entry.valueSpan : entry.keySpan),
    message: parts.join(' '),
    fixes: nearest === null || config.values.has(nearest) ? [] : replaceKey(config, entry, nearest),
    ...(node?.device
      ? { related: [related(config, node.device.entry.valueSpan, `The device is \`${device}\`.`)] }
      : {}),
    tags: ['unnecessary'],
  };
}

/** bhyve_init_config sets memory.size and x86.strictmsr before it reads any option. */
function nodeFound(config: BhyveConfig, entry: ConfigEntry, better: string | null): Found {
  const key = shown(entry.key);
  return {
    severity: 'error',
    at: at(config, entry.keySpan),
    message: `\`${key}\` cannot have a value, since bhyve has keys below it (\`${better ?? `${key}.strictmsr`}\`) before it reads this: it ends with "Attempting to add value … to existing node" and status 4.`,
    fixes: better === null || config.values.has(better) ? [] : replaceKey(config, entry, better, true),
  };
}
