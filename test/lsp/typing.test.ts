/** What stays calm while somebody types: every half-typed state is answered, and lenses keep their place. */
import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import type * as lsp from 'vscode-languageserver-types';
import { buildServer, Client, removeServer } from './client';

const LIMIT = { timeout: 120_000 };

const FIRST = ['vm "first" {', '  memory 512M', '  disk "/vm/first.img"', '}', ''].join('\n');
const TYPED = [
  'sets = "/pub/"',
  'switch "lan" {',
  '  interface bridge0',
  '}',
  'vm "typed" {',
  '  memory 1G',
  '  boot $sets "bsd.rd"',
  "  owner 'me:wheel'",
  '  interface tap { switch "lan" lladdr fe:e1:bb:d1:00:01 }',
  '}',
  '',
].join('\n');
const LAST = ['vm "last" {', '  memory 640M', '  disable', '}', ''].join('\n');

let client: Client;

before(async () => {
  client = await Client.start(await buildServer());
});

after(async () => {
  client.kill();
  await client.exited;
  removeServer();
});

/** `line title` of each lens of a machine. */
async function lensesOf(uri: string, machine: string): Promise<string[]> {
  const lenses = await client.about<lsp.CodeLens[]>('codeLens', uri);
  return lenses
    .filter(({ command }) => (command?.arguments as string[])[1] === machine)
    .map(({ range, command }) => `${range.start.line} ${command?.title}`);
}

/** Opens a text and types into it at its end or before `rest`, character by character. */
async function type(uri: string, before: string, rest: string, seen: (typed: string) => Promise<void>) {
  await client.open(uri, 'vmconf', before + rest);
  let line = before.split('\n').length - 1;
  let character = 0;
  for (let i = 0; i < TYPED.length; i++) {
    const at = { line, character };
    await client.change(uri, TYPED[i]!, { start: at, end: at });
    if (TYPED[i] === '\n') {
      line++;
      character = 0;
    } else character++;
    await seen(TYPED.slice(0, i + 1));
  }
}

test('lenses above what is typed keep their number and place', LIMIT, async () => {
  const uri = 'file:///typing/above.conf';
  await type(uri, FIRST, '', async (typed) => {
    assert.deepEqual(
      await lensesOf(uri, 'first'),
      ['0 ▶ Simulate boot', '0 as…', '0 Show address space'],
      JSON.stringify(typed),
    );
  });
});

test('a machine that is being edited keeps its lenses', LIMIT, async () => {
  const uri = 'file:///typing/inside.conf';
  const text = FIRST + LAST;
  await client.open(uri, 'vmconf', text);
  const expected = await lensesOf(uri, 'first');
  const others = await lensesOf(uri, 'last');
  const at = (character: number) => ({ line: 1, character });
  const old = '  memory 512M';
  for (let length = old.length; length > 2; length--) {
    await client.change(uri, '', { start: at(length - 1), end: at(length) });
    const state = JSON.stringify(old.slice(0, length - 1));
    assert.deepEqual(await lensesOf(uri, 'first'), expected, state);
    assert.deepEqual(await lensesOf(uri, 'last'), others, state);
  }
  const typed = 'memory 2G';
  for (let length = 0; length < typed.length; length++) {
    const place = at(2 + length);
    await client.change(uri, typed[length]!, { start: place, end: place });
    assert.deepEqual(await lensesOf(uri, 'first'), expected, typed.slice(0, length + 1));
    assert.deepEqual(await lensesOf(uri, 'last'), others, typed.slice(0, length + 1));
  }
});

test('every half-typed state is answered by every feature', LIMIT, async () => {
  const uri = 'file:///typing/features.conf';
  await type(uri, '', LAST, async (typed) => {
    const lines = typed.split('\n');
    const position = { line: lines.length - 1, character: lines.at(-1)!.length };
    const range = { start: { line: 0, character: 0 }, end: position };
    assert.ok(Array.isArray(await client.diagnostics(uri)));
    for (const [method, more] of [
      ['hover', { position }],
      ['completion', { position }],
      ['definition', { position }],
      ['documentSymbol', {}],
      ['foldingRange', {}],
      ['inlayHint', { range }],
      ['codeAction', { range, context: { diagnostics: [] } }],
    ] as const) {
      await client.about(method, uri, more);
    }
    // While a line is being typed it runs into the machine that follows; at each line's end it stands for itself.
    if (!typed.endsWith('\n')) return;
    const row = position.line;
    assert.deepEqual(
      await lensesOf(uri, 'last'),
      [`${row} ▶ Simulate boot`, `${row} as…`, `${row} Show address space`],
      typed,
    );
  });
  assert.deepEqual(
    client.logged.filter((line) => line.includes('failed')),
    [],
  );
  assert.equal((await lensesOf(uri, 'typed')).length, 3);
});
