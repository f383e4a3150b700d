/** The example's crash, decoded beside its config. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { DecodeResult } from '../../../server/src/protocol';
import { closeAll, eventually, open, workspaceUri } from './workbench';

const CRASH = 'vmd-alpine/reboot-crash.txt';

const decode = (...args: unknown[]) =>
  vscode.commands.executeCommand<DecodeResult | undefined>('bootpath.decodeCrashDump', ...args);

const report = () =>
  eventually('the report', () =>
    vscode.workspace.textDocuments.find(
      (document) => document.languageId === 'bootpath-report' && document.getText().includes('vmd-lowmem'),
    ),
  );

describe('Decode crash dump', () => {
  afterEach(async () => {
    await vscode.commands.executeCommand('bootpath.clearCrashFindings');
    await closeAll();
  });

  it('a file: leads to vmd-lowmem and to lines of vm.conf by links', async () => {
    const result = await decode(workspaceUri(CRASH));
    assert.equal(result?.recognised, true);
    assert.ok(result.findings.some(({ code }) => code === 'vmd-lowmem'));
    const { uri } = await report();
    const links = await vscode.commands.executeCommand<vscode.DocumentLink[]>(
      'vscode.executeLinkProvider',
      uri,
    );
    const paths = links.map(({ target }) => target?.path.split('/').at(-1));
    assert.ok(paths.includes('vm.conf'), paths.join(', '));
  });

  it('the active editor: its findings are marked, and cleared on request', async () => {
    await open(CRASH);
    await decode();
    const marked = () =>
      vscode.languages
        .getDiagnostics()
        .flatMap(([uri, list]) => list.map((diagnostic) => ({ uri, diagnostic })))
        .filter(
          ({ diagnostic: { code } }) => (typeof code === 'object' ? code.value : code) === 'vmd-lowmem',
        );
    await eventually('a mark', () => marked().length > 0);
    await vscode.commands.executeCommand('bootpath.clearCrashFindings');
    await eventually('no mark', () => marked().length === 0);
  });

  it('the clipboard, where no editor is open', async () => {
    const text = (await vscode.workspace.openTextDocument(workspaceUri(CRASH))).getText();
    await closeAll();
    await vscode.env.clipboard.writeText(text);
    const result = await decode();
    assert.equal(result?.recognised, true);
  });

  it('a selection without a crash says so', async () => {
    const editor = await open('foreign/notes.txt');
    editor.selection = new vscode.Selection(0, 0, 1, 0);
    const result = await decode();
    assert.equal(result?.recognised, false);
  });
});
