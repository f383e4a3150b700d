/** A token bucket of size or refill time 0 limits nothing: TokenBucket::new of both VMMs that have one gives None. */
import type { ObjectNode } from '../text/shape/node';
import type { Found } from './check';
import { integerOf, objectOf, type JsonRules } from './jsonRules';

/** The buckets of one limiter that turn it off by one of two numbers. `reader`: who makes no bucket. */
export function* idleBuckets(rules: JsonRules, limiter: ObjectNode | null, reader: string): Generator<Found> {
  for (const kind of ['bandwidth', 'ops']) {
    const bucket = objectOf(limiter, kind);
    const [size, refill] = [integerOf(bucket, 'size'), integerOf(bucket, 'refill_time')];
    // Both zero is how people write "no limit".
    if (!size || !refill || (size.value === 0n) === (refill.value === 0n)) continue;
    const [zero, name] = size.value === 0n ? [size, 'size'] : [refill, 'refill_time'];
    yield {
      at: rules.at(zero),
      message: `With a \`${name}\` of 0 there is no limit on ${kind === 'ops' ? 'operations' : 'bandwidth'}: ${reader} makes no bucket and says nothing.`,
    };
  }
}
