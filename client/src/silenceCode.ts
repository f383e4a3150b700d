/** The quick fix of formats without comments: a finding's code is set to `off` in the settings. */
import * as vscode from 'vscode';
import { SILENCE_COMMAND } from '../../server/src/features/silence';

export function activate(context: vscode.ExtensionContext): void {
  context.subscriptions.push(
    vscode.commands.registerCommand(SILENCE_COMMAND, async (code: unknown, uri: unknown) => {
      if (typeof code !== 'string' || typeof uri !== 'string') return;
      const resource = vscode.Uri.parse(uri);
      const settings = vscode.workspace.getConfiguration('bootpath', resource);
      const folder = vscode.workspace.getWorkspaceFolder(resource);
      const target = folder
        ? (vscode.workspace.workspaceFolders?.length ?? 0) > 1
          ? vscode.ConfigurationTarget.WorkspaceFolder
          : vscode.ConfigurationTarget.Workspace
        : vscode.ConfigurationTarget.Global;
      const found = settings.inspect<Record<string, string>>('severity');
      const here =
        target === vscode.ConfigurationTarget.WorkspaceFolder
          ? found?.workspaceFolderValue
          : target === vscode.ConfigurationTarget.Workspace
            ? found?.workspaceValue
            : found?.globalValue;
      await settings.update('severity', { ...here, [code]: 'off' }, target);
    }),
  );
}
