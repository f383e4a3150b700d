/** Names of taps: their length (devices/virtio/net/tap.rs, build_terminated_if_name) and who has them. */
import { bytesOf, textOf, type TextNode } from '../jsonRules';
import { firecrackerCheck } from './firecrackerCheck';

/** IFACE_NAME_MAX_LEN without the terminating zero. */
const LONGEST_NAME = 15;

export const tapName = firecrackerCheck(
  { code: 'firecracker-tap-name', severity: 'error', title: 'A tap whose name is too long' },
  function* (rules) {
    for (const device of rules.devices('network-interfaces')) {
      const tap = textOf(device, 'host_dev_name');
      if (!tap || bytesOf(tap.value) <= LONGEST_NAME) continue;
      yield {
        at: rules.at(tap),
        message: `The name has ${bytesOf(tap.value)} bytes, and Linux takes ${LONGEST_NAME} (IFNAMSIZ): Firecracker refuses the interface (InvalidIfname).`,
      };
    }
  },
);

export const tapShared = firecrackerCheck(
  { code: 'firecracker-tap-shared', severity: 'error', title: 'A tap of two interfaces' },
  function* (rules) {
    const known = new Map<string, { readonly tap: TextNode; readonly id: string }>();
    const taps = new Map<string, string>();
    for (const device of rules.devices('network-interfaces')) {
      const [tap, id] = [textOf(device, 'host_dev_name'), textOf(device, 'iface_id')];
      // A pattern of numbers gives each its own.
      if (!tap || !id || tap.value.includes('%')) continue;
      const first = known.get(tap.value);
      if (first && first.id !== id.value) {
        yield {
          at: rules.at(tap),
          message: `\`${tap.value}\` is the tap of another interface of this microVM: TUNSETIFF gives it once, and opening it again fails (EBUSY).`,
          related: [rules.related(first.tap, 'The same tap')],
        };
        continue;
      }
      // An interface of the same name takes the place of the first, whose tap is closed then.
      known.delete(taps.get(id.value) ?? '');
      known.set(tap.value, { tap, id: id.value });
      taps.set(id.value, tap.value);
    }
  },
);
