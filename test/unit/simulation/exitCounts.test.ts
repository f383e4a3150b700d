import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { ExitCounts } from '../../../server/src/simulation/exitCounts';

const shown = (counts: ExitCounts) => counts.list().map(({ kind, at, count }) => [kind, at, count]);

test('each kind and place has its count, whatever order they come in', () => {
  const counts = new ExitCounts();
  for (const at of [0x61, 0x61, 0x64, 0x61]) counts.add('in', at, null);
  counts.add('out', 0x61, null);
  counts.add('hlt', null, null);
  counts.add('hlt', null, null);
  assert.deepEqual(shown(counts), [
    ['in', 0x61n, 3],
    ['hlt', null, 2],
    ['in', 0x64n, 1],
    ['out', 0x61n, 1],
  ]);
});

test('beyond 4096 places only the kind is counted', () => {
  const counts = new ExitCounts();
  for (let at = 0; at < 5000; at++) counts.add('mmio-read', at, null);
  assert.deepEqual([counts.list().length, shown(counts)[0]], [4097, ['mmio-read', null, 904]]);
});

test('restored counts go on, apart from those that they were saved from', () => {
  const first = new ExitCounts();
  first.add('in', 0x61, 'port 0x61');
  first.add('in', 0x61, 'port 0x61');
  const second = new ExitCounts();
  second.add('in', 0x61, null);
  second.add('in', 0x61, null);
  second.restore(structuredClone(first.save()));
  second.add('in', 0x61, 'port 0x61');
  assert.deepEqual([shown(first), shown(second)], [[['in', 0x61n, 2]], [['in', 0x61n, 3]]]);
});
