/** The boot of a boot plan from the editor. */
import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type * as lsp from 'vscode-languageserver-types';
import type { SimulateParams, SimulateResult } from '../../server/src/protocol';
import { buildServer, Client, removeServer } from './client';

const LIMIT = { timeout: 60_000 };
/** `mov al, 'A'; out dx, al; cli; hlt`. */
const CODE = Uint8Array.of(0xb0, 0x41, 0xee, 0xfa, 0xf4);
const PLAN = `name = "letters"
vmm = "pc"
region = [{ kind = "ram", start = 0, end = "2M" }]
gdt = { base = 0x1000, entries = [0, { type = "code32" }, { type = "data" }] }
vcpu = [{ cr0 = ["PE", "ET"], cs = 8, ds = 16, ss = 16, rip = 0x100000, rdx = 0x3f8 }]
load = [{ kind = "flat", at = 0x100000, file = "code.bin" }]
[expect]
outcome = "halted"
console = "A"
`;

let folder: string;
let client: Client;
let uri: string;

before(async () => {
  const server = await buildServer();
  folder = mkdtempSync(join(tmpdir(), 'bootpath-plan-'));
  writeFileSync(join(folder, 'code.bin'), CODE);
  uri = pathToFileURL(join(folder, 'one.boot.toml')).href;
  client = await Client.start(server);
  await client.open(uri, 'boot-plan', PLAN);
});

after(async () => {
  client.kill();
  await client.exited;
  removeServer();
  rmSync(folder, { recursive: true, force: true });
});

const simulate = (more: Partial<SimulateParams> = {}) =>
  client.request<SimulateResult>('bootpath/simulate', {
    ...{ uri, machine: 'letters', firmware: null, kernel: null, probe: null, taps: [] },
    ...{ maxInstructions: 1_000_000, ...more },
  });

test('the lens of a plan boots it with what it says, whatever the settings have', LIMIT, async () => {
  const titles = (await client.about<lsp.CodeLens[]>('codeLens', uri)).map(({ command }) => command!.title);
  assert.deepEqual(titles.slice(0, 2), ['▶ Simulate boot', 'as…']);
  const { outcome, text, findings } = await simulate({ firmware: join(folder, 'nowhere.rom') });
  assert.equal(outcome, 'halted');
  assert.match(text, /\nConsole\n {2}A\n/);
  assert.deepEqual(findings, []);
});

test('under another VMM it is the same plan', LIMIT, async () => {
  const { outcome, text } = await simulate({ as: { vmm: 'firecracker', version: '1.7' } });
  assert.equal(outcome, 'halted');
  assert.match(text, /^Simulated boot of "letters" under firecracker@1\.7/);
});

test('a missed expectation is a finding at its line', LIMIT, async () => {
  await client.change(uri, PLAN.replace('console = "A"', 'console = "B"'));
  const { findings } = await simulate();
  assert.deepEqual(
    findings.map(({ code, range }) => [code, range?.start.line]),
    [['boot-expectation-missed', 8]],
  );
});

test('a file that is not there is told', LIMIT, async () => {
  await client.change(uri, PLAN.replace('code.bin', 'none.bin'));
  await assert.rejects(simulate(), /Cannot read the image .*none\.bin: there is no such file\./);
});
