/** The language status item: which VMM and version a file is read for, and one click to change it or to give it back. */
import * as vscode from 'vscode';
import { StatusRequest, type StatusParams, type StatusResult } from '../../server/src/protocol';
import type { Claims } from './claim';
import type { Server } from './languageClient';

const REASONS: Record<NonNullable<StatusResult['reason']>, string> = {
  asked: 'as chosen',
  pragma: 'as its pragma says',
  setting: 'as the setting says',
  newest: 'the newest version',
};

const CHOSEN_KEY = 'bootpath.chosenVersions';

export function activate(context: vscode.ExtensionContext, server: Server, claims: Claims): void {
  const memory = context.workspaceState;
  const item = vscode.languages.createLanguageStatusItem('bootpath.version', []);
  item.name = 'Bootpath';

  const chosen = (): Record<string, string> => ({ ...memory.get<Record<string, string>>(CHOSEN_KEY) });
  const status = (uri: vscode.Uri): Promise<StatusResult> => {
    const params: StatusParams = { uri: uri.toString() };
    return server.request<StatusResult>(StatusRequest, params);
  };

  const refresh = async (): Promise<void> => {
    const document = vscode.window.activeTextEditor?.document;
    if (!document || !claims.has(document)) {
      item.selector = [];
      return;
    }
    const { language, vmm, version, reason } = await status(document.uri);
    // The answer may come for a document that has been left meanwhile.
    if (vscode.window.activeTextEditor?.document !== document) return;
    item.text = vmm === null ? (language ?? 'not recognised') : `${vmm}@${version}`;
    item.detail = vmm === null ? 'Bootpath' : reason === null ? 'read for this version' : REASONS[reason];
    item.command = { command: 'bootpath.chooseVersion', title: vmm === null ? 'Change' : 'Choose version' };
    item.selector = [{ scheme: document.uri.scheme, language: document.languageId }];
  };
  const refreshQuietly = (): void => {
    refresh().catch(() => {
      item.selector = [];
    });
  };

  const set = async (uri: vscode.Uri, version: string | null): Promise<void> => {
    const versions = chosen();
    if (version === null) delete versions[uri.toString()];
    else versions[uri.toString()] = version;
    await memory.update(CHOSEN_KEY, versions);
    await server.chooseVersion({ uri: uri.toString(), version });
    refreshQuietly();
  };

  const choose = async (): Promise<void> => {
    const document = vscode.window.activeTextEditor?.document;
    if (!document || !claims.has(document)) return;
    const { vmm, version, reason, versions } = await status(document.uri);
    type Row = vscode.QuickPickItem & { act?: () => Thenable<void> | Promise<void> };
    const rows: Row[] = versions
      .map(({ id, title }): Row => ({
        label: `${id === version ? '$(check) ' : ''}${vmm}@${id}`,
        description: title,
        act: () => set(document.uri, id),
      }))
      .reverse();
    if (reason === 'asked')
      rows.push({
        label: 'Follow the file',
        description: 'its pragma, else the newest',
        act: () => set(document.uri, null),
      });
    rows.push(
      { label: '', kind: vscode.QuickPickItemKind.Separator },
      {
        label: `Not ${vmm === null ? 'for Bootpath' : `a config of ${vmm}`}`,
        description: 'give the file back to its former language',
        act: () => claims.release(document),
      },
    );
    const row = await vscode.window.showQuickPick(rows, {
      placeHolder: 'Which version is this file read for?',
    });
    await row?.act?.();
  };

  context.subscriptions.push(
    item,
    vscode.commands.registerCommand('bootpath.chooseVersion', choose),
    vscode.window.onDidChangeActiveTextEditor(refreshQuietly),
    // A pragma may have been typed; the first ten lines hold it.
    vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (contentChanges.some(({ range }) => range.start.line < 10) && claims.has(document)) refreshQuietly();
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('bootpath')) refreshQuietly();
    }),
    server.onDidStart(() => {
      const before = Object.entries(chosen()).map(([uri, version]) => server.chooseVersion({ uri, version }));
      void Promise.allSettled(before).then(refreshQuietly);
    }),
  );
}
