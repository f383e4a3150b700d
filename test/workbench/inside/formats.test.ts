/** The configs of all VMMs: recognised under the languages that they have in VS Code, and booted from their lens. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { SimulateResult } from '../../../server/src/protocol';
import { closeAll, eventually, open, quietly } from './workbench';

describe('the configs of other VMMs', () => {
  afterEach(closeAll);

  for (const [file, language, machine, under] of [
    ['firecracker.json', 'json', 'firecracker', 'firecracker'],
    ['cloud-hypervisor.json', 'json', 'cloud-hypervisor', 'cloud-hypervisor'],
    ['box.json', 'json', 'alpine:latest', 'libkrun'],
    ['propolis.toml', 'plaintext', 'guest', 'propolis'],
    ['bhyve.conf', 'bhyve-config', 'guest', 'bhyve'],
    ['krun.c', 'c', 'krun', 'libkrun'],
    ['start.sh', 'shellscript', 'guest', 'bhyve'],
    ['vm-bhyve.conf', 'vm-bhyve', 'vm-bhyve', 'bhyve'],
    ['qemu.cfg', 'qemu-config', 'qemu', 'pc'],
  ] as const) {
    it(`${file} stays or becomes ${language}, and boots as ${under}`, async () => {
      const { uri } = (await open(`formats/${file}`)).document;
      const lens = await eventually('the lens of the machine', async () => {
        const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
          'vscode.executeCodeLensProvider',
          uri,
          100,
        );
        return lenses.find(({ command }) => command?.title === '▶ Simulate boot');
      });
      const document = await vscode.workspace.openTextDocument(uri);
      assert.equal(document.languageId, language);
      const { command } = lens;
      assert.equal(command?.arguments?.[1], machine);
      const result = await vscode.commands.executeCommand<SimulateResult>(
        command.command,
        ...(command.arguments as unknown[]),
      );
      assert.match(result.text, new RegExp(`Simulated boot of "${machine}" under ${under}@`));
      assert.match(result.text, /The probe boot-path said "complete"/);
    });
  }

  it('a boot plan has its own language, and runs what it says', async () => {
    const { document } = await open('formats/entry.boot.toml');
    assert.equal(document.languageId, 'boot-plan');
    const lens = await eventually('the lens of the plan', async () => {
      const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
        'vscode.executeCodeLensProvider',
        document.uri,
        100,
      );
      return lenses.find(({ command }) => command?.title === '▶ Simulate boot');
    });
    const { command } = lens;
    const result = await vscode.commands.executeCommand<SimulateResult>(
      command!.command,
      ...(command!.arguments as unknown[]),
    );
    assert.match(result.text, /The guest halted after 1 instruction at 0x1001/);
  });

  it('a key that Firecracker ignores is found, respelt by its quick fix, and silenced in the settings', async () => {
    const { document } = await open('formats/misspelt.json');
    const ours = () =>
      vscode.languages.getDiagnostics(document.uri).find(({ source }) => source === 'bootpath');
    const found = await eventually('the finding', ours);
    assert.equal((found.code as { value: string }).value, 'firecracker-unknown-key');
    assert.equal(document.getText(found.range), '"network_interfaces"');
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      'vscode.executeCodeActionProvider',
      document.uri,
      found.range,
    );
    const titles = actions.map(({ title }) => title);
    assert.ok(titles.includes('Change to network-interfaces'), titles.join());
    const silence = actions.find(({ title }) => title === 'Silence firecracker-unknown-key in the settings');
    const settings = () => vscode.workspace.getConfiguration('bootpath', document.uri);
    try {
      await vscode.commands.executeCommand(
        silence!.command!.command,
        ...(silence!.command!.arguments as unknown[]),
      );
      assert.deepEqual(settings().get('severity'), { 'firecracker-unknown-key': 'off' });
      await eventually('the silence', () => ours() === undefined);
    } finally {
      await settings().update('severity', undefined, vscode.ConfigurationTarget.Workspace);
    }
  });
});

describe('other programs’ files of these languages', () => {
  afterEach(closeAll);

  for (const path of ['foreign/build.sh', 'foreign/settings.toml', 'foreign/app.ini']) {
    it(`${path} keeps its language and gets nothing of ours`, async () => {
      const { document } = await open(path);
      const { languageId } = document;
      await quietly();
      const now = await vscode.workspace.openTextDocument(document.uri);
      assert.equal(now.languageId, languageId);
      const ours = vscode.languages
        .getDiagnostics(document.uri)
        .filter(({ source }) => source === 'bootpath');
      assert.deepEqual(ours, []);
      const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
        'vscode.executeCodeLensProvider',
        document.uri,
      );
      assert.deepEqual(lenses, []);
    });
  }
});
