/** The address-space panel from the extension's side; clicks and keys are in ../outside. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { closeAll, eventually, openClaimed } from './workbench';

const panels = () =>
  vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .filter(
      ({ input }) =>
        input instanceof vscode.TabInputWebview && input.viewType.endsWith('bootpath.addressSpace'),
    );

describe('Show address space', () => {
  afterEach(closeAll);

  it('opens one panel a document, however often it is asked for', async () => {
    const { uri } = await openClaimed('vmd/vm.conf');
    await vscode.commands.executeCommand('bootpath.showAddressSpace', uri.toString(), 'alpine');
    await eventually('a panel', () => panels().length === 1);
    await vscode.commands.executeCommand('bootpath.showAddressSpace', uri.toString(), 'tiny');
    assert.equal(panels().length, 1);
    assert.match(panels()[0]!.label, /vm\.conf/);
  });
});
