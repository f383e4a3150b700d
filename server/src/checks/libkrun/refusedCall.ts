/** A call that libkrun refuses since another one has been made for the context. */
import type { CCall } from '../../vmm/libkrun/c/scan';
import type { Found } from '../check';
import { krunCheck, type KrunRules } from './krunCheck';

interface Refusal {
  readonly after: RegExp;
  /** What undoes it in between. */
  readonly unless?: RegExp;
  readonly call: RegExp;
  readonly error: string;
  readonly why: string;
}

const NET = /^krun_add_net_(?:unixstream|unixgram|tap)$/;

const REFUSALS: readonly Refusal[] = [
  {
    after: /^krun_set_console_output$/,
    call: /^krun_set_console_output$/,
    error: '-EINVAL',
    why: 'a context has one file for its console',
  },
  {
    after: NET,
    call: /^krun_set_port_map$/,
    error: '-EINVAL',
    why: 'the map of ports is TSI’s, and a network device turns TSI off',
  },
  {
    after: NET,
    call: /^krun_set_(?:passt_fd|gvproxy_path)$/,
    error: '-EINVAL',
    why: 'the old calls for the network set up the first device, and there is one',
  },
  {
    after: /^krun_disable_implicit_vsock$/,
    unless: /^krun_add_vsock$/,
    call: /^krun_(?:set_port_map|add_vsock_port2?)$/,
    error: '-ENODEV',
    why: 'the context has no vsock device',
  },
  {
    after: /^krun_add_vsock$/,
    unless: /^krun_disable_implicit_vsock$/,
    call: /^krun_add_vsock$/,
    error: '-EEXIST',
    why: 'a context has one vsock device',
  },
  {
    after: /^krun_set_root$|^krun_set_root_disk_remount$/,
    call: /^krun_set_root_disk_remount$/,
    error: '-EINVAL',
    why: 'the root file system is configured already',
  },
];

export const refusedCall = krunCheck(
  { code: 'libkrun-refused-call', severity: 'error', title: 'A call that libkrun refuses after another one' },
  function* (rules) {
    for (const { calls } of rules.contexts) {
      yield* implicitVsock(rules, calls);
      for (const { after, unless, call: refused, error, why } of REFUSALS) {
        let earlier: CCall | null = null;
        for (const call of calls) {
          if (earlier && refused.test(call.name) && rules.precedes(earlier, call)) {
            yield {
              at: rules.at(call.nameSpan),
              message: `After ${earlier.name} in line ${rules.lineOf(earlier)} this returns ${error} and changes nothing: ${why}.`,
              related: [rules.related(earlier, 'The call before')],
            };
          }
          // One that may or may not be made leaves nothing certain.
          if (unless?.test(call.name)) earlier = null;
          else if (after.test(call.name) && (!earlier || !rules.precedes(earlier, call))) earlier = call;
        }
      }
    }
  },
);

/**
 * A context has an implicit vsock device from its creation on, and krun_add_vsock takes no second one (since it came, with 1.17.0).
 * Told only where everything that is done to the context before stands in the function that creates it.
 */
function* implicitVsock(rules: KrunRules, calls: readonly CCall[]): Generator<Found> {
  const first = calls.find(({ name }) => /^krun_(?:add|disable_implicit)_vsock$/.test(name));
  if (first?.name !== 'krun_add_vsock' || !rules.isSince('1.17.0')) return;
  const created = rules.creationOf(first);
  if (!created) return;
  yield {
    at: rules.at(first.nameSpan),
    message:
      'This returns -EEXIST and changes nothing: a context has an implicit vsock device until krun_disable_implicit_vsock takes it away.',
    related: [rules.related(created, 'The context begins here')],
  };
}
