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

test('the timeline keeps the first events and counts the rest', () => {
  const timeline = new Timeline();
  for (let i = 0; i < 20_005; i++) timeline.note('console', i, 0, `event ${i}`);
  timeline.note('verdict', 20_005, 0, 'the end');
  assert.deepEqual([timeline.events.length, timeline.dropped], [20_001, 5]);
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
