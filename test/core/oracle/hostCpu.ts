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

const compiled = new Map<string, string>();

/** The program of host/NAME.c, compiled once a process. */
function program(name: string): string {
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const folder = mkdtempSync(join(tmpdir(), 'bootpath-host-'));
  process.on('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = join(folder, name);
  const source = join(root, 'test/core/oracle/host', `${name}.c`);
  // Signal handlers run while FS and the shadow stack are a test's.
  const flags = ['-O2', '-fno-stack-protector', '-fcf-protection=none'];
  const gcc = spawnSync('gcc', [...flags, '-o', file, source], { encoding: 'utf8' });
  if (gcc.status !== 0) throw new Error(gcc.stderr);
  compiled.set(name, file);
  return file;
}

/** Feeds host/NAME.c `requests` and returns what it answers. */
export function runOnHost(name: string, requests: Uint8Array, ...args: readonly string[]): Uint8Array {
  const run = spawnSync(program(name), args, {
    input: requests,
    maxBuffer: 2 ** 30,
    // A case that ends single steps and then loops.
    timeout: 120_000,
    killSignal: 'SIGKILL',
  });
  if (run.status !== 0)
    throw new Error(`${name} ended with ${run.status ?? run.signal}: ${run.stderr.toString()}`);
  return new Uint8Array(run.stdout);
}

/** Machine code over records that it changes in place: RSI at the first, RCX the count, a jump back for the next. */
export interface NativeBatch {
  readonly code: Uint8Array;
  readonly count: number;
  readonly records: Uint8Array;
}

/** Runs all of them in one process; the records afterwards. */
export function runNatively(batches: readonly NativeBatch[]): Uint8Array[] {
  const parts = batches.flatMap(({ code, count, records }) => [
    new Uint8Array(Uint32Array.of(code.length, count, records.length / count, 0).buffer),
    code,
    records,
  ]);
  const answer = runOnHost('native', Buffer.concat(parts));
  let at = 0;
  return batches.map(({ records }) => answer.subarray(at, (at += records.length)));
}
