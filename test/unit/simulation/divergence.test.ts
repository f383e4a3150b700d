import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { divergenceOf } from '../../../server/src/simulation/divergence';
import type { TimelineEvent } from '../../../server/src/simulation/report';

const halt = (at: number, rip: bigint): TimelineEvent => ({ event: 'halt', at, vcpu: 0, rip });
const run = (timeline: TimelineEvent[], outcome: 'halted' | 'reset' = 'halted') => ({
  timeline,
  instructions: 100,
  outcome,
});

for (const [name, left, right, expected] of [
  ['the same run', run([halt(1, 5n)]), run([halt(1, 5n)]), null],
  [
    'another place',
    run([halt(1, 5n), halt(7, 6n)]),
    run([halt(1, 5n), halt(9, 7n)]),
    { instructions: 7, left: halt(7, 6n), right: halt(9, 7n) },
  ],
  [
    'one goes on',
    run([halt(1, 5n)]),
    run([halt(1, 5n), halt(40, 6n)]),
    { instructions: 40, left: null, right: halt(40, 6n) },
  ],
  ['only the outcome', run([]), run([], 'reset'), { instructions: 100, left: null, right: null }],
] as const) {
  test(`runs part: ${name}`, () => assert.deepEqual(divergenceOf(left, right), expected));
}
