/** Resources of the API that a config file has no key for: `serial` is `#[serde(skip)]`, the others are actions. */
import { memberOf } from '../../text/shape/node';
import { firecrackerCheck } from './firecrackerCheck';

const API_ONLY: Readonly<Record<string, string>> = {
  serial: 'The serial console’s file and limit are set by the API only (PUT /serial)',
  actions: 'A microVM of a config file starts by itself, and actions belong to the API (PUT /actions)',
  mmds: 'Metadata comes with the API (PUT /mmds) or with `--metadata FILE`; `mmds-config` is the key of its settings',
  snapshot: 'Snapshots are made and loaded by the API only',
  'snapshot/load': 'Snapshots are loaded by the API only',
  vm: 'The state of a microVM is set by the API only (PATCH /vm)',
};

export function isApiOnlyKey(path: readonly (string | number)[]): boolean {
  return path.length === 1 && typeof path[0] === 'string' && Object.hasOwn(API_ONLY, path[0]);
}

export const apiOnlyKey = firecrackerCheck(
  { code: 'firecracker-api-only-key', severity: 'warning', title: 'What only the API knows' },
  function* (rules) {
    for (const [key, text] of Object.entries(API_ONLY)) {
      const member = memberOf(rules.config, key);
      if (!member) continue;
      yield {
        at: rules.at(member.key),
        message: `${text}: Firecracker ignores \`${key}\` in a config file without a word.`,
      };
    }
  },
);
