/** A boot plan that names a config, in an editor. */
import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type * as lsp from 'vscode-languageserver-types';
import type { LayoutResult, SimulateResult } from '../../server/src/protocol';
import { buildServer, Client, removeServer } from './client';

const LIMIT = { timeout: 60_000 };
const CONFIG = 'vm "one" {\n\tmemory 64M\n\tdisk "/one.img"\n}\n';
const PLAN = 'config = "vm.conf"\n[expect]\nconsole = "status complete"\n';

let folder: string;
let client: Client;
let plan: string;
let config: string;

before(async () => {
  const server = await buildServer();
  folder = mkdtempSync(join(tmpdir(), 'bootpath-plan-config-'));
  writeFileSync(join(folder, 'vm.conf'), CONFIG);
  plan = pathToFileURL(join(folder, 'one.boot.toml')).href;
  config = pathToFileURL(join(folder, 'vm.conf')).href;
  client = await Client.start(server);
  await client.open(plan, 'boot-plan', PLAN);
});

after(async () => {
  client.kill();
  await client.exited;
  removeServer();
  rmSync(folder, { recursive: true, force: true });
});

const codes = async (uri: string) => (await client.diagnostics(uri)).map(({ code }) => code);

test('its lens boots the machine of the config', LIMIT, async () => {
  assert.deepEqual(await codes(plan), []);
  const lenses = await client.about<lsp.CodeLens[]>('codeLens', plan);
  assert.deepEqual(lenses[0]!.command!.arguments, [plan, 'one']);
  const result = await client.request<SimulateResult>('bootpath/simulate', {
    ...{ uri: plan, machine: 'one', firmware: null, kernel: null, probe: null, taps: [] },
    maxInstructions: 1_000_000,
  });
  assert.equal(result.outcome, 'expectation-met');
  assert.deepEqual(result.findings, []);
});

test('the path is a link, and the address space that of the config', LIMIT, async () => {
  const links = await client.about<lsp.DocumentLink[]>('documentLink', plan);
  assert.deepEqual(
    links.map(({ target }) => target),
    [config],
  );
  const of = async (uri: string) =>
    (await client.request<LayoutResult>('bootpath/layout', { uri })).machines[0]!.regions;
  await client.open(config, 'vmconf', CONFIG);
  assert.deepEqual(await of(plan), await of(config));
});

test('a config that appears and goes again on the disk is seen', LIMIT, async () => {
  const file = join(folder, 'later.conf');
  const changed = () =>
    client.connection.sendNotification('workspace/didChangeWatchedFiles', {
      changes: [{ uri: pathToFileURL(file).href, type: 2 }],
    });
  await client.change(plan, PLAN.replace('vm.conf', 'later.conf'));
  assert.deepEqual(await codes(plan), ['boot-plan-config']);
  writeFileSync(file, CONFIG);
  await changed();
  assert.deepEqual(await codes(plan), []);
  rmSync(file);
  await changed();
  assert.deepEqual(await codes(plan), ['boot-plan-config']);
  await client.change(plan, PLAN);
});

test(
  'an edit of the config is told in the plan, and the config keeps findings of its own',
  LIMIT,
  async () => {
    await client.change(config, CONFIG.replace('disk', 'interface { switch "none" }\n\tdisk'));
    assert.deepEqual(await codes(config), ['vmconf-switch-undefined']);
    assert.deepEqual(await codes(plan), []);
    await client.change(config, CONFIG.replace('disk', 'disc'));
    const [found] = await client.diagnostics(plan);
    assert.deepEqual([found!.code, found!.range.start], ['boot-plan-config', { line: 0, character: 9 }]);
    const [related] = found!.relatedInformation!;
    assert.deepEqual([related!.location.uri, related!.location.range.start.line], [config, 2]);
    assert.notEqual((await client.diagnostics(config)).length, 0);
    await client.change(config, CONFIG);
    assert.deepEqual([await codes(plan), await codes(config)], [[], []]);
  },
);
