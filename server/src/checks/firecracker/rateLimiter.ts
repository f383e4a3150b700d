/** A token bucket of size or refill time 0 limits nothing (rate_limiter/mod.rs, TokenBucket::new gives None). */
import type { ObjectNode } from '../../text/shape/node';
import { objectOf } from '../jsonRules';
import { idleBuckets } from '../tokenBucket';
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
      for (const limiter of LIMITERS) yield* idleBuckets(rules, objectOf(device, limiter), 'Firecracker');
    }
  },
);
