import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placesInLine } from '../../../client/src/reportPlaces';

/** The readings of each place, nearest first, as `path@line:column`. */
const readings = (line: string): string[][] =>
  placesInLine(line).map((place) =>
    place.map(
      ({ path, target }) => `${path}@${target.line}${target.column === null ? '' : `:${target.column}`}`,
    ),
  );

const CASES: (readonly [name: string, line: string, expected: string[][]])[] = [
  ['an indented place', '  vm.conf:3:9', [['vm.conf@3:9']]],
  ['an absolute path', 'at /etc/vm.conf:12:1', [['/etc/vm.conf@12:1', 'at /etc/vm.conf@12:1']]],
  ['a line without a column', '(see vm.conf:7)', [['vm.conf@7', 'see vm.conf@7']]],
  ['two places', 'a.conf:1:2, b.conf:3:4', [['a.conf@1:2'], ['b.conf@3:4', 'a.conf:1:2, b.conf@3:4']]],
  ['a drive letter', 'C:\\vm\\vm.conf:3:1', [['C:\\vm\\vm.conf@3:1']]],
  ['a blank in the path', 'my notes/vm.conf:3:1', [['notes/vm.conf@3:1', 'my notes/vm.conf@3:1']]],
  ['a selector and its offset', 'RIP: 0010:0x9a070', []],
  ['a time', '12:30:55 booted', []],
  ['an address range', '[0x0:0xa0000)', []],
  ['line 0 is no line', 'vm.conf:0:1', []],
];

for (const [name, line, expected] of CASES) {
  test(name, () => assert.deepEqual(readings(line), expected));
}

test('the span of a link is the whole place', () => {
  const line = '  see vm.conf:3:9.';
  const nearest = placesInLine(line)[0]![0]!;
  assert.equal(line.slice(nearest.start, nearest.end), 'vm.conf:3:9');
});

test('a line of 10 MB ends', () => {
  assert.deepEqual(placesInLine('a'.repeat(10_000_000)), []);
  assert.equal(placesInLine(`${'a'.repeat(10_000)}:1,`.repeat(1_000)).length, 0);
  assert.equal(placesInLine('a/b:1,'.repeat(100_000)).length, 100_000);
});
