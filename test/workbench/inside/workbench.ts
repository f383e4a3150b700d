/** Waiting and opening, as a person at the editor would. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { BootpathApi } from '../../../client/src/extension';

export async function extension(): Promise<BootpathApi> {
  const found = vscode.extensions.getExtension<BootpathApi>('bootpath.bootpath');
  assert.ok(found, 'the extension is not installed');
  return found.activate();
}

export function workspaceUri(path: string): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0];
  assert.ok(folder, 'no workspace folder');
  return vscode.Uri.joinPath(folder.uri, path);
}

export async function open(path: string): Promise<vscode.TextEditor> {
  return vscode.window.showTextDocument(await vscode.workspace.openTextDocument(workspaceUri(path)));
}

/** Opens a vm.conf and waits until its language is ours. */
export async function openClaimed(path: string): Promise<vscode.TextDocument> {
  await open(path);
  const uri = workspaceUri(path).toString();
  return eventually(`${path} is vmconf`, () =>
    vscode.workspace.textDocuments.find(
      (document) => document.uri.toString() === uri && document.languageId === 'vmconf',
    ),
  );
}

/** The first truthy answer. Fails with `what` after half the time that a test has. */
export async function eventually<T>(
  what: string,
  ask: () => T | undefined | null | false | PromiseLike<T | undefined | null | false>,
): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    assert.ok(Date.now() < deadline, `never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Time in which something that must not happen would have happened. */
export function quietly(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1500));
}

export async function closeAll(): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}
