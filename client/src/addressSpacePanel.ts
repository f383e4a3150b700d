/**
 * `Bootpath: Show Address Space`: a webview beside the editor that draws the guest physical address space of a config's
 * machines or of a memory map. Follows edits and the cursor; a region leads to its line. One panel a document; its state
 * lives in the webview, so that it survives a reload and being hidden without being kept alive.
 */
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { LayoutRequest, type LayoutParams, type LayoutResult } from '../../server/src/protocol';
import { FromWebview, PanelState, type ToWebview } from '../webview/messages';
import { SCHEMES } from './claim';
import type { Server } from './languageClient';

const VIEW_TYPE = 'bootpath.addressSpace';
/** Edits within this time are drawn once. */
const SETTLE_MS = 80;

export function activate(context: vscode.ExtensionContext, server: Server): void {
  const panels = new Map<string, AddressSpacePanel>();
  const keep = (panel: AddressSpacePanel): void => {
    panels.set(panel.key, panel);
    panel.onDidClose(() => panels.delete(panel.key));
  };
  const show = (given?: string | vscode.Uri, machine?: string): void => {
    const uri = typeof given === 'string' ? vscode.Uri.parse(given) : (given ?? activeUri());
    if (!uri) return;
    const open = panels.get(uri.toString());
    if (open) open.show(machine);
    else keep(new AddressSpacePanel(createPanel(), context.extensionUri, server, uri, machine ?? null));
  };
  context.subscriptions.push(
    vscode.commands.registerCommand(
      'bootpath.showAddressSpace',
      (uri?: string | vscode.Uri, machine?: unknown) =>
        show(uri, typeof machine === 'string' ? machine : undefined),
    ),
    vscode.window.registerWebviewPanelSerializer(VIEW_TYPE, {
      deserializeWebviewPanel: (panel, state) => {
        const parsed = PanelState.safeParse(state);
        if (!parsed.success) panel.dispose();
        else {
          const { uri, machine } = parsed.data;
          keep(new AddressSpacePanel(panel, context.extensionUri, server, vscode.Uri.parse(uri), machine));
        }
        return Promise.resolve();
      },
    }),
    new vscode.Disposable(() => panels.forEach((panel) => panel.dispose())),
  );
}

const activeUri = (): vscode.Uri | undefined => vscode.window.activeTextEditor?.document.uri;

function createPanel(): vscode.WebviewPanel {
  const place = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
  return vscode.window.createWebviewPanel(VIEW_TYPE, 'Address Space', place, { enableFindWidget: true });
}

class AddressSpacePanel implements vscode.Disposable {
  readonly key: string;
  private readonly didClose = new vscode.EventEmitter<void>();
  readonly onDidClose = this.didClose.event;
  private settle: NodeJS.Timeout | undefined;
  /** The newest request for a layout: the answer to an older one is dropped. */
  private asked = 0;
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    private readonly panel: vscode.WebviewPanel,
    extensionUri: vscode.Uri,
    private readonly server: Server,
    private readonly uri: vscode.Uri,
    private machine: string | null,
  ) {
    this.key = uri.toString();
    const dist = vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
    panel.title = `Address Space: ${fileName(uri)}`;
    panel.iconPath = {
      light: vscode.Uri.joinPath(extensionUri, 'client', 'webview', 'icon-light.svg'),
      dark: vscode.Uri.joinPath(extensionUri, 'client', 'webview', 'icon-dark.svg'),
    };
    panel.webview.options = { enableScripts: true, localResourceRoots: [dist] };
    this.subscriptions = [
      this.didClose,
      panel.onDidDispose(() => this.dispose()),
      panel.webview.onDidReceiveMessage((message: unknown) => this.received(message)),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        // Any text may be one that ours includes; output channels are none.
        if (contentChanges.length > 0 && SCHEMES.includes(document.uri.scheme)) this.drawSoon();
      }),
      server.onDidChangeVersion(() => this.drawSoon()),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => this.tellCursor(textEditor)),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('bootpath')) this.drawSoon();
      }),
    ];
    panel.webview.html = page(panel.webview, dist, { uri: this.key, machine });
  }

  show(machine: string | undefined): void {
    this.panel.reveal(undefined, true);
    if (machine === undefined || machine === this.machine) return;
    this.machine = machine;
    void this.draw(machine);
  }

  dispose(): void {
    clearTimeout(this.settle);
    this.didClose.fire();
    vscode.Disposable.from(...this.subscriptions.splice(0)).dispose();
    this.panel.dispose();
  }

  private received(message: unknown): void {
    const parsed = FromWebview.safeParse(message);
    if (!parsed.success) return;
    switch (parsed.data.type) {
      case 'ready':
        void this.draw(this.machine ?? undefined).then(() => {
          const editor = vscode.window.visibleTextEditors.find(({ document }) => this.isShown(document));
          if (editor) this.tellCursor(editor);
        });
        break;
      case 'reveal':
        void reveal(parsed.data);
        break;
      case 'shown':
        this.machine = parsed.data.machine;
        break;
    }
  }

  private drawSoon(): void {
    clearTimeout(this.settle);
    this.settle = setTimeout(() => void this.draw(), SETTLE_MS);
  }

  private async draw(machine?: string): Promise<void> {
    const mine = ++this.asked;
    try {
      // The server knows open documents only; after a reload the file may not be.
      await vscode.workspace.openTextDocument(this.uri);
      const params: LayoutParams = { uri: this.key };
      const { machines } = await this.server.request<LayoutResult>(LayoutRequest, params);
      if (mine !== this.asked) return;
      this.post({
        type: 'layout',
        uri: this.key,
        file: fileName(this.uri),
        machines: machines as Extract<ToWebview, { type: 'layout' }>['machines'],
        ...(machine === undefined ? {} : { machine }),
      });
    } catch (error) {
      if (mine === this.asked)
        this.post({ type: 'problem', text: `No layout can be drawn: ${String(error)}` });
    }
  }

  private tellCursor({ document, selection }: vscode.TextEditor): void {
    if (this.isShown(document))
      this.post({ type: 'cursor', uri: document.uri.toString(), line: selection.active.line });
  }

  private isShown(document: vscode.TextDocument): boolean {
    return document.uri.toString() === this.key;
  }

  private post(message: ToWebview): void {
    void this.panel.webview.postMessage(message);
  }
}

const fileName = (uri: vscode.Uri): string => uri.path.split('/').at(-1) ?? uri.toString();

async function reveal(target: Extract<FromWebview, { type: 'reveal' }>): Promise<void> {
  const uri = vscode.Uri.parse(target.uri);
  const { start, end } = target.range;
  const editor = vscode.window.visibleTextEditors.find(
    ({ document }) => document.uri.toString() === target.uri,
  );
  await vscode.window.showTextDocument(uri, {
    viewColumn: editor?.viewColumn ?? vscode.ViewColumn.One,
    preserveFocus: !target.focus,
    selection: new vscode.Range(start.line, start.character, end.line, end.character),
  });
}

/** The page: nothing may be loaded but our own script and style. */
function page(webview: vscode.Webview, dist: vscode.Uri, state: PanelState): string {
  const nonce = randomBytes(16).toString('base64');
  const script = webview.asWebviewUri(vscode.Uri.joinPath(dist, 'addressSpace.js')).toString();
  const style = webview.asWebviewUri(vscode.Uri.joinPath(dist, 'addressSpace.css')).toString();
  const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'`;
  const quoted = JSON.stringify(state)
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')
    .replaceAll('<', '&lt;');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${style}">
<title>Address space</title>
</head>
<body data-state="${quoted}">
<div id="root"></div>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}
