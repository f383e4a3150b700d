// `npm run corpus DIR`: opens every file of a folder through the real language server, under the language id that a bare VS
// Code gives it, and prints for each what it was recognised as, the problems of its parser, the findings of the checks and the
// time from opening to diagnostics; then sums by kind. `-- --verbose` prints each finding with its line, `--code CODE` those
// of one code only, `--format json` everything for scripts. For reading real files by eye: nothing here passes or fails.
import * as esbuild from 'esbuild';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, extname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { shared } from '../../esbuild.mjs';
import { temporaryFolder } from './vscode-host.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const LARGEST = 16 * 1024 * 1024;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    format: { type: 'string', default: 'text' },
    verbose: { type: 'boolean', default: false },
    code: { type: 'string' },
  },
});
const [folder, ...rest] = positionals;
if (folder === undefined || rest.length > 0) {
  console.error('usage: npm run corpus DIR [-- --verbose] [-- --code CODE] [-- --format json]');
  process.exit(2);
}

/** As an editor reads a file: UTF-16 where a byte order mark says so. */
function textOf(bytes) {
  const utf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return utf16 ? bytes.toString('utf16le', 2) : bytes.toString('utf8');
}

/** Language ids of a bare VS Code by a file's ending; a log and anything else is plain text. */
const LANGUAGE_IDS = {
  '.c': 'c',
  '.h': 'c',
  '.cc': 'cpp',
  '.cpp': 'cpp',
  '.json': 'json',
  '.jsonc': 'jsonc',
  '.conf': 'properties',
  '.cfg': 'properties',
  '.ini': 'ini',
  '.properties': 'properties',
  '.sh': 'shellscript',
  '.bash': 'shellscript',
  '.ksh': 'shellscript',
  '.log': 'log',
};

function languageId(file, text) {
  const known = LANGUAGE_IDS[extname(file).toLowerCase()];
  if (known) return known;
  return /^#!.*\b(?:ba|k|z|da)?sh\b/.test(text.slice(0, 200)) ? 'shellscript' : 'plaintext';
}

function* filesIn(path) {
  for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = join(path, entry.name);
    if (entry.isDirectory()) {
      if (entry.name !== '.git' && entry.name !== 'node_modules') yield* filesIn(file);
    } else if (entry.isFile() && statSync(file).size <= LARGEST) yield file;
  }
}

const SEVERITIES = ['', 'error', 'warning', 'information', 'hint'];

/** Codes that the parsers give, and no rule. */
async function parserCodes(out) {
  const outfile = join(out, 'catalogue.cjs');
  await esbuild.build({
    ...shared,
    absWorkingDir: root,
    entryPoints: ['server/src/checks/catalogue.ts'],
    outfile,
    platform: 'node',
    format: 'cjs',
  });
  const { CHECKS } = createRequire(import.meta.url)(outfile);
  return new Set(CHECKS.filter(({ run }) => !run).map(({ code }) => code));
}

async function startServer(out) {
  await esbuild.build({
    ...shared,
    absWorkingDir: root,
    entryPoints: { server: 'server/src/serverMain.ts', worker: 'server/src/worker.ts' },
    outdir: out,
    platform: 'node',
    format: 'cjs',
  });
  const server = spawn(process.execPath, [join(out, 'server.js'), '--stdio'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const connection = createMessageConnection(
    new StreamMessageReader(server.stdout),
    new StreamMessageWriter(server.stdin),
  );
  connection.onRequest((method, params) =>
    method === 'workspace/configuration' ? params.items.map(() => null) : null,
  );
  connection.listen();
  await connection.sendRequest('initialize', {
    processId: process.pid,
    rootUri: null,
    capabilities: { workspace: { configuration: true }, textDocument: { diagnostic: {} } },
  });
  await connection.sendNotification('initialized', {});
  return { server, connection };
}

/** What the server says of one file. */
async function look(connection, file, fromParser) {
  const text = textOf(readFileSync(file));
  const uri = pathToFileURL(resolve(file)).href;
  const id = languageId(file, text);
  const opened = performance.now();
  await connection.sendNotification('textDocument/didOpen', {
    textDocument: { uri, version: 1, languageId: id, text },
  });
  const { items } = await connection.sendRequest('textDocument/diagnostic', { textDocument: { uri } });
  const milliseconds = performance.now() - opened;
  const status = await connection.sendRequest('bootpath/status', { uri });
  const { machines } = await connection
    .sendRequest('bootpath/layout', { uri })
    .catch(() => ({ machines: [] }));
  await connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
  const findings = items.map(({ code, severity, message, range }) => ({
    code,
    severity: SEVERITIES[severity],
    message,
    line: range.start.line + 1,
    parser: fromParser.has(code),
  }));
  return {
    file: relative(process.cwd(), file),
    languageId: id,
    kind: status?.language ?? null,
    vmm: status?.vmm ? `${status.vmm}@${status.version}` : null,
    lines: text.split('\n').length,
    machines: machines.length,
    milliseconds: Number(milliseconds.toFixed(1)),
    problems: findings.filter(({ parser }) => parser),
    findings: findings.filter(({ parser }) => !parser),
  };
}

function tally(list) {
  const counts = new Map();
  for (const { severity, code } of list) {
    const key = `${severity} ${code}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([key, count]) => (count === 1 ? key : `${key} ×${count}`)).join(', ');
}

function printFile({ file, kind, vmm, machines, milliseconds, problems, findings }) {
  const shown = [...problems, ...findings].filter(
    ({ code }) => options.code === undefined || code === options.code,
  );
  if (options.code !== undefined && shown.length === 0) return;
  const about = kind === null ? 'not ours' : `${kind}${vmm ? ` ${vmm}` : ''}, ${machines} machines`;
  console.log(`${file}: ${about}, ${milliseconds} ms`);
  if (problems.length > 0) console.log(`  parser: ${tally(problems)}`);
  if (findings.length > 0) console.log(`  checks: ${tally(findings)}`);
  if (!options.verbose && options.code === undefined) return;
  for (const { line, severity, code, message } of shown)
    console.log(`    ${line}: ${severity} ${code}: ${message}`);
}

function printSums(files) {
  console.log('\nkind: files, with parser problems, with errors, with warnings, slowest');
  const kinds = new Map();
  for (const file of files)
    kinds.set(file.kind ?? 'not ours', [...(kinds.get(file.kind ?? 'not ours') ?? []), file]);
  for (const [kind, list] of [...kinds].sort()) {
    const having = (severity) =>
      list.filter(({ problems, findings }) =>
        [...problems, ...findings].some((found) => found.severity === severity),
      ).length;
    const slowest = list.reduce((a, b) => (b.milliseconds > a.milliseconds ? b : a));
    console.log(
      `${kind}: ${list.length}, ${list.filter(({ problems }) => problems.length > 0).length}, ${having('error')}, ${having('warning')}, ${slowest.milliseconds} ms (${basename(slowest.file)}, ${slowest.lines} lines)`,
    );
  }
  console.log(`all: ${files.length} files`);
}

const out = temporaryFolder('corpus');
let started = null;
try {
  const fromParser = await parserCodes(out);
  started = await startServer(out);
  const files = [];
  for (const file of filesIn(resolve(folder))) {
    const seen = await look(started.connection, file, fromParser);
    files.push(seen);
    if (options.format !== 'json') printFile(seen);
  }
  if (options.format === 'json') console.log(JSON.stringify({ files }, null, 2));
  else printSums(files);
} finally {
  started?.connection.dispose();
  started?.server.kill();
  rmSync(out, { recursive: true, force: true });
}
