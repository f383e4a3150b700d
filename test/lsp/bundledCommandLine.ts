/** The command line as the build bundles it, in a folder of its own, and a scratch folder to run it in. */
import * as esbuild from 'esbuild';
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

const root = process.env.BOOTPATH_ROOT!;

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandLine {
  /** The bundle, for who starts it otherwise. */
  readonly program: string;
  /** Where commands run unless told otherwise. */
  readonly folder: string;
  run(args: readonly string[], options?: { cwd?: string; input?: string | Uint8Array }): Run;
  /** Starts a command that goes on until its input ends it. */
  start(args: readonly string[]): ChildProcessByStdio<Writable, Readable, null>;
  /** Puts a file into the folder and returns its path. */
  write(name: string, content: string | Uint8Array): string;
  remove(): void;
}

export async function buildCommandLine(): Promise<CommandLine> {
  const out = join(root, 'dist/test', `cli-${process.pid}`);
  const { shared } = (await import(pathToFileURL(join(root, 'esbuild.mjs')).href)) as {
    shared: esbuild.BuildOptions;
  };
  await esbuild.build({
    ...shared,
    absWorkingDir: root,
    entryPoints: {
      cli: 'server/src/cli.ts',
      server: 'server/src/serverMain.ts',
      worker: 'server/src/worker.ts',
    },
    outdir: out,
    platform: 'node',
    format: 'cjs',
  });
  const folder = mkdtempSync(join(tmpdir(), 'bootpath-cli-'));
  return {
    program: join(out, 'cli.js'),
    folder,
    run(args, options = {}) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [join(out, 'cli.js'), ...args], {
        cwd: options.cwd ?? folder,
        input: options.input ?? '',
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      });
      return { code: status, stdout, stderr };
    },
    start: (args) =>
      spawn(process.execPath, [join(out, 'cli.js'), ...args], {
        cwd: folder,
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    write(name, content) {
      const file = join(folder, name);
      writeFileSync(file, content);
      return file;
    },
    remove() {
      rmSync(out, { recursive: true, force: true });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
