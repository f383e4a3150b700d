/** The whole path over the wire: a vm.conf, the worker, the emulator. */
import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { SimulateParams, SimulateResult } from '../../server/src/protocol';
import { buildServer, Client, removeServer } from './client';

const LIMIT = { timeout: 120_000 };
const VMCONF = 'vm "alpine" {\n  memory 64M\n  disk "/vm/alpine.img"\n}\n';

let client: Client;
let folder: string;
let uri: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bootpath-boot-'));
  uri = pathToFileURL(join(folder, 'vm.conf')).href;
  client = await Client.start(await buildServer());
  await client.open(uri, 'vmconf', VMCONF);
});

after(async () => {
  client.kill();
  await client.exited;
  rmSync(folder, { recursive: true });
  removeServer();
});

/** A ROM of 64 KiB with some bytes at its reset vector, 16 bytes below its end. */
function rom(name: string, atReset: readonly number[]): string {
  const bytes = new Uint8Array(65536).fill(0x90);
  bytes.set(atReset, bytes.length - 16);
  writeFileSync(join(folder, name), bytes);
  return name;
}

function simulate(more: Partial<SimulateParams>): Promise<SimulateResult> {
  const images = { firmware: null, kernel: null, probe: null };
  const params = { uri, machine: 'alpine', ...images, taps: [], maxInstructions: 50_000_000, ...more };
  return client.request<SimulateResult>('bootpath/simulate', params);
}

test('the default probe boots, and the report names the line of the machine', LIMIT, async () => {
  const result = await simulate({});
  assert.notEqual(result.outcome, 'cancelled');
  assert.ok(result.text.includes(`${join(folder, 'vm.conf')}:1:`), result.text);
  assert.match(result.summary, /instructions/);
});

test('a loop that never ends ends with the budget', LIMIT, async () => {
  const result = await simulate({ firmware: rom('loop.bin', [0xeb, 0xfe]), maxInstructions: 1_000_000 });
  assert.equal(result.outcome, 'budget');
});

test('an edit cancels a boot that is under way', LIMIT, async () => {
  const told: { kind: string; message?: string }[] = [];
  client.onProgress('loop', (value) => told.push(value as (typeof told)[0]));
  const run = simulate({
    firmware: rom('forever.bin', [0xeb, 0xfe]),
    maxInstructions: 1_000_000_000_000,
    workDoneToken: 'loop',
  });
  await client.until(() => told.some(({ kind }) => kind === 'report'));
  await client.change(uri, VMCONF + '\n');
  assert.equal((await run).outcome, 'cancelled');
});

test('HLT with interrupts off is an end, and a ROM of garbage is survived', LIMIT, async () => {
  const halted = await simulate({ firmware: rom('halt.bin', [0xfa, 0xf4]) });
  assert.equal(halted.outcome, 'halted');
  const garbage = await simulate({ firmware: rom('garbage.bin', [0xff, 0xff, 0xff, 0xff]) });
  assert.ok(garbage.text.length > 0);
});

test('a kernel that is no kernel gives a sentence', LIMIT, async () => {
  writeFileSync(join(folder, 'kernel'), 'this is no ELF');
  const { outcome, text } = await simulate({ kernel: 'kernel' }).catch((error: Error) => ({
    outcome: 'error',
    text: error.message,
  }));
  assert.ok(
    outcome === 'error' || outcome === 'vmm-exit' || outcome === 'invalid-entry',
    `${outcome}: ${text}`,
  );
  assert.match(text, /does not start: the firmware has 14 bytes, .* "bios image too small"/);
});
