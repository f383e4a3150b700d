/**
 * A small picture of the address space after each visible line that produced a part of it, that part marked. Follows the
 * theme and the editor's font; `bootpath.addressStrip` turns it off.
 */
import * as vscode from 'vscode';
import { fromWire, type PictureMachine } from '../../server/src/picture/pictureMachine';
import { stripSvg } from '../../server/src/picture/strip';
import { LayoutRequest, type LayoutParams, type LayoutResult } from '../../server/src/protocol';
import { SCHEMES, type Claims } from './claim';
import type { Server } from './languageClient';
import { currentPalette, dataUri } from './themePalette';

/** Edits and scrolling within this time are drawn once. */
const SETTLE_MS = 80;
const WIDTH = 132;
/** Share of the font size that the strip is high. */
const HEIGHT = 0.8;

/** Regions by the line that produced them. */
type Lines = ReadonlyMap<number, { readonly machine: PictureMachine; readonly selected: readonly number[] }>;

export function activate(context: vscode.ExtensionContext, server: Server, claims: Claims): void {
  const strips = new Strips(server, claims);
  const all = (): void => strips.drawAllSoon();
  context.subscriptions.push(
    strips,
    vscode.window.onDidChangeVisibleTextEditors(all),
    vscode.window.onDidChangeActiveColorTheme(all),
    vscode.window.onDidChangeTextEditorVisibleRanges(all),
    vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (contentChanges.length > 0 && SCHEMES.includes(document.uri.scheme)) strips.changed();
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('bootpath') || event.affectsConfiguration('editor')) strips.changed();
    }),
    claims.onDidClaim(all),
    server.onDidStart(all),
    server.onDidChangeVersion(all),
  );
}

class Strips implements vscode.Disposable {
  private readonly type = vscode.window.createTextEditorDecorationType({
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
  });
  /** Layouts by URI, until a text changes: any text may be included by another. */
  private readonly known = new Map<string, Promise<Lines>>();
  private settle: NodeJS.Timeout | undefined;

  constructor(
    private readonly server: Server,
    private readonly claims: Claims,
  ) {}

  changed(): void {
    this.known.clear();
    this.drawAllSoon();
  }

  drawAllSoon(): void {
    clearTimeout(this.settle);
    this.settle = setTimeout(() => {
      for (const editor of vscode.window.visibleTextEditors) void this.draw(editor);
    }, SETTLE_MS);
  }

  dispose(): void {
    clearTimeout(this.settle);
    this.type.dispose();
  }

  private async draw(editor: vscode.TextEditor): Promise<void> {
    const { document } = editor;
    // A file that is not ours must not start the server, nor one that is none at all.
    if (!this.server.running || !this.claims.has(document)) return;
    if (!vscode.workspace.getConfiguration('bootpath', document).get('addressStrip', true)) {
      editor.setDecorations(this.type, []);
      return;
    }
    const { version } = document;
    try {
      const lines = await this.lines(document);
      if (document.version === version) editor.setDecorations(this.type, decorations(editor, lines));
    } catch {
      // Without a layout the strips of before stay; the server has logged why.
    }
  }

  private lines(document: vscode.TextDocument): Promise<Lines> {
    const key = document.uri.toString();
    const known = this.known.get(key) ?? this.ask(key);
    this.known.set(key, known);
    return known;
  }

  private async ask(uri: string): Promise<Lines> {
    const params: LayoutParams = { uri };
    const { machines } = await this.server.request<LayoutResult>(LayoutRequest, params);
    const lines = new Map<number, { machine: PictureMachine; selected: number[] }>();
    for (const wire of machines) {
      const machine = fromWire(wire);
      wire.regions.forEach((region, index) => {
        if (region.uri !== uri || region.range === null) return;
        const { line } = region.range.start;
        const row = lines.get(line);
        if (row?.machine === machine) row.selected.push(index);
        else if (!row) lines.set(line, { machine, selected: [index] });
      });
    }
    return lines;
  }
}

function decorations(editor: vscode.TextEditor, lines: Lines): vscode.DecorationOptions[] {
  const { document } = editor;
  const fontSize = vscode.workspace.getConfiguration('editor', document).get('fontSize', 14);
  const palette = currentPalette();
  const options: vscode.DecorationOptions[] = [];
  for (const { start, end } of editor.visibleRanges) {
    for (let line = start.line; line <= Math.min(end.line, document.lineCount - 1); line++) {
      const row = lines.get(line);
      if (!row) continue;
      const svg = stripSvg(row.machine, {
        palette,
        // A line that produced everything marks nothing.
        selected: row.selected.length === row.machine.regions.length ? [] : row.selected,
        width: WIDTH,
        height: Math.round(fontSize * HEIGHT),
      });
      options.push({
        range: document.lineAt(line).range,
        renderOptions: {
          after: { contentIconPath: vscode.Uri.parse(dataUri(svg)), margin: '0 0.5em 0 1.2em' },
        },
      });
    }
  }
  return options;
}
