import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { distinctEvents, ticksText } from '../../../server/src/output/timeline';
import type { TimelineEvent } from '../../../server/src/simulation/report';

const write = (at: number, value: bigint): TimelineEvent => ({
  event: 'cr-write',
  at,
  vcpu: 0,
  register: 'cr0',
  value,
  previous: 0x11n,
  rip: 0x7c00n,
});
const says = (at: number, text: string): TimelineEvent => ({ event: 'console', at, vcpu: 0, text });

test('an event is printed when it first happens', () => {
  const { lines, repeated } = distinctEvents([write(10, 0x10n), write(20, 0x10n), write(30, 0x11n)]);
  assert.deepEqual(
    lines.map((line) => line.trim().split(' ')[0]),
    ['10', '30'],
  );
  assert.equal(repeated, true);
});

test('the local APIC timer is set again and again, each time to another deadline: the first is printed', () => {
  const sets = (at: number, index: number, value: bigint): TimelineEvent => ({
    event: 'msr-write',
    at,
    vcpu: 0,
    index,
    value,
    rip: 0x1000n,
  });
  const { lines, repeated } = distinctEvents([
    sets(1, 0x6e0, 100n),
    sets(2, 0x6e0, 200n),
    sets(3, 0x1b, 0x900n),
    sets(4, 0x1b, 0xd00n),
  ]);
  assert.deepEqual(
    lines.map((line) => line.trim().split(' ')[0]),
    ['1', '3', '4'],
  );
  assert.equal(repeated, true);
});

test('what the guest writes is always printed', () => {
  const { lines, repeated } = distinctEvents([says(1, 'retry'), says(2, 'retry')]);
  assert.equal(lines.length, 2);
  assert.equal(repeated, false);
});

test('a control-register write shows both values and the place', () => {
  assert.match(
    distinctEvents([write(1, 0x80000011n)]).lines[0]!,
    /vCPU 0 {2}CR0 ← 0x80000011 \(was 0x11\) at 0x7c00/,
  );
});

for (const [at, text] of [
  [0, '0'],
  [999, '999'],
  [1000, '1 000'],
  [7214345, '7 214 345'],
] as const) {
  test(`${at} ticks are written ${text}`, () => assert.equal(ticksText(at), text));
}
