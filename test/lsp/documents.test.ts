/** Which texts are ours, what they include, and how diagnostics reach each kind of client. */
import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type * as lsp from 'vscode-languageserver-types';
import { buildServer, Client, removeServer, type ClientOptions } from './client';
import { applyEdits } from './markers';

const LIMIT = { timeout: 60_000 };
const URI = 'file:///project/main.toy';
const EVERYTHING = { start: { line: 0, character: 0 }, end: { line: 10_000, character: 0 } };
const AT_START = { position: { line: 0, character: 0 } };

let server: string;
let running: Client[] = [];

before(async () => {
  server = await buildServer('test/lsp/toyServer.ts');
});

after(removeServer);

afterEach(async () => {
  for (const client of running) client.kill();
  await Promise.all(running.map(({ exited }) => exited));
  running = [];
});

async function start(options?: ClientOptions): Promise<Client> {
  const client = await Client.start(server, options);
  running.push(client);
  return client;
}

/** A client of the time before pull diagnostics. */
const PUSH: ClientOptions = { capabilities: {} };

const codes = (diagnostics: readonly lsp.Diagnostic[]) => diagnostics.map(({ code }) => code);

test('diagnostics are pulled', LIMIT, async () => {
  const client = await start();
  await client.open(URI, 'plaintext', '# toy\ntyop');
  assert.deepEqual(codes(await client.diagnostics(URI)), ['toy-typo']);
  await client.change(URI, 'typo', { start: { line: 1, character: 0 }, end: { line: 1, character: 4 } });
  assert.deepEqual(await client.diagnostics(URI), []);
  assert.deepEqual(client.pushed, []);
});

test('a client that cannot pull gets each state pushed, and nothing after the close', LIMIT, async () => {
  const client = await start(PUSH);
  await client.open(URI, 'plaintext', '# toy\ntyop');
  await client.until(() => client.pushed.length === 1);
  await client.change(URI, '# toy\ntyop tyop');
  await client.until(() => client.pushed.length === 2);
  await client.close(URI);
  await client.until(() => client.pushed.length === 3);
  assert.deepEqual(
    client.pushed.map(({ diagnostics }) => diagnostics.length),
    [1, 2, 0],
  );
});

test('a text that stops being ours is cleared, and becomes ours again', LIMIT, async () => {
  const client = await start(PUSH);
  await client.open(URI, 'plaintext', '# toy\ntyop');
  await client.until(() => client.pushed.length === 1);
  await client.change(URI, 'tyop');
  await client.until(() => client.pushed.length === 2);
  await client.change(URI, '# toy\ntyop');
  await client.until(() => client.pushed.length === 3);
  assert.deepEqual(
    client.pushed.map(({ diagnostics }) => diagnostics.length),
    [1, 0, 1],
  );
});

test('a text that is not ours gets silence', LIMIT, async () => {
  const client = await start();
  await client.open(URI, 'plaintext', 'machine a\n0x0..0x1000 ram\ntyop');
  assert.deepEqual(await client.diagnostics(URI), []);
  assert.equal(await client.about('hover', URI, { position: { line: 1, character: 2 } }), null);
  for (const [method, more] of [
    ['codeLens', {}],
    ['completion', AT_START],
    ['documentLink', {}],
    ['documentSymbol', {}],
    ['foldingRange', {}],
    ['inlayHint', { range: EVERYTHING }],
    ['references', { ...AT_START, context: { includeDeclaration: true } }],
    ['codeAction', { range: EVERYTHING, context: { diagnostics: [] } }],
  ] as const) {
    assert.deepEqual(await client.about(method, URI, more), [], method);
  }
  const status = await client.request<{ language: unknown }>('bootpath/status', { uri: URI });
  assert.equal(status.language, null);
});

test('nor is a text pushed that never was ours', LIMIT, async () => {
  const client = await start(PUSH);
  await client.open('file:///project/other.txt', 'plaintext', 'tyop');
  await client.open(URI, 'plaintext', '# toy\ntyop');
  await client.until(() => client.pushed.length > 0);
  assert.deepEqual(
    client.pushed.map(({ uri }) => uri),
    [URI],
  );
});

test('the language id of somebody else keeps its outline', LIMIT, async () => {
  const client = await start();
  await client.open(URI, 'properties', '# toy\nmachine a');
  assert.deepEqual(await client.about('documentSymbol', URI), []);
  assert.equal((await client.about<unknown[]>('codeLens', URI)).length, 3);
  await client.open(URI + '2', 'vmconf', '# toy\nmachine a');
  assert.equal((await client.about<unknown[]>('documentSymbol', URI + '2')).length, 1);
});

test('includes come from disk, from an open editor first, and their change is noticed', LIMIT, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bootpath-include-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const uriOf = (name: string) => pathToFileURL(join(folder, name)).href;
  writeFileSync(join(folder, 'part.toy'), 'include sub.toy');
  writeFileSync(join(folder, 'sub.toy'), 'machine deep');
  const client = await start();
  const main = uriOf('main.toy');
  const names = async () => {
    const { machines } = await client.request<{ machines: { name: string }[] }>('bootpath/layout', {
      uri: main,
    });
    return machines.map(({ name }) => name);
  };
  await client.open(main, 'plaintext', '# toy\ninclude part.toy');
  assert.deepEqual(await names(), ['deep']);

  writeFileSync(join(folder, 'sub.toy'), 'machine deeper');
  await client.connection.sendNotification('workspace/didChangeWatchedFiles', {
    changes: [{ uri: uriOf('sub.toy'), type: 2 }],
  });
  assert.deepEqual(await names(), ['deeper']);
  await client.until(() => client.asked.some(({ method }) => method === 'workspace/diagnostic/refresh'));

  await client.open(uriOf('sub.toy'), 'plaintext', '# toy\nmachine edited');
  assert.deepEqual(await names(), ['edited']);
  await client.change(uriOf('sub.toy'), '# toy\nmachine twice');
  assert.deepEqual(await names(), ['twice']);
  await client.close(uriOf('sub.toy'));
  assert.deepEqual(await names(), ['deeper']);

  const watched = JSON.stringify(client.asked.filter(({ method }) => method === 'client/registerCapability'));
  assert.match(watched, /"pattern":"sub\.toy"/);
});

test('findings of an include are shown at the include, and in the included file itself', LIMIT, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bootpath-include-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const uriOf = (name: string) => pathToFileURL(join(folder, name)).href;
  writeFileSync(join(folder, 'part.toy'), 'tyop');
  const client = await start();
  await client.open(uriOf('main.toy'), 'plaintext', '# toy\ninclude part.toy');
  const [atInclude] = await client.diagnostics(uriOf('main.toy'));
  assert.deepEqual(atInclude?.range.start, { line: 1, character: 8 });
  assert.equal(atInclude?.relatedInformation?.[0]?.location.uri, uriOf('part.toy'));
  await client.open(uriOf('part.toy'), 'vmconf', 'ok\ntyop');
  const [inside] = await client.diagnostics(uriOf('part.toy'));
  assert.deepEqual(inside?.range.start, { line: 1, character: 0 });
});

test('an include that is missing, a folder or the file itself is survived', LIMIT, async () => {
  const client = await start();
  await client.open(URI, 'plaintext', '# toy\ninclude gone.toy\ninclude /tmp\ninclude main.toy\nmachine a');
  const { machines } = await client.request<{ machines: unknown[] }>('bootpath/layout', { uri: URI });
  assert.equal(machines.length, 1);
});

test('settings: a level by code, and one log line for each that is invalid', LIMIT, async () => {
  const settings = { severity: { 'toy-typo': 'error', other: 'loud' }, inlayHints: { end: 'yes' } };
  const client = await start({ settings });
  await client.open(URI, 'plaintext', '# toy\nmachine a\n0x0..0x1000 ram\ntyop');
  assert.equal((await client.diagnostics(URI))[0]?.severity, 1);
  const hints = await client.about<lsp.InlayHint[]>('inlayHint', URI, { range: EVERYTHING });
  assert.equal(hints[0]?.label, '→ 0x1000 · 4 KiB · ram');
  assert.equal(client.logged.filter((line) => line.includes('"other"')).length, 1);
  assert.equal(client.logged.filter((line) => line.includes('inlayHints.end')).length, 1);

  client.settings = { severity: { 'toy-typo': 'off' }, inlayHints: { kind: false }, codeLens: false };
  await client.connection.sendNotification('workspace/didChangeConfiguration', { settings: null });
  assert.deepEqual(await client.diagnostics(URI), []);
  const fewer = await client.about<lsp.InlayHint[]>('inlayHint', URI, { range: EVERYTHING });
  assert.equal(fewer[0]?.label, '→ 0x1000 · 4 KiB');
  assert.deepEqual(await client.about('codeLens', URI), []);
});

test('a client that cannot be asked sends its settings', LIMIT, async () => {
  const client = await start(PUSH);
  await client.open(URI, 'plaintext', '# toy\ntyop');
  await client.until(() => client.pushed.length === 1);
  await client.connection.sendNotification('workspace/didChangeConfiguration', {
    settings: { bootpath: { severity: { 'toy-typo': 'hint' } } },
  });
  await client.until(() => client.pushed.length === 2);
  assert.equal(client.pushed[1]?.diagnostics[0]?.severity, 4);
});

test('a client that answers every request with an error is survived', LIMIT, async () => {
  const client = await start({ refuses: true });
  await client.open(URI, 'plaintext', '# toy\ntyop');
  assert.deepEqual(codes(await client.diagnostics(URI)), ['toy-typo']);
  await client.connection.sendNotification('workspace/didChangeConfiguration', { settings: {} });
  await client.until(() => client.asked.some(({ method }) => method === 'workspace/diagnostic/refresh'));
  assert.deepEqual(codes(await client.diagnostics(URI)), ['toy-typo']);
});

test('a client that can do nothing is asked for nothing', LIMIT, async () => {
  const client = await start(PUSH);
  await client.open(URI, 'plaintext', '# toy\ninclude gone.toy\ntyop');
  await client.connection.sendNotification('workspace/didChangeConfiguration', { settings: {} });
  await client.until(() => client.pushed.length >= 2);
  assert.deepEqual(client.asked, []);
});

test('the version is shown, chosen and given back', LIMIT, async () => {
  const client = await start();
  await client.open(URI, 'plaintext', '# toy\nmachine a');
  type Status = { version: string; reason: string; versions: { id: string }[] };
  const shown = await client.request<Status>('bootpath/status', { uri: URI });
  assert.deepEqual([shown.version, shown.reason, shown.versions.length], ['2', 'newest', 2]);
  const chosen = await client.request<Status>('bootpath/chooseVersion', { uri: URI, version: '1' });
  assert.deepEqual([chosen.version, chosen.reason], ['1', 'asked']);
  const { machines } = await client.request<{ machines: { vmm: string }[] }>('bootpath/layout', { uri: URI });
  assert.equal(machines[0]?.vmm, 'toy@1');
  await assert.rejects(
    client.request('bootpath/chooseVersion', { uri: URI, version: '9' }),
    /no version "9" of toy/,
  );
  const back = await client.request<Status>('bootpath/chooseVersion', { uri: URI, version: null });
  assert.deepEqual([back.version, back.reason], ['2', 'newest']);
});

for (const [method, params] of [
  ['bootpath/status', {}],
  ['bootpath/status', { uri: 7 }],
  ['bootpath/regionAt', { uri: URI, position: { line: -1, character: 0 } }],
  ['bootpath/simulate', { uri: URI, machine: 'a' }],
] as const) {
  test(`${method} refuses ${JSON.stringify(params)}`, LIMIT, async () => {
    const client = await start();
    await assert.rejects(client.request(method, params), { code: -32602 });
  });
}

test('a handler that throws is logged, answers with nothing, and the server lives', LIMIT, async () => {
  const client = await start();
  await client.open(URI, 'plaintext', '# toy throw');
  assert.equal(await client.about('hover', URI, AT_START), null);
  await client.until(() => client.logged.some((line) => line.includes('hover failed')));
  assert.deepEqual(await client.diagnostics(URI), []);
});

test('a quick fix of the server gives the text that it promises', LIMIT, async () => {
  const client = await start();
  const text = '# toy\r\n🐡 tyop\r\n';
  await client.open(URI, 'plaintext', text);
  const diagnostics = await client.diagnostics(URI);
  const [action] = await client.about<lsp.CodeAction[]>('codeAction', URI, {
    range: diagnostics[0]!.range,
    context: { diagnostics, only: ['quickfix'] },
  });
  assert.equal(applyEdits(text, action!.edit!.changes![URI]!), '# toy\r\n🐡 typo\r\n');
});

test('the server speaks over IPC as well, which is how VS Code starts it', LIMIT, async () => {
  const client = await start({ ipc: true });
  await client.open(URI, 'plaintext', '# toy\ntyop');
  assert.deepEqual(codes(await client.diagnostics(URI)), ['toy-typo']);
  assert.equal(await client.stop(), 0);
});

test('shutdown and exit end the server with code 0', LIMIT, async () => {
  const client = await start();
  await client.open(URI, 'plaintext', '# toy');
  assert.equal(await client.stop(), 0);
});

test('exit without shutdown ends it with code 1', LIMIT, async () => {
  const client = await start();
  await client.connection.sendNotification('exit');
  assert.equal(await client.exited, 1);
});
