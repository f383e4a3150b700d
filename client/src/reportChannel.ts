/** The output channel that boot reports and decoded crashes are shown in. Its language id is our own, for links. */
import * as vscode from 'vscode';

export const REPORT_LANGUAGE = 'bootpath-report';

export class ReportChannel implements vscode.Disposable {
  private readonly channel = vscode.window.createOutputChannel('Bootpath', REPORT_LANGUAGE);

  /** Replaces what is shown; the editor keeps the focus. */
  show(text: string): void {
    this.channel.replace(text.endsWith('\n') ? text : text + '\n');
    this.channel.show(true);
  }

  dispose(): void {
    this.channel.dispose();
  }
}
