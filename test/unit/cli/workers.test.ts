import assert from 'node:assert/strict';
import { setTimeout as later } from 'node:timers/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { inOrder } from '../../../server/src/cli/workers';

test('results come in the order of the items, however long each takes and however many run at a time', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      async (delays, most) => {
        let running = 0;
        let together = 0;
        const told: number[] = [];
        await inOrder(
          delays.map((delay, index) => ({ delay, index })),
          most,
          async ({ delay, index }) => {
            together = Math.max(together, ++running);
            await later(delay);
            running--;
            return index;
          },
          (index) => told.push(index),
        );
        assert.deepEqual(
          told,
          delays.map((_, index) => index),
        );
        assert.ok(together <= most);
        if (delays.length >= most) assert.equal(together, most);
      },
    ),
    { numRuns: 30 },
  );
});

test('a result is told as soon as all before it have been', async () => {
  const told: string[] = [];
  await inOrder(
    ['slow', 'fast', 'last'],
    2,
    async (name) => {
      await later(name === 'slow' ? 30 : 1);
      told.push(`done ${name}`);
      return name;
    },
    (name) => told.push(name),
  );
  assert.deepEqual(told.slice(0, 2), ['done fast', 'done last']);
  assert.deepEqual(told.slice(2), ['done slow', 'slow', 'fast', 'last']);
});

test('the first error in the order of the items is the one that is told, and nothing new begins', async () => {
  const begun: number[] = [];
  const told: number[] = [];
  await assert.rejects(
    inOrder(
      [0, 1, 2, 3, 4, 5],
      2,
      async (index) => {
        begun.push(index);
        await later(index === 1 ? 20 : 1);
        if (index > 0) throw new Error(`item ${index}`);
        return index;
      },
      (index) => told.push(index),
    ),
    /item 1/,
  );
  assert.deepEqual(told, [0]);
  assert.ok(begun.length <= 3);
});
