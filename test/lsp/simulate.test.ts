/** Simulated boots over the wire: progress, cancellation, errors, and the outcome beside the lens. */
import { strict as assert } from 'node:assert';
import { after, afterEach, before, test } from 'node:test';
import type * as lsp from 'vscode-languageserver-types';
import { CancellationTokenSource } from 'vscode-jsonrpc/node';
import type { SimulateParams, SimulateResult } from '../../server/src/protocol';
import { buildServer, Client, removeServer } from './client';

const LIMIT = { timeout: 60_000 };
const URI = 'file:///project/main.toy';

let server: string;
let client: Client;

before(async () => {
  server = await buildServer('test/lsp/toyServer.ts');
});

after(removeServer);

afterEach(async () => {
  client.kill();
  await client.exited;
});

async function open(): Promise<void> {
  client = await Client.start(server);
  await client.open(URI, 'plaintext', '# toy\nmachine a\nmachine b');
}

function params(more: Partial<SimulateParams> = {}): SimulateParams {
  const images = { firmware: null, kernel: null, probe: null };
  return { uri: URI, machine: 'a', ...images, taps: [], maxInstructions: 1_000_000, ...more };
}

const simulate = (more?: Partial<SimulateParams>) =>
  client.request<SimulateResult>('bootpath/simulate', params(more));

const titles = async () =>
  (await client.about<lsp.CodeLens[]>('codeLens', URI)).map(({ command }) => command!.title);

test('the outcome stands beside the lens until the text changes, then it is called old', LIMIT, async () => {
  await open();
  const result = await simulate();
  assert.equal(result.outcome, 'reset');
  await client.until(() => client.asked.some(({ method }) => method === 'workspace/codeLens/refresh'));
  assert.deepEqual(await titles(), [
    '▶ Simulate boot',
    'as…',
    'Show address space',
    result.summary,
    '▶ Simulate boot',
    'as…',
    'Show address space',
  ]);
  await client.change(URI, '# toy\nmachine a\nmachine b\n');
  assert.equal((await titles())[3], `${result.summary} (before the last edit)`);
});

test('an edit cancels the run', LIMIT, async () => {
  await open();
  const run = simulate({ probe: 'forever' });
  // Answered after the run began: requests are taken in order.
  await titles();
  await client.change(URI, '# toy\nmachine a');
  const { outcome, text } = await run;
  assert.equal(outcome, 'cancelled');
  assert.match(text, /the text was edited/);
  assert.deepEqual(await titles(), ['▶ Simulate boot', 'as…', 'Show address space']);
});

test('a second request for the same machine cancels the first, another machine does not', LIMIT, async () => {
  await open();
  const first = simulate({ probe: 'forever' });
  assert.equal((await simulate({ machine: 'b' })).outcome, 'reset');
  assert.equal((await simulate()).outcome, 'reset');
  const { outcome, text } = await first;
  assert.equal(outcome, 'cancelled');
  assert.match(text, /another simulation/);
});

test('the user cancels by the protocol’s own means', LIMIT, async () => {
  await open();
  const source = new CancellationTokenSource();
  const run = client.connection.sendRequest<SimulateResult>(
    'bootpath/simulate',
    params({ probe: 'forever' }),
    source.token,
  );
  await titles();
  source.cancel();
  assert.equal((await run).outcome, 'cancelled');
});

test('progress begins, tells how far it is, and ends', LIMIT, async () => {
  await open();
  const told: { kind: string; percentage?: number }[] = [];
  client.onProgress('run-1', (value) => told.push(value as (typeof told)[0]));
  await simulate({ workDoneToken: 'run-1' });
  await client.until(() => told.some(({ kind }) => kind === 'end'));
  assert.deepEqual(
    told.map(({ kind, percentage }) => [kind, percentage]),
    [
      ['begin', 0],
      ['report', 50],
      ['end', undefined],
    ],
  );
});

for (const [what, more, message] of [
  ['an unknown machine', { machine: 'c' }, /no machine named "c"/],
  [
    'a firmware that is not there',
    { firmware: 'gone.bin' },
    /Cannot read the image \/project\/gone\.bin: there is no such file/,
  ],
  ['a folder as a kernel', { kernel: '/' }, /Cannot read the image \/: it is not an ordinary file/],
  ['a worker that dies', { probe: 'crash' }, /the worker is gone/],
  ['a text that is not ours', { uri: 'file:///project/other' }, /not one that Bootpath understands/],
] as const) {
  test(`${what} is an error with a sentence, and the next run works`, LIMIT, async () => {
    await open();
    await assert.rejects(simulate(more), message);
    assert.equal((await simulate()).outcome, 'reset');
  });
}

test('shutdown ends a run that would not end', LIMIT, async () => {
  await open();
  const run = simulate({ probe: 'forever' });
  await titles();
  assert.equal(await client.stop(), 0);
  assert.equal((await run).outcome, 'cancelled');
});
