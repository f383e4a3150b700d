import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inShard, parseShard } from '../../../server/src/cli/shard';

test('a shard is I/N, from 1', () => {
  assert.deepEqual(parseShard('2/8'), { index: 2, count: 8 });
  assert.deepEqual(parseShard('1/1'), { index: 1, count: 1 });
  for (const text of [
    '0/8',
    '9/8',
    '2',
    '2/',
    '/8',
    '2/0',
    '-1/8',
    '1.5/2',
    '02/8',
    ' 2/8',
    '2/8/1',
    '1/9999999',
  ])
    assert.equal(parseShard(text), null, text);
});

test('the shards of a list have each of its items once, in its order, and differ by one in size', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.integer({ min: 1, max: 20 }), (names, count) => {
      const items = names.map((name, index) => ({ name, index }));
      const shards = Array.from({ length: count }, (_, at) => inShard(items, { index: at + 1, count }));
      const all = shards.flat().sort((a, b) => a.index - b.index);
      assert.deepEqual(all, items);
      for (const shard of shards) {
        assert.deepEqual(
          shard,
          [...shard].sort((a, b) => a.index - b.index),
        );
        assert.ok(
          shard.length >= Math.floor(items.length / count) && shard.length <= Math.ceil(items.length / count),
        );
      }
    }),
  );
});
