/** Token buckets, which Firecracker and Cloud Hypervisor take in the same words: one of the two comes from the other. */
import { bounded, U64 } from '../text/shape/rustTypes';
import type { ObjectShape, OthersPolicy } from '../text/shape/shape';

/** Unknown keys of a bucket are ignored by both. */
function tokenBucket(source: string): ObjectShape {
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      size: {
        shape: U64,
        text: 'Bytes or operations that the bucket holds; 0 turns the limit off.',
        required: true,
        source,
      },
      one_time_burst: {
        shape: U64,
        text: 'What may be spent once, beside the bucket.',
        nullable: true,
        source,
      },
      refill_time: {
        shape: bounded(U64, { unit: 'ms' }),
        text: 'Milliseconds in which an empty bucket fills; 0 turns the limit off.',
        required: true,
        source,
      },
    },
  };
}

/** `source`: file and item of the bucket; `others`: what becomes of unknown keys beside the two buckets. */
export function rateLimiterShape(source: string, others: OthersPolicy): ObjectShape {
  const bucket = tokenBucket(source);
  return {
    kind: 'object',
    others,
    members: {
      bandwidth: { shape: bucket, text: 'Limits bytes.', nullable: true },
      ops: { shape: bucket, text: 'Limits operations.', nullable: true },
    },
  };
}
