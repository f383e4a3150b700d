/** Booting from the lens: the report, the outcome beside the lens, and what ends a run. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { SimulateResult } from '../../../server/src/protocol';
import { closeAll, eventually, openClaimed, workspaceUri } from './workbench';

const simulate = (uri: vscode.Uri, machine: string) =>
  vscode.commands.executeCommand<SimulateResult | undefined>(
    'bootpath.simulateBoot',
    uri.toString(),
    machine,
  );

const lensTitles = async (uri: vscode.Uri): Promise<string[]> => {
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
    'vscode.executeCodeLensProvider',
    uri,
    100,
  );
  return lenses.map(({ command }) => command?.title ?? '');
};

describe('Simulate boot', () => {
  let document: vscode.TextDocument;
  before(async () => {
    document = await openClaimed('vmd/vm.conf');
  });
  after(closeAll);

  it('boots the probe guest and reports', async () => {
    const result = await simulate(document.uri, 'alpine');
    assert.ok(result, 'no result');
    assert.notEqual(result.outcome, 'cancelled');
    assert.match(result.text, /Outcome: /);
    const report = await eventually('the report in the output channel', () =>
      vscode.workspace.textDocuments.find(
        (other) => other.languageId === 'bootpath-report' && other.getText().includes('Outcome: '),
      ),
    );
    const links = await vscode.commands.executeCommand<vscode.DocumentLink[]>(
      'vscode.executeLinkProvider',
      report.uri,
    );
    assert.ok(
      links.some(({ target }) => target?.path.endsWith('vmd/vm.conf') && /^L2/.test(target.fragment)),
    );
  });

  it('shows the outcome beside the lens, in the words of the result', async () => {
    const result = await simulate(document.uri, 'alpine');
    await eventually('the outcome lens', async () =>
      (await lensTitles(document.uri)).includes(result!.summary),
    );
  });

  it('boots the same guest as another version, and says where it parts from the config’s own', async () => {
    const compare = { vmm: 'vmd', version: 'x86_vm-1.27' };
    const result = await vscode.commands.executeCommand<SimulateResult | undefined>(
      'bootpath.compareBoots',
      document.uri,
      'alpine',
      { compare },
    );
    assert.match(result?.text ?? '', /Compared with vmd@x86_vm-1\.27/);
    const as = await vscode.commands.executeCommand<SimulateResult | undefined>(
      'bootpath.simulateBootAs',
      document.uri,
      'alpine',
      { as: compare },
    );
    assert.match(as?.text ?? '', /under vmd@x86_vm-1\.27/);
  });

  it('shows a known issue with this machine, run by run', async () => {
    const result = await vscode.commands.executeCommand<SimulateResult | undefined>(
      'bootpath.simulateBootAs',
      document.uri,
      'alpine',
      { knownIssue: 'vmd-lowmem' },
    );
    assert.match(result?.text ?? '', /^Known issue vmd-lowmem\n/);
    assert.match(result?.text ?? '', /Runs: \d+ of \d+ come to the state that the report describes/);
  });

  describe('of a ROM that loops for ever', () => {
    const settings = () => vscode.workspace.getConfiguration('bootpath.simulate', document.uri);
    const { Workspace } = vscode.ConfigurationTarget;

    before(async () => {
      // JMP to itself at the reset vector, 16 bytes below the end.
      const rom = new Uint8Array(0x1_0000).fill(0x90);
      rom.set([0xeb, 0xfe], 0xfff0);
      await vscode.workspace.fs.writeFile(workspaceUri('endless.rom'), rom);
      await settings().update('firmware', '${workspaceFolder}/endless.rom', Workspace);
      await settings().update('maxInstructions', Number.MAX_SAFE_INTEGER, Workspace);
    });
    after(async () => {
      await settings().update('firmware', undefined, Workspace);
      await settings().update('maxInstructions', undefined, Workspace);
    });

    it('is ended by an edit', async () => {
      const running = simulate(document.uri, 'alpine');
      const edit = new vscode.WorkspaceEdit();
      edit.insert(document.uri, new vscode.Position(0, 0), '# edited\n');
      await vscode.workspace.applyEdit(edit);
      assert.equal(await running, undefined);
      await vscode.commands.executeCommand('undo');
    });

    it('is ended by a second click, whose run is another one', async () => {
      const first = simulate(document.uri, 'alpine');
      await settings().update('maxInstructions', 1_000_000, Workspace);
      const second = await simulate(document.uri, 'alpine');
      assert.equal(await first, undefined);
      assert.equal(second?.outcome, 'budget');
    });
  });
});
