/** A token bucket of size or refill time 0 limits nothing (rate_limiter/mod.rs, TokenBucket::new gives None). */
import type { ObjectNode } from '../../text/shape/node';
import { integerOf, objectOf } from '../jsonRules';
import { firecrackerCheck, type FirecrackerRules } from './firecrackerCheck';

const LIMITERS = ['rate_limiter', 'rx_rate_limiter', 'tx_rate_limiter'] as const;

function limitedIn(rules: FirecrackerRules): readonly ObjectNode[] {
  const entropy = rules.section('entropy');
  return [
    ...rules.devices('drives'),
    ...rules.devices('network-interfaces'),
    ...rules.devices('pmem'),
    ...(entropy ? [entropy] : []),
  ];
}

export const rateLimiterOff = firecrackerCheck(
  { code: 'firecracker-rate-limiter-off', severity: 'warning', title: 'A rate limiter that limits nothing' },
  function* (rules) {
    for (const device of limitedIn(rules)) {
      for (const limiter of LIMITERS) {
        for (const kind of ['bandwidth', 'ops']) {
          const bucket = objectOf(objectOf(device, limiter), kind);
          const [size, refill] = [integerOf(bucket, 'size'), integerOf(bucket, 'refill_time')];
          // Both zero is how people write "no limit".
          if (!size || !refill || (size.value === 0n) === (refill.value === 0n)) continue;
          const [zero, name] = size.value === 0n ? [size, 'size'] : [refill, 'refill_time'];
          yield {
            at: rules.at(zero),
            message: `With a \`${name}\` of 0 there is no limit on ${kind === 'ops' ? 'operations' : 'bandwidth'}: Firecracker makes no bucket and says nothing.`,
          };
        }
      }
    }
  },
);
