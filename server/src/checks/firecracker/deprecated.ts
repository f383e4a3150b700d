/** What Firecracker's CHANGELOG.md calls deprecated, to be removed in 2.0. */
import { textOf } from '../jsonRules';
import { firecrackerCheck, type FirecrackerRules } from './firecrackerCheck';
import type { NodeSpan } from '../../text/shape/node';

interface Deprecated {
  readonly since: string;
  readonly text: string;
  readonly at: (rules: FirecrackerRules) => NodeSpan | null | undefined;
}

const DEPRECATED: readonly Deprecated[] = [
  {
    since: '1.0',
    text: '`vsock_id` is deprecated since 1.0 and has no effect',
    at: (rules) => rules.present(rules.section('vsock'), 'vsock_id')?.key,
  },
  {
    since: '1.1',
    text: 'Version V1 of the metadata service is deprecated since 1.1; V2 asks for a session token',
    at: (rules) => {
      const version = textOf(rules.section('mmds-config'), 'version');
      return version?.value === 'V1' ? version : null;
    },
  },
  {
    since: '1.5',
    text: '`cpu_template` is deprecated since 1.5; `cpu-config` takes a custom template, and the built-in ones are published as such',
    at: (rules) => rules.present(rules.machine, 'cpu_template')?.key,
  },
];

export const deprecated = firecrackerCheck(
  { code: 'firecracker-deprecated', severity: 'hint', title: 'A deprecated key or value' },
  function* (rules) {
    for (const { since, text, at } of DEPRECATED) {
      const span = rules.has({ since }) ? at(rules) : null;
      if (span) yield { at: rules.at(span), message: `${text}.`, tags: ['deprecated'] };
    }
  },
);
