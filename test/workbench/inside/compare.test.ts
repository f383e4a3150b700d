/** Two maps of one log side by side, and a map against the config that it was booted from. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { closeAll, eventually, openClaimed } from './workbench';

const CONFIG = 'vmd-alpine/vm.conf';
const MAP = [
  'BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable',
  'BIOS-e820: [mem 0x0000000000100000-0x000000001fffffff] usable',
  'e820: update [mem 0x00000000-0x00000fff] usable ==> reserved',
].join('\n');

const compare = (left: object, right: object) =>
  vscode.commands.executeCommand<vscode.Uri | undefined>('bootpath.compareLayouts', left, right);
const textOf = (uri: vscode.Uri) =>
  vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString())?.getText();

async function openMap(): Promise<vscode.TextDocument> {
  const document = await vscode.workspace.openTextDocument({ language: 'memmap', content: MAP });
  await vscode.window.showTextDocument(document);
  return document;
}

describe('Compare memory layouts', () => {
  afterEach(closeAll);

  it('a map and what the kernel makes of it, in a document that cannot be edited and follows edits', async () => {
    const map = await openMap();
    const uri = map.uri.toString();
    const shown = await compare({ uri, machine: 'BIOS-e820' }, { uri, machine: 'BIOS-e820 as amended' });
    assert.equal(shown?.scheme, 'bootpath-comparison');
    assert.match(textOf(shown)!, /! \[0x0, 0x1000\) {2}4 KiB {2}RAM \| reserved/);
    const edit = new vscode.WorkspaceEdit();
    edit.replace(map.uri, map.lineAt(2).range, MAP.split('\n')[2]!.replace('0x00000fff', '0x00001fff'));
    await vscode.workspace.applyEdit(edit);
    await eventually('the new span', () => textOf(shown)?.includes('[0x0, 0x2000)'));
  });

  it('a config and a map: links lead to lines of the config', async () => {
    const map = await openMap();
    const config = await openClaimed(CONFIG);
    const shown = await compare(
      { uri: config.uri.toString(), machine: 'alpine' },
      { uri: map.uri.toString(), machine: 'BIOS-e820' },
    );
    assert.ok(shown);
    assert.match(textOf(shown)!, /VMM|guest/);
    const links = await vscode.commands.executeCommand<vscode.DocumentLink[]>(
      'vscode.executeLinkProvider',
      shown,
    );
    assert.ok(links.some(({ target }) => target?.path.endsWith(CONFIG)));
  });
});
