import { strict as assert } from 'node:assert';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CHECKS, runChecks } from '../../../server/src/checks/catalogue';
import { suppressionsIn } from '../../../server/src/text/suppression';
import { PARSE_PROBLEMS } from '../../../server/src/vmm/vmd/problems';
import { read } from './read';

const PAGES = join(process.env.BOOTPATH_ROOT!, 'docs/checks');

test('codes are unique and kebab-case', () => {
  const list = CHECKS.map(({ code }) => code);
  assert.equal(new Set(list).size, list.length);
  for (const code of list) assert.match(code, /^[a-z0-9]+(?:-[a-z0-9]+)*$/);
});

test('every page on vm.conf or vmd has a code', () => {
  const list = new Set(CHECKS.map(({ code }) => code));
  const pages = readdirSync(PAGES).map((name) => name.replace(/\.md$/, ''));
  assert.deepEqual(
    pages.filter((page) => /^(?:vmconf|vmd)-/.test(page) && !list.has(page)),
    [],
  );
});

test('the parser reports codes of the table only', () => {
  const list = new Set(CHECKS.map(({ code }) => code));
  for (const code of Object.keys(PARSE_PROBLEMS)) assert.ok(list.has(code), code);
});

test('settings change a severity or turn a code off', () => {
  const document = read('x = y\nvm 5 { disk "/a"\n}\n');
  const plain = runChecks(document).map(({ code, severity }) => [code, severity]);
  assert.deepEqual(plain, [
    ['vmconf-macro-unused', 'warning'],
    ['vmconf-syntax', 'error'],
  ]);
  const severities = { 'vmconf-macro-unused': 'off', 'vmconf-syntax': 'hint' } as const;
  assert.deepEqual(
    runChecks(document, { severities }).map(({ code, severity }) => [code, severity]),
    [['vmconf-syntax', 'hint']],
  );
});

test('comments silence a code, or every code, on their line or the next', () => {
  const silenced = suppressionsIn('# bootpath-disable-next-line a-b, c\nx\ny # bootpath-disable-line\n');
  assert.deepEqual(
    [
      [1, 'a-b'],
      [1, 'c'],
      [1, 'd'],
      [0, 'a-b'],
      [2, 'd'],
    ].map(([line, code]) => silenced.covers(line as number, code as string)),
    [true, true, false, false, true],
  );
});
