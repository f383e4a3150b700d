// How quick the language server is: from its start to the answer to `initialize`, from opening a text to its first
// diagnostics, from an edit to the diagnostics that show it, and its peak memory, on generated texts of 1,000 and 10,000
// lines. `--format json` for scripts; `--peer "node json-server.js --stdio"` measures a JSON language server on JSON of
// as many lines in turn with ours, since only the ratio says anything on a busy machine. Diagnostics are pulled.
import * as esbuild from 'esbuild';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { shared } from '../../esbuild.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const { values: options } = parseArgs({
  options: { format: { type: 'string', default: 'text' }, peer: { type: 'string' } },
});
const SIZES = [1_000, 10_000];
const EDITS = 30;
const PATIENCE_MS = 30_000;

const hex = (value, digits) => value.toString(16).padStart(digits, '0');

/** By language id: blocks of lines without a finding, and a line with one. */
const TEXTS = {
  vmconf: {
    head: ['switch "uplink" {', '\tinterface veb0', '}'],
    block: (i) => [
      `vm "guest-${i}" {`,
      '\tmemory 1G',
      `\tdisk "/home/vm/guest-${i}.img"`,
      '\tinterface { switch "uplink" }',
      '\towner operator',
      '}',
    ],
    tail: [],
    broken: 'vm "broken" {',
  },
  memmap: {
    head: [
      'BIOS-provided physical RAM map:',
      'BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable',
    ],
    block: (i) => {
      const start = 0x1_0000_0000 + i * 0x10_0000;
      const type = ['usable', 'reserved', 'ACPI data', 'ACPI NVS'][i % 4];
      return [`BIOS-e820: [mem 0x${hex(start, 16)}-0x${hex(start + 0xf_ffff, 16)}] ${type}`];
    },
    tail: [],
    broken: 'BIOS-e820: [mem 0x0000000000200000-0x0000000000100000] usable',
  },
  json: {
    head: ['{ "drives": ['],
    block: (i) => ['  {', `    "drive_id": "disk${i}",`, '    "is_root_device": false', '  },'],
    tail: ['  {}', ']}'],
    broken: '  nothing,',
  },
};

/** Lines of a text and the index of a line at which the broken one may stand: between two blocks, in the middle. */
function generated({ head, block, tail }, size) {
  const lines = [...head];
  let middle = 0;
  for (let i = 0; lines.length + tail.length < size; i++) {
    if (lines.length <= size / 2) middle = lines.length;
    lines.push(...block(i));
  }
  return { lines: [...lines, ...tail, ''], middle };
}

/** Takes a fresh server through one text; milliseconds, and MiB where the system tells them. */
async function measure(command, languageId, size) {
  const { lines, middle } = generated(TEXTS[languageId], size);
  const { broken } = TEXTS[languageId];
  const started = performance.now();
  const server = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((_, reject) => {
    server.once('error', reject);
    server.once('exit', (code, signal) => reject(new Error(`${command.join(' ')} ended: ${signal ?? code}`)));
  });
  ended.catch(() => undefined);
  const connection = createMessageConnection(
    new StreamMessageReader(server.stdout),
    new StreamMessageWriter(server.stdin),
  );
  connection.onRequest((method, params) =>
    method === 'workspace/configuration' ? params.items.map(() => null) : null,
  );
  connection.listen();
  const late = sleep(PATIENCE_MS, undefined, { ref: false }).then(() => {
    throw new Error(`${command.join(' ')} was not done within ${PATIENCE_MS} ms`);
  });
  late.catch(() => undefined);
  const request = (method, params) => Promise.race([connection.sendRequest(method, params), ended, late]);
  try {
    const textDocument = { uri: `file:///bench/text.${languageId}`, version: 1 };
    const capabilities = { workspace: { configuration: true }, textDocument: { diagnostic: {} } };
    await request('initialize', { processId: process.pid, rootUri: null, capabilities });
    const initialize = performance.now() - started;
    await connection.sendNotification('initialized', {});
    await sleep(300);

    /** Whether the diagnostics show the broken line. */
    const shown = async () => {
      const { items } = await request('textDocument/diagnostic', { textDocument });
      return items.some(({ range }) => range.start.line === middle);
    };
    const opened = performance.now();
    const text = lines.join('\n');
    await connection.sendNotification('textDocument/didOpen', {
      textDocument: { ...textDocument, languageId, text },
    });
    if (await shown()) throw new Error(`the ${languageId} text of ${size} lines is not sound`);
    const first = performance.now() - opened;

    const edits = [];
    for (let turn = 0; turn < EDITS; turn++) {
      const insert = turn % 2 === 0;
      const start = { line: middle, character: 0 };
      const change = insert
        ? { range: { start, end: start }, text: `${broken}\n` }
        : { range: { start, end: { line: middle + 1, character: 0 } }, text: '' };
      const edited = performance.now();
      textDocument.version++;
      await connection.sendNotification('textDocument/didChange', { textDocument, contentChanges: [change] });
      if ((await shown()) !== insert)
        throw new Error(`the diagnostics of ${languageId} do not show the edit`);
      edits.push(performance.now() - edited);
    }
    edits.sort((a, b) => a - b);
    return { initialize, first, edit: edits[edits.length >> 1], memory: peakMemory(server.pid) };
  } finally {
    connection.dispose();
    server.kill();
  }
}

/** The kernel's peak of resident memory in MiB; null where there is no /proc. */
function peakMemory(pid) {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  } catch {
    return null;
  }
}

const FIGURES = [
  { key: 'initialize', name: 'start to initialize', unit: 'ms' },
  { key: 'first', name: 'open to diagnostics', unit: 'ms' },
  { key: 'edit', name: 'edit to diagnostics, median', unit: 'ms' },
  { key: 'memory', name: 'peak memory', unit: 'MiB' },
];

const out = join(root, 'dist/bench-lsp');
mkdirSync(out, { recursive: true });
try {
  await esbuild.build({
    ...shared,
    absWorkingDir: root,
    entryPoints: { server: 'server/src/serverMain.ts', worker: 'server/src/worker.ts' },
    outdir: out,
    platform: 'node',
    format: 'cjs',
  });
  const own = [process.execPath, join(out, 'server.js'), '--stdio'];
  const results = [];
  for (const size of SIZES) {
    const peer = options.peer && (await measure(options.peer.split(/\s+/), 'json', size));
    for (const languageId of ['vmconf', 'memmap']) {
      const measured = await measure(own, languageId, size);
      for (const { key, name, unit } of FIGURES) {
        if (measured[key] === null) continue;
        results.push({
          name: `${languageId}, ${size} lines: ${name}`,
          value: Number(measured[key].toFixed(1)),
          unit,
          peers: peer ? [{ name: 'JSON language server', value: Number(peer[key].toFixed(1)) }] : [],
        });
      }
    }
  }
  if (options.format === 'json') console.log(JSON.stringify({ results }));
  else {
    for (const { name, value, unit, peers } of results) {
      const beside = peers.map((peer) => ` (${peer.name}: ${peer.value} ${unit})`).join('');
      console.log(`${name}: ${value} ${unit}${beside}`);
    }
  }
} finally {
  rmSync(out, { recursive: true, force: true });
}
