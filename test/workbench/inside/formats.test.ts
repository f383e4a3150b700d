/** The configs of all VMMs: recognised under the languages that they have in VS Code, and booted from their lens. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { SimulateResult } from '../../../server/src/protocol';
import { closeAll, eventually, open } from './workbench';

describe('the configs of other VMMs', () => {
  afterEach(closeAll);

  for (const [file, language, machine, under] of [
    ['firecracker.json', 'json', 'firecracker', 'firecracker'],
    ['cloud-hypervisor.json', 'json', 'cloud-hypervisor', 'cloud-hypervisor'],
    ['box.json', 'json', 'alpine:latest', 'libkrun'],
    ['propolis.toml', 'plaintext', 'guest', 'propolis'],
    ['bhyve.conf', 'bhyve-config', 'guest', 'bhyve'],
    ['krun.c', 'c', 'krun', 'libkrun'],
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
});
