/** Images without a config over the wire, booted on the emulator. */
import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CancellationTokenSource } from 'vscode-jsonrpc/node';
import type { SimulateImageParams, SimulateResult } from '../../server/src/protocol';
import { multibootFile } from '../unit/simulation/multibootFile';
import { buildServer, Client, removeServer } from './client';

const LIMIT = { timeout: 60_000 };

let server: string;
let client: Client;
let folder: string;

before(async () => {
  server = await buildServer();
  folder = mkdtempSync(join(tmpdir(), 'bootpath-image-'));
});

after(() => {
  removeServer();
  rmSync(folder, { recursive: true, force: true });
});

afterEach(async () => {
  client.kill();
  await client.exited;
});

function params(image: Uint8Array, more: Partial<SimulateImageParams> = {}): SimulateImageParams {
  const path = join(folder, 'image');
  writeFileSync(path, image);
  const limits = { memory: 64, vcpus: 1, maxInstructions: 100_000 };
  return { path, commandLine: '', initrd: null, ...limits, ...more };
}

const boot = (asked: SimulateImageParams) => client.request<SimulateResult>('bootpath/simulateImage', asked);

/** MOV EDX, 0x3f8; MOV AL, "!"; OUT DX, AL; HLT */
const CODE = Uint8Array.of(0xba, 0xf8, 0x03, 0x00, 0x00, 0xb0, 0x21, 0xee, 0xf4);

for (const [title, image] of [
  ['a kernel', multibootFile(CODE)],
  ['a packed kernel', gzipSync(multibootFile(CODE))],
] as const) {
  test(`${title} boots on the plain PC, and its report is the one of the command line`, LIMIT, async () => {
    client = await Client.start(server);
    const { outcome, text } = await boot(params(image));
    assert.equal(outcome, 'halted', text);
    assert.match(text, /^Simulated boot of ".*image" under pc@i440fx\n/);
    assert.match(text, /\nConsole\n {2}!\n/);
  });
}

test('what is no image, and a file that is not there, are told in a sentence', LIMIT, async () => {
  client = await Client.start(server);
  await assert.rejects(boot(params(Uint8Array.of(1, 2, 3))), /neither a kernel nor a firmware nor a disk/);
  const gone = { ...params(CODE), path: join(folder, 'gone') };
  await assert.rejects(boot(gone), /Cannot read the image .*gone: there is no such file/);
  const initrd = { ...params(multibootFile(CODE)), initrd: join(folder, 'gone') };
  await assert.rejects(boot(initrd), /Cannot read the image .*gone: there is no such file/);
});

test('a boot ends when it is cancelled', LIMIT, async () => {
  client = await Client.start(server);
  const cancel = new CancellationTokenSource();
  const forever = params(multibootFile(Uint8Array.of(0xeb, 0xfe)), { maxInstructions: 1e12 });
  const run = client.connection.sendRequest<SimulateResult>('bootpath/simulateImage', forever, cancel.token);
  await client.request('bootpath/status', { uri: 'file:///none' });
  cancel.cancel();
  assert.equal((await run).outcome, 'cancelled');
});
