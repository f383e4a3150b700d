// `npm test`: builds, then runs every suite: unit, core, LSP over stdio, and the one inside a real VS Code
// extension host. The last line is the plain sum. Where no extension host can be had the workbench part counts as
// skipped, loudly; with BOOTPATH_REQUIRE_WORKBENCH=1 that fails the run.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runNodeSuite } from './node-suite.mjs';
import { runWorkbenchSuite } from './workbench-suite.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

const build = spawnSync(process.execPath, ['esbuild.mjs'], { cwd: root, stdio: 'inherit' });
if (build.status !== 0) {
  console.log('the build failed');
  console.log('0 passed, 1 failed');
  process.exit(1);
}

const suites = [
  ['unit', () => runNodeSuite('unit')],
  ['core', () => runNodeSuite('core')],
  ['lsp', () => runNodeSuite('lsp')],
  ['workbench', runWorkbenchSuite],
];

const sum = { passed: 0, failed: 0, skipped: 0 };
for (const [name, run] of suites) {
  const started = Date.now();
  const result = await run();
  for (const key of Object.keys(sum)) sum[key] += result[key];
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  console.log(
    `${name}: ${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped (${seconds} s)`,
  );
  if (name === 'workbench' && result.passed === 0 && result.failed === 0) {
    console.log(
      '\n*** The suite inside VS Code did NOT run: no extension host could be had (see above). ***\n',
    );
    if (process.env.BOOTPATH_REQUIRE_WORKBENCH === '1') sum.failed++;
  }
}
console.log(`${sum.passed} passed, ${sum.failed} failed${sum.skipped ? `, ${sum.skipped} skipped` : ''}`);
process.exit(sum.failed ? 1 : 0);
