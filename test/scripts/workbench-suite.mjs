// The suite inside a real VS Code: mocha tests in the extension host through @vscode/test-electron, then tests that drive
// the workbench from outside with a browser. Hosts, in this order: VSCODE_EXECUTABLE (a desktop VS Code), the cached npm
// host with Chromium (filled where it is missing), a desktop VS Code that test-electron downloads. Where there is none,
// everything counts as skipped.      usage: workbench-suite.mjs [NAME-PART]
import * as esbuild from 'esbuild';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shared } from '../../esbuild.mjs';
import { ensureHost } from './ensure-host.mjs';
import { findChromium, temporaryFolder } from './vscode-host.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const suiteFolder = join(root, 'test/workbench');

/** @returns {Promise<{executable: string, ours: boolean} | {missing: string[]}>} */
async function findHost() {
  if (process.env.VSCODE_EXECUTABLE) return { executable: process.env.VSCODE_EXECUTABLE, ours: false };
  const missing = [];
  if (findChromium()) {
    try {
      ensureHost();
      return { executable: join(root, 'test/scripts/code.mjs'), ours: true };
    } catch (error) {
      missing.push(`npm host: ${error.message}`);
    }
  } else {
    missing.push('npm host: no Chromium (CHROMIUM=/path names one; Debian: apt-get install chromium)');
  }
  if (process.platform === 'linux' && !process.env.DISPLAY)
    missing.push('desktop VS Code: no display (DISPLAY is unset)');
  else
    try {
      const { downloadAndUnzipVSCode } = await import('@vscode/test-electron');
      return { executable: await downloadAndUnzipVSCode(), ours: false };
    } catch (error) {
      missing.push(`desktop VS Code: ${error.message}`);
    }
  return { missing };
}

/** Bundles the mocha suite; mocha itself and VS Code stay outside. */
async function bundleSuite(folder) {
  mkdirSync(folder, { recursive: true });
  await esbuild.build({
    ...shared,
    absWorkingDir: root,
    entryPoints: [join(suiteFolder, 'suite.ts')],
    outfile: join(folder, 'suite.js'),
    platform: 'node',
    format: 'cjs',
    external: ['vscode', 'mocha'],
    sourcemap: 'inline',
  });
  return join(folder, 'suite.js');
}

/** How many tests there are, for the sum where none can run. */
function countTests() {
  const files = readdirSync(suiteFolder, { recursive: true }).map(String);
  return files
    .filter((name) => /\.test\.(ts|mjs)$/.test(name))
    .map((name) => readFileSync(join(suiteFolder, name), 'utf8').match(/^\s*(it|test)\(/gm)?.length ?? 0)
    .reduce((sum, count) => sum + count, 0);
}

/** The examples and the suite's own files, in a folder that tests may write to. */
function copyWorkspace(folder) {
  cpSync(join(suiteFolder, 'workspace'), folder, { recursive: true });
  for (const example of ['vmd-alpine'])
    if (existsSync(join(root, 'examples', example)))
      cpSync(join(root, 'examples', example), join(folder, example), { recursive: true });
}

export async function runInside(host, part) {
  const { runTests } = await import('@vscode/test-electron');
  const temporary = temporaryFolder('suite');
  const out = join(root, 'dist/test', `workbench-${process.pid}`);
  const resultFile = join(temporary, 'result.json');
  const workspace = join(temporary, 'workspace');
  copyWorkspace(workspace);
  let ended = null;
  try {
    await runTests({
      vscodeExecutablePath: host.executable,
      extensionDevelopmentPath: root,
      extensionTestsPath: await bundleSuite(out),
      extensionTestsEnv: {
        BOOTPATH_TEST_RESULT: resultFile,
        BOOTPATH_TEST_PART: part ?? '',
        BOOTPATH_ROOT: root,
      },
      launchArgs: [workspace, '--disable-extensions', `--user-data-dir=${join(temporary, 'data')}`],
    });
  } catch (error) {
    ended = error;
  }
  const result = existsSync(resultFile)
    ? JSON.parse(readFileSync(resultFile, 'utf8'))
    : { passed: 0, failed: 0, skipped: 0 };
  if (ended && result.failed === 0) {
    console.log(`FAILED the extension host did not end well: ${ended.message ?? ended}`);
    result.failed = 1;
  }
  rmSync(temporary, { recursive: true, force: true });
  rmSync(out, { recursive: true, force: true });
  return result;
}

/** @returns {Promise<{passed: number, failed: number, skipped: number}>} */
export async function runWorkbenchSuite(part) {
  const host = await findHost();
  if (host.missing) {
    console.log('\n*** No VS Code to run the workbench suite in. Tried:');
    for (const line of host.missing) console.log(`***   ${line}`);
    return { passed: 0, failed: 0, skipped: countTests() };
  }
  const sum = await runInside(host, part);
  const { runOutside } = await import('../workbench/outside/run.mjs');
  const outside = await runOutside({ available: host.ours, part });
  for (const key of Object.keys(sum)) sum[key] += outside[key];
  return sum;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const build = spawnSync(process.execPath, ['esbuild.mjs'], { cwd: root, stdio: 'inherit' });
  if (build.status !== 0) process.exit(1);
  const { passed, failed, skipped } = await runWorkbenchSuite(process.argv[2]);
  console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
  process.exit(failed || passed === 0 ? 1 : 0);
}
