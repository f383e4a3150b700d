/** What is ours and what is not: this file runs first, while the server has not been started. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { closeAll, eventually, extension, open, openClaimed, quietly } from './workbench';

describe('files that are not ours', () => {
  afterEach(closeAll);

  for (const path of ['foreign/notes.txt', 'foreign/vm.conf', 'foreign/build.json']) {
    it(`${path} starts no server and gets no finding`, async () => {
      const api = await extension();
      const editor = await open(path);
      await quietly();
      assert.equal(api.serverRunning, false);
      assert.notEqual(editor.document.languageId, 'vmconf');
      const ours = vscode.languages
        .getDiagnostics(editor.document.uri)
        .filter(({ source }) => source === 'bootpath');
      assert.deepEqual(ours, []);
    });
  }

  it('the JSON server works beside us: its finding and its symbols show', async () => {
    const { document } = await open('foreign/build.json');
    assert.equal(document.languageId, 'json');
    await eventually('a finding of the JSON server', () =>
      vscode.languages.getDiagnostics(document.uri).find(({ source }) => source?.startsWith('json')),
    );
    const symbols = await vscode.commands.executeCommand<vscode.DocumentSymbol[]>(
      'vscode.executeDocumentSymbolProvider',
      document.uri,
    );
    assert.ok(symbols.some(({ name }) => name === 'targets'));
    assert.equal((await extension()).serverRunning, false);
  });
});

describe('files that are ours', () => {
  after(closeAll);

  it('a vm.conf is switched to vmconf for its content, and its finding shows', async () => {
    const document = await openClaimed('vmd/vm.conf');
    const api = await extension();
    await eventually('server', () => api.serverRunning);
    await eventually('a finding of ours', () =>
      vscode.languages.getDiagnostics(document.uri).find(({ source }) => source === 'bootpath'),
    );
  });

  it('not where claiming by content is turned off', async () => {
    const settings = vscode.workspace.getConfiguration('bootpath');
    await settings.update('claimByContent', false, vscode.ConfigurationTarget.Workspace);
    try {
      const { document } = await open('vmd/second.conf');
      await quietly();
      assert.equal(document.languageId, 'properties');
    } finally {
      await settings.update('claimByContent', undefined, vscode.ConfigurationTarget.Workspace);
    }
  });

  it('a language that somebody chooses by hand stands', async () => {
    const { uri } = await openClaimed('vmd/by-hand.conf');
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.languages.setTextDocumentLanguage(document, 'properties');
    await quietly();
    const now = await vscode.workspace.openTextDocument(uri);
    assert.equal(now.languageId, 'properties');
    const ours = vscode.languages.getDiagnostics(uri).filter(({ source }) => source === 'bootpath');
    assert.deepEqual(ours, []);
  });
});
