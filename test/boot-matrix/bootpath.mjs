// A row of the matrix under Bootpath: the command that a user would type, in a process of its own.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** As many instructions as no row needs. */
const BUDGET = 12e9;

/** As a shell takes it. */
const quoted = (argument) => (/^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument}'`);

/** @returns {Promise<{report: object, seconds: number, command: string}>} seconds with the start of the process */
export function runBootpath(root, row, files) {
  const asked = row.bootpath(files);
  const until = row.until === undefined ? [] : ['--until', row.until];
  const cpus = row.cpus === undefined ? [] : ['--cpus', String(row.cpus)];
  // A config says it itself.
  const memory = row.memory === undefined ? [] : ['--memory', row.memory];
  const args = ['simulate', ...asked, ...cpus, ...memory, ...until];
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [join(root, 'dist/cli.js'), ...args, '--max-instructions', String(BUDGET), '--format', 'json'],
      { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const out = [];
    let problem = '';
    child.stdout.on('data', (piece) => out.push(piece));
    child.stderr.on('data', (piece) => (problem += piece));
    child.on('error', reject);
    child.on('close', () => {
      const seconds = (performance.now() - started) / 1000;
      try {
        const report = JSON.parse(Buffer.concat(out).toString());
        resolve({ report, seconds, command: `bootpath ${args.map(quoted).join(' ')}` });
      } catch {
        reject(new Error(problem.trim().split('\n').at(-1) || 'bootpath printed no report'));
      }
    });
  });
}

/** Why the report is not what the row expects, or null. */
export function mismatch(row, { outcome, reason, console: text }) {
  const wanted = row.until === undefined ? row.ends : { outcome: 'expectation-met' };
  if (outcome !== wanted.outcome) return `${outcome} instead of ${wanted.outcome}: ${reason}`;
  if (wanted.reason && !wanted.reason.test(reason)) return `${reason} (expected ${wanted.reason})`;
  if (wanted.wrote && !text.includes(wanted.wrote)) return `the guest did not write "${wanted.wrote}"`;
  return null;
}
