// Runs one of the node:test suites: bundles test/SUITE/**/*.test.ts with esbuild, runs them with `node --test`,
// and prints the plain sum as the last line. usage: node-suite.mjs SUITE [--oracle NAME] [NAME-PART…]
import * as esbuild from 'esbuild';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildCore, shared } from '../../esbuild.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

const HELP = `usage: npm run test:core -- [options] [NAME-PART…]

  NAME-PART      only test files whose name contains it
  --oracle NAME  run the instruction specifications (test/core/specs) on another x86 too: host (the CPU of this machine,
                 user mode), qemu, bochs, kvm (with the CPU's virtualization only)`;

/**
 * @param {import('esbuild').BuildOptions} bundling options beyond the usual ones
 * @returns {Promise<{passed: number, failed: number, skipped: number}>}
 */
export async function runNodeSuite(suite, parts = [], bundling = {}) {
  const folder = join(root, 'test', suite);
  const tests = readdirSync(folder, { recursive: true })
    .map(String)
    .filter(
      (name) =>
        name.endsWith('.test.ts') && (parts.length === 0 || parts.some((part) => name.includes(part))),
    )
    .sort();
  if (tests.length === 0) throw new Error(`no tests in test/${suite} match ${parts.join(' ')}`);
  if (existsSync(join(root, 'server/emulator/assembly/core.ts'))) buildCore();
  // Bundled beside each other in dist, so that paths relative to the root keep working through BOOTPATH_ROOT.
  const out = join(root, 'dist/test', `${suite}-${process.pid}`);
  mkdirSync(out, { recursive: true });
  try {
    await esbuild.build({
      ...shared,
      absWorkingDir: root,
      entryPoints: tests.map((name) => join(folder, name)),
      outdir: out,
      outbase: folder,
      platform: 'node',
      format: 'cjs',
      external: ['playwright-core', 'esbuild'],
      sourcemap: 'inline',
      ...bundling,
    });
    return await runFiles(tests.map((name) => join(out, name.replace(/\.ts$/, '.js'))));
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function runFiles(files) {
  return new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      ['--enable-source-maps', '--test', '--test-reporter=tap', ...files],
      { cwd: root, env: { ...process.env, BOOTPATH_ROOT: root }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let text = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (chunk) => (text += chunk));
    child.on('close', (code) => {
      const count = (name) => Number(new RegExp(`^# ${name} (\\d+)`, 'm').exec(text)?.[1] ?? 0);
      const sum = {
        passed: count('pass'),
        failed: count('fail') + count('cancelled'),
        skipped: count('skipped') + count('todo'),
      };
      if (code !== 0 && sum.failed === 0) sum.failed = 1;
      printFailures(text);
      printSkips(text);
      resolve(sum);
    });
  });
}

/** Why tests were skipped: each reason once, with its number of tests. */
function printSkips(text) {
  const reasons = new Map();
  for (const [, reason] of text.matchAll(/^ *ok \d+ - .*# SKIP (.+)$/gm))
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  for (const [reason, tests] of reasons) console.log(`${tests} skipped: ${reason}`);
}

/** The failing leaves of the TAP text, with their diagnostics. */
function printFailures(text) {
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const failed = /^(\s*)not ok \d+ - (.*)$/.exec(lines[i]);
    if (!failed) continue;
    const block = [];
    for (let j = i + 1; j < lines.length && lines[j].startsWith(failed[1] + '  '); j++) block.push(lines[j]);
    if (block.some((line) => line.includes("failureType: 'subtestsFailed'"))) continue;
    console.log(`FAILED ${failed[2].replace(root, '')}`);
    console.log(
      block
        .filter((line) => !/^\s*(duration_ms|---|\.\.\.|type:)/.test(line))
        .join('\n')
        .replaceAll(root + '/', ''),
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [suite, ...rest] = process.argv.slice(2);
  const at = rest.indexOf('--oracle');
  if (rest.includes('--help')) {
    console.log(HELP);
    process.exit(0);
  }
  // test/core/oracle/oracles.ts reads it.
  if (at >= 0) process.env.BOOTPATH_ORACLE = rest[at + 1] ?? '';
  const parts = at < 0 ? rest : rest.filter((_, i) => i !== at && i !== at + 1);
  const { passed, failed, skipped } = await runNodeSuite(suite, parts);
  console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
  process.exit(failed ? 1 : 0);
}
