/** Keys of releases before 1.0, which every later one refuses. */
import type { ConfigMember, ConfigNode } from '../../text/shape/node';
import { memberOf } from '../../text/shape/node';
import { itemsOf } from '../jsonRules';
import { quote } from '../places';
import { firecrackerCheck } from './firecrackerCheck';

interface FormerKey {
  readonly section: string;
  readonly key: string;
  /** The key that takes the same value now; none where that is not so. */
  readonly now?: string;
  /** As it follows the key's name. */
  readonly text: string;
}

const FORMER: readonly FormerKey[] = [
  { section: 'machine-config', key: 'ht_enabled', now: 'smt', text: 'is named `smt` since 1.0' },
  { section: 'balloon', key: 'amount_mb', now: 'amount_mib', text: 'is named `amount_mib` since 0.25' },
  {
    section: 'balloon',
    key: 'must_tell_host',
    text: 'is gone since 0.25: the guest always tells the host',
  },
  {
    section: 'network-interfaces',
    key: 'allow_mmds_requests',
    text: 'is gone since 1.0: `mmds-config.network_interfaces` lists the interfaces instead',
  },
  { section: 'logger', key: 'log_fifo', now: 'log_path', text: 'is named `log_path` since 0.22' },
  {
    section: 'logger',
    key: 'metrics_fifo',
    text: 'is gone since 0.22: `metrics.metrics_path` at the top level takes its place',
  },
  { section: 'logger', key: 'options', text: 'is gone since 0.21' },
];

/** The path of a key that this rule speaks of, so that the shape does not. */
export function isFormerKey(path: readonly (string | number)[]): boolean {
  const key = path.at(-1);
  return FORMER.some((row) => row.section === path[0] && row.key === key && path.length <= 3);
}

export const formerKey = firecrackerCheck(
  { code: 'firecracker-former-key', severity: 'error', title: 'A key of Firecracker before 1.0' },
  function* (rules) {
    for (const { section, key, now, text } of FORMER) {
      for (const { member, inside } of membersOf(rules.config, section, key)) {
        const fixed = now !== undefined && !memberOf(inside, now) ? now : null;
        yield {
          at: rules.at(member.key),
          message: `${quote(key)} ${text}. Firecracker ${rules.version.id} refuses the whole file: its structs deny unknown fields.`,
          fixes: fixed === null ? [] : [rules.replace(`Rename to ${fixed}`, member.key, `"${fixed}"`, true)],
        };
      }
    }
  },
);

function membersOf(
  config: ConfigNode,
  section: string,
  key: string,
): { readonly member: ConfigMember; readonly inside: ConfigNode }[] {
  const value = memberOf(config, section)?.value ?? null;
  const nodes = value?.kind === 'array' ? itemsOf(config, section) : value ? [value] : [];
  return nodes.flatMap((inside) => {
    const member = memberOf(inside, key);
    return member ? [{ member, inside }] : [];
  });
}
