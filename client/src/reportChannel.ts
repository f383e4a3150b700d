/** The output channel that boot reports and decoded crashes are shown in. Its language id is our own, for links. */
import * as vscode from 'vscode';

export const REPORT_LANGUAGE = 'bootpath-report';

/** How long the output view may take to show a new text. */
const SHOWN_WITHIN_MS = 3000;

export class ReportChannel implements vscode.Disposable {
  private readonly channel = vscode.window.createOutputChannel('Bootpath', REPORT_LANGUAGE);

  /** Replaces what is shown, from its first line; the editor keeps the focus. */
  show(report: string): void {
    const text = `${relativePlaces(report).trimEnd()}\n`;
    this.channel.replace(text);
    this.channel.show(true);
    void toTop(text);
  }

  dispose(): void {
    this.channel.dispose();
  }
}

/** Paths below the one folder of the workspace are written from there. */
function relativePlaces(text: string): string {
  const [folder, ...others] = vscode.workspace.workspaceFolders ?? [];
  if (!folder || others.length > 0 || folder.uri.scheme !== 'file') return text;
  return text.replaceAll(folder.uri.fsPath + '/', '').replaceAll(folder.uri.fsPath + '\\', '');
}

/** The output view follows the end of a text, as for a log; a report begins with what matters. */
async function toTop(text: string): Promise<void> {
  const deadline = Date.now() + SHOWN_WITHIN_MS;
  while (Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    const editor = vscode.window.visibleTextEditors.find(
      ({ document }) =>
        document.languageId === REPORT_LANGUAGE && document.getText().trimEnd() === text.trimEnd(),
    );
    if (!editor) continue;
    const top = new vscode.Position(0, 0);
    editor.selection = new vscode.Selection(top, top);
    editor.revealRange(new vscode.Range(top, top), vscode.TextEditorRevealType.AtTop);
    return;
  }
}
