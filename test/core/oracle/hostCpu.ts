/** Small C programs (host/) that run instructions natively: the host's CPU as an oracle for what user mode can do. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = process.env['BOOTPATH_ROOT'] ?? '.';

/** For node:test's `skip`: false, or the reason in words. */
export function missingHost(): string | false {
  if (process.arch !== 'x64') return `NOT RUN: the host is ${process.arch}, not x64`;
  return spawnSync('gcc', ['--version']).status === 0 ? false : 'NOT RUN: gcc not installed';
}

/** Compiles host/NAME.c, feeds it `requests` and returns what it answers. */
export function runOnHost(name: string, requests: Uint8Array): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'bootpath-host-'));
  try {
    const program = join(folder, name);
    const source = join(root, 'test/core/oracle/host', `${name}.c`);
    const gcc = spawnSync('gcc', ['-O1', '-o', program, source], { encoding: 'utf8' });
    if (gcc.status !== 0) throw new Error(gcc.stderr);
    const run = spawnSync(program, [], { input: requests, maxBuffer: 2 ** 30 });
    if (run.status !== 0) throw new Error(`${name} ended with ${run.status ?? run.signal}`);
    return new Uint8Array(run.stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
