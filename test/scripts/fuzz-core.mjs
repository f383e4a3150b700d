// Differential fuzzing of the core: random cases on the core and on another x86, in several processes.
import * as esbuild from 'esbuild';
import { fork } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildCore, shared } from '../../esbuild.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const HELP = `usage: npm run fuzz:core -- [options]

  --count N      instructions in all (default 50000)
  --oracle NAME  host: the CPU of this machine, user mode; qemu: QEMU's interpreter, every mode (default qemu)
  --kind NAME    bytes: random bytes, one instruction each, CPL 3 (default for host)
                 sequences: some instructions from templates (default for qemu)
  --mode NAME    16, 32, 64 or a mode's name, e.g. v86, pae-user, long; several with commas (default all)
  --seed S       of the first batch (default 1)
  --jobs N       processes (default: one for each CPU)

A difference that no rule of test/core/oracle/explained.ts accounts for is shown with the state before it and after
it on both sides, and fails the run.`;

const { values: options } = parseArgs({
  options: {
    count: { type: 'string', default: '50000' },
    seed: { type: 'string', default: '1' },
    oracle: { type: 'string', default: 'qemu' },
    kind: { type: 'string' },
    mode: { type: 'string' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(HELP);
  process.exit(0);
}

const out = join(root, 'dist/test', `fuzz-${process.pid}`);
mkdirSync(out, { recursive: true });
const script = join(out, 'main.js');
process.on('exit', () => rmSync(out, { recursive: true, force: true }));
buildCore();
await esbuild.build({
  ...shared,
  absWorkingDir: root,
  entryPoints: [join(root, 'test/core/oracle/fuzz/main.ts')],
  outfile: script,
  platform: 'node',
  format: 'cjs',
  sourcemap: 'inline',
});
const env = { ...process.env, BOOTPATH_ROOT: root };
const start = () => fork(script, { cwd: root, env, execArgv: ['--enable-source-maps'] });

/** One answer of a process. */
const ask = (child, message) =>
  new Promise((resolve, reject) => {
    const failed = (code) => reject(new Error(`a fuzzing process ended with ${code}`));
    child.once('exit', failed);
    child.once('message', (answer) => {
      child.off('exit', failed);
      resolve(answer);
    });
    child.send(message);
  });

const { oracle } = options;
const kind = options.kind ?? (oracle === 'host' ? 'bytes' : 'sequences');
const planner = start();
const { jobs, error } = await ask(planner, {
  plan: {
    oracle,
    kind,
    mode: options.mode ?? null,
    count: Number(options.count),
    seed: Number(options.seed),
  },
});
planner.kill();
if (error) {
  console.error(error);
  process.exit(1);
}

const sums = new Map();
const explained = new Map();
let failures = 0;
const started = performance.now();
const waiting = [...jobs];
async function work() {
  const child = start();
  for (let job = waiting.shift(); job; job = waiting.shift()) {
    const answer = await ask(child, { job });
    if (answer.error) {
      failures++;
      console.log(`${job.mode}, seed ${job.seed}: ${answer.error}`);
      continue;
    }
    const { instructions, explained: rules, failures: reports } = answer.sum;
    sums.set(job.mode, (sums.get(job.mode) ?? 0) + instructions);
    for (const [rule, count] of rules) explained.set(rule, (explained.get(rule) ?? 0) + count);
    failures += reports.length;
    for (const report of reports) console.log(`seed ${job.seed}, ${report}`);
  }
  child.kill();
}
await Promise.all(Array.from({ length: Math.min(Number(options.jobs), jobs.length) }, work));

const total = [...sums.values()].reduce((a, b) => a + b, 0);
for (const [mode, count] of sums) console.log(`${mode}: ${count} instructions`);
console.log('explained differences (test/core/oracle/explained.ts):');
for (const [rule, count] of [...explained].sort((a, b) => b[1] - a[1])) console.log(`  ${count} ${rule}`);
const seconds = Math.round((performance.now() - started) / 1000);
console.log(
  `${total} instructions on the core and on ${oracle} in ${seconds} s, ${failures} unexplained differences`,
);
process.exit(failures === 0 ? 0 : 1);
