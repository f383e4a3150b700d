// Builds everything into dist/: the core's WebAssembly, the extension, the language server, the simulation worker,
// the command line and the webview. `--core` builds the core only, `--watch` rebuilds on change.
import * as esbuild from 'esbuild';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const flags = new Set(process.argv.slice(2));
mkdirSync(join(root, 'dist'), { recursive: true });

/** Compiles the AssemblyScript core; skipped while dist/core.wasm is newer than its sources. */
export function buildCore({ force = false, debug = false } = {}) {
  const source = join(root, 'server/emulator/assembly');
  const out = join(root, 'dist/core.wasm');
  const names = readdirSync(source, { recursive: true }).map(String);
  const newest = Math.max(...names.map((name) => statSync(join(source, name)).mtimeMs));
  if (!force && existsSync(out) && statSync(out).mtimeMs > newest) return;
  const asc = join(root, 'node_modules/assemblyscript/bin/asc.js');
  const config = join(source, 'asconfig.json');
  const result = spawnSync(
    process.execPath,
    [asc, join(source, 'core.ts'), '--config', config, '--target', debug ? 'debug' : 'release'],
    { cwd: root, stdio: 'inherit' },
  );
  if (result.status !== 0) throw new Error('asc failed');
}

/** Options that all bundles and the tests' bundles share. */
export const shared = {
  bundle: true,
  sourcemap: true,
  target: 'es2022',
  logLevel: 'warning',
  loader: { '.wasm': 'binary', '.bin': 'binary' },
};

/** For the package: small, and with a list of what went in. */
const production = flags.has('--production');
const packaged = { minify: production, sourcemap: !production, metafile: production };
const node = { ...shared, ...packaged, platform: 'node', format: 'cjs', absWorkingDir: root };

const bundles = [
  {
    ...node,
    entryPoints: { extension: 'client/src/extension.ts' },
    outdir: 'dist',
    external: ['vscode'],
  },
  {
    ...node,
    entryPoints: { server: 'server/src/serverMain.ts', worker: 'server/src/worker.ts' },
    outdir: 'dist',
  },
  {
    ...node,
    entryPoints: { cli: 'server/src/cli.ts' },
    outdir: 'dist',
    banner: { js: '#!/usr/bin/env node' },
  },
  {
    ...shared,
    ...packaged,
    absWorkingDir: root,
    entryPoints: { addressSpace: 'client/webview/addressSpace.ts' },
    outdir: 'dist/webview',
    platform: 'browser',
    format: 'iife',
  },
];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  buildCore({ force: flags.has('--core') });
  if (!flags.has('--core')) {
    if (flags.has('--watch')) for (const bundle of bundles) await (await esbuild.context(bundle)).watch();
    else {
      const built = await Promise.all(bundles.map((bundle) => esbuild.build(bundle)));
      const inputs = built.flatMap(({ metafile }) => Object.keys(metafile?.inputs ?? {}));
      if (production) writeFileSync(join(root, 'dist/inputs.json'), JSON.stringify(inputs));
    }
  }
}
