#!/usr/bin/env node
// Stands where the desktop executable of VS Code stands for @vscode/test-electron: takes its command line, runs the same
// thing in code-server with a workbench in headless Chromium, prints what the tests print, ends with the tests' code.
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureHost } from './ensure-host.mjs';
import { remoteUri, startBrowser, startServer, workbenchUrl } from './vscode-host.mjs';

const TIME_LIMIT_MS = Number(process.env.VSCODE_HOST_TIMEOUT_MS ?? 420_000);

/** The workbench's own lines, which share the channel of the tests' output. */
const NOISE =
  /^(Resolv(ing|ed) connection token|Creating a socket |\[reconnection-grace-time\]|Ignoring fetching additional builtin|\[Service Worker\]|\[AgentHost|\[AccountPolicyGate\]|Updating additional builtin|DialogService: Dialog requested during smoke test|Creation of workbench contribution|ChatSessionStore|\[perf\]|Started local extension host|Model is disposed!)/;

const toPath = (text) => (text.startsWith('file:') ? fileURLToPath(text) : resolve(text));

function parseCommandLine(argv) {
  const options = {
    development: [],
    tests: null,
    extensionsDir: null,
    profile: null,
    others: false,
    folders: [],
  };
  for (let i = 0; i < argv.length; i++) {
    const flag = /^--([A-Za-z-]+)(?:=(.*))?$/s.exec(argv[i]);
    const value = () => toPath(flag[2] ?? argv[++i]);
    if (!flag) options.folders.push(toPath(argv[i]));
    else if (flag[1] === 'extensionDevelopmentPath') options.development.push(value());
    else if (flag[1] === 'extensionTestsPath') options.tests = value();
    else if (flag[1] === 'extensions-dir') options.extensionsDir = value();
    else if (flag[1] === 'user-data-dir') options.profile = value();
    else if (flag[1] === 'folder-uri') options.folders.push(value());
    else if (flag[1] === 'disable-extensions') options.others = true;
  }
  return options;
}

/** Desktop VS Code takes a module name; the web workbench wants the file. */
function testFile(path) {
  const candidates = [path, `${path}.js`, `${path}.cjs`, join(path, 'index.js')];
  return candidates.find((file) => existsSync(file) && statSync(file).isFile()) ?? path;
}

const options = parseCommandLine(process.argv.slice(2));
if (!options.tests || options.development.length === 0) {
  console.error('code.mjs: needs --extensionDevelopmentPath and --extensionTestsPath');
  process.exit(2);
}
if (options.extensionsDir) mkdirSync(options.extensionsDir, { recursive: true });

const server = await startServer({
  hostDir: ensureHost(),
  extensionsDir: options.extensionsDir ?? undefined,
  profile: options.profile ?? undefined,
});
const { browser, page, refused } = await startBrowser();
const stop = async () => {
  await browser.close().catch(() => {});
  await server.stop();
};
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => void stop().finally(() => process.exit(130)));

let code = 1;
try {
  let finish;
  const finished = new Promise((ok) => (finish = ok));
  await page.exposeFunction('codeAutomationLog', (type, args) => {
    if (typeof args[0] === 'string' && NOISE.test(args[0]) && !process.env.VSCODE_HOST_VERBOSE) return;
    console[type === 'error' || type === 'warn' ? type : 'log'](...args);
  });
  await page.exposeFunction('codeAutomationExit', finish);
  page.on('crash', () => {
    console.error('code.mjs: the workbench page crashed');
    finish(1);
  });
  const payload = [
    ...options.development.map((path) => ['extensionDevelopmentPath', remoteUri(server, path)]),
    ['extensionTestsPath', remoteUri(server, testFile(options.tests))],
    ...(options.others ? [['disableExtensions', 'true']] : []),
  ];
  await page.goto(
    workbenchUrl(server, { folder: options.folders.find((path) => existsSync(path)), payload }),
  );
  const limit = setTimeout(() => {
    console.error(`code.mjs: no result within ${TIME_LIMIT_MS / 1000} s`);
    finish(124);
  }, TIME_LIMIT_MS);
  code = await finished;
  clearTimeout(limit);
  if (code !== 0 && process.env.VSCODE_HOST_SHOT)
    await page.screenshot({ path: process.env.VSCODE_HOST_SHOT });
  if (refused.size > 0) console.error('code.mjs: requests to elsewhere that were refused:', [...refused]);
} catch (error) {
  console.error(error);
} finally {
  await stop();
}
process.exit(code);
