/** No file imports itself through others. (That rooms import in one direction is an ESLint rule.) */
import { strict as assert } from 'node:assert';
import * as esbuild from 'esbuild';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'node:test';

const root = process.env.BOOTPATH_ROOT!;

/** The first cycle that a depth-first walk meets, as a path; null where there is none. */
function findCycle(imports: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | null => {
    if (done.has(file)) return null;
    const seen = path.indexOf(file);
    if (seen >= 0) return [...path.slice(seen), file];
    path.push(file);
    for (const next of imports.get(file) ?? []) {
      const cycle = visit(next);
      if (cycle) return cycle;
    }
    path.pop();
    done.add(file);
    return null;
  };
  for (const file of imports.keys()) {
    const cycle = visit(file);
    if (cycle) return cycle;
  }
  return null;
}

test('a cycle is found', () => {
  assert.deepEqual(
    findCycle(
      new Map([
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['b']],
      ]),
    ),
    ['b', 'c', 'b'],
  );
});

test('no file of ours imports itself through others', async () => {
  const { shared } = (await import(pathToFileURL(join(root, 'esbuild.mjs')).href)) as {
    shared: esbuild.BuildOptions;
  };
  const { metafile } = await esbuild.build({
    ...shared,
    absWorkingDir: root,
    entryPoints: [
      'client/src/extension.ts',
      'server/src/serverMain.ts',
      'server/src/worker.ts',
      'server/src/cli.ts',
    ],
    outdir: join(root, 'dist/test/unused'),
    platform: 'node',
    external: ['vscode'],
    write: false,
    metafile: true,
  });
  const own = Object.entries(metafile.inputs).filter(([file]) => /^(client|server)\//.test(file));
  assert.ok(own.length > 100);
  const imports = new Map(own.map(([file, input]) => [file, input.imports.map(({ path }) => path)]));
  assert.equal(findCycle(imports), null);
});
