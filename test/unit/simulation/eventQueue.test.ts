import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { EventQueue } from '../../../server/src/simulation/eventQueue';
import { Timeline } from '../../../server/src/simulation/timeline';

test('alarms ring in the order of time, then of name, and only when due', () => {
  let now = 0;
  const rung: string[] = [];
  const queue = new EventQueue(
    () => now,
    () => undefined,
  );
  for (const [name, at] of [
    ['c', 20],
    ['b', 10],
    ['a', 20],
    ['d', 30],
  ] as const) {
    queue.setAlarm(name, at, () => rung.push(name));
  }
  assert.equal(queue.next(), 10);
  now = 20;
  queue.ringDue();
  assert.deepEqual([rung, queue.next()], [['b', 'a', 'c'], 30]);
});

test('a ring may move another alarm that is due', () => {
  const rung: string[] = [];
  const queue = new EventQueue(
    () => 10,
    () => undefined,
  );
  queue.setAlarm('first', 1, () => queue.setAlarm('second', 99, () => rung.push('late')));
  queue.setAlarm('second', 2, () => rung.push('early'));
  queue.ringDue();
  assert.deepEqual([rung, queue.next()], [[], 99]);
});

test('the host is told of every new alarm', () => {
  const told: number[] = [];
  const queue = new EventQueue(
    () => 0,
    (at) => told.push(at),
  );
  queue.setAlarm('x', 5, () => undefined);
  queue.clearAlarm('x');
  assert.deepEqual([told, queue.next()], [[5], null]);
});

test('the timeline keeps the first and the last events, counts those between, and keeps every verdict', () => {
  const timeline = new Timeline();
  for (let i = 0; i < 60_000; i++) timeline.note(i === 30_000 ? 'verdict' : 'console', i, 0, `event ${i}`);
  const times = timeline.events.map(({ at }) => at);
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  );
  const gap = timeline.events.findIndex(({ event }) => event === 'omitted');
  const kept = timeline.events.filter((_, i) => i !== gap).map(({ at }) => at);
  assert.deepEqual([kept.length + timeline.dropped, kept[9_999], kept[10_000]], [60_000, 9_999, 30_000]);
  assert.deepEqual(
    [kept.at(-1), kept.at(-5_000), timeline.events[gap]!.at + 1],
    [59_999, 55_000, kept[10_001]],
  );
  assert.match(JSON.stringify(timeline.events[gap]), new RegExp(`${timeline.dropped} events in between`));
});

test('a timeline that lost its middle goes on from what was saved', () => {
  const whole = new Timeline();
  const restored = new Timeline();
  for (let i = 0; i < 70_000; i++) {
    whole.note('console', i, 0, `event ${i % 7 === 0 ? i : i % 3}`);
    if (i < 37_123) continue;
    if (i === 37_123) restored.restore(structuredClone(whole.save()));
    else restored.note('console', i, 0, `event ${i % 7 === 0 ? i : i % 3}`);
  }
  assert.deepEqual(restored.events, whole.events);
  assert.equal(restored.dropped, whole.dropped);
});

/** The timeline of events that are told apart by a letter, as `letter` or `repeated count`. */
function merged(letters: string): string[] {
  const timeline = new Timeline();
  [...letters].forEach((letter, at) => timeline.note('verdict', at, 0, letter));
  timeline.flush();
  return timeline.events.map((event) =>
    event.event === 'repeated' ? `x${event.count} at ${event.at}` : 'text' in event ? event.text : '',
  );
}

for (const [letters, expected] of [
  ['abc', ['a', 'b', 'c']],
  ['abab', ['a', 'b', 'a', 'b']],
  ['aaaa', ['a', 'x3 at 3']],
  ['aab', ['a', 'a', 'b']],
  ['ababab', ['a', 'b', 'x2 at 5']],
  ['abababac', ['a', 'b', 'x2 at 5', 'a', 'c']],
  ['zabcabcabcabcabz', ['z', 'a', 'b', 'c', 'x3 at 12', 'a', 'b', 'z']],
  ['abcabd', ['a', 'b', 'c', 'a', 'b', 'd']],
] as const) {
  test(`the timeline of ${letters} is ${expected.join(' ')}`, () =>
    assert.deepEqual(merged(letters), expected));
}

test('a round that is longer than any is written out', () => {
  const letters = Array.from({ length: 40 }, (_, i) => String.fromCharCode(65 + i)).join('');
  assert.equal(merged(letters.repeat(3)).length, 120);
});
