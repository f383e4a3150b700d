import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { planFiles } from '../../../server/src/cli/planFiles';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'bootpath-plans-'));
  for (const path of ['a', 'b/deep/er', 'node_modules/x', '.git', 'Z'])
    mkdirSync(join(folder, path), { recursive: true });
  for (const file of [
    'b.boot.toml',
    'a/z.boot.toml',
    'b/deep/er/y.boot.toml',
    'Z/é.boot.toml',
    'node_modules/x/no.boot.toml',
    '.git/no.boot.toml',
    'boot.toml',
    'c.boot.toml.orig',
  ])
    writeFileSync(join(folder, file), '');
  symlinkSync(folder, join(folder, 'a/loop'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const found = (...paths: readonly string[]) =>
  planFiles(paths.map((path) => join(folder, path))).map((file) => file.slice(folder.length + 1));
const ALL = ['Z/é.boot.toml', 'a/z.boot.toml', 'b.boot.toml', 'b/deep/er/y.boot.toml'];

test('the plans of a folder, at any depth, sorted, without those of others and of links', () => {
  assert.deepEqual(found('.'), ALL);
});

test('a plan that is named twice, or is in a named folder too, is one', () => {
  assert.deepEqual(found('.', 'a', 'b.boot.toml', './b.boot.toml'), ALL);
});

test('a file that is named may have any name', () => {
  assert.deepEqual(found('boot.toml', 'a'), ['a/z.boot.toml', 'boot.toml']);
});

test('what is not there is bad usage', () => {
  assert.throws(() => found('nowhere'), /nowhere: there is no such file/);
});
