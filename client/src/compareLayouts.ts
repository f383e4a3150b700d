/**
 * `Bootpath: Compare Memory Layouts…`: two machines of open documents or of files, what a VMM means against what firmware or a
 * guest reports. The answer is a read-only document of its own scheme, written anew when one of the two texts changes.
 */
import * as vscode from 'vscode';
import {
  CompareLayoutsRequest,
  LayoutRequest,
  type CompareLayoutsParams,
  type CompareLayoutsResult,
  type ComparedMachine,
  type LayoutParams,
  type LayoutResult,
} from '../../server/src/protocol';
import type { Claims } from './claim';
import type { Server } from './languageClient';
import { REPORT_LANGUAGE } from './reportChannel';

export const COMPARISON_SCHEME = 'bootpath-comparison';

/** Edits within this time are compared once. */
const SETTLE_MS = 200;

interface MachineItem extends vscode.QuickPickItem {
  readonly compared: ComparedMachine | null;
}

const OTHER_FILE: MachineItem = {
  label: '$(folder-opened) Choose a File…',
  alwaysShow: true,
  compared: null,
};

export function activate(context: vscode.ExtensionContext, server: Server, claims: Claims): void {
  const comparisons = new Comparisons(server);
  const command = async (
    left?: ComparedMachine,
    right?: ComparedMachine,
  ): Promise<vscode.Uri | undefined> => {
    try {
      const first = isMachine(left) ? left : await choose(server, claims, 'the left one', null);
      const second =
        first && (isMachine(right) ? right : await choose(server, claims, 'the right one', first));
      return first && second && (await comparisons.show({ left: first, right: second }));
    } catch (error) {
      void vscode.window.showErrorMessage(`Bootpath: the layouts could not be compared: ${String(error)}`);
      return undefined;
    }
  };
  context.subscriptions.push(
    comparisons,
    vscode.workspace.registerTextDocumentContentProvider(COMPARISON_SCHEME, comparisons),
    vscode.commands.registerCommand('bootpath.compareLayouts', command),
  );
}

/** A menu hands over its file, which is no machine yet. */
function isMachine(given: unknown): given is ComparedMachine {
  return typeof given === 'object' && given !== null && 'machine' in given && 'uri' in given;
}

/** What is compared stands in the URI, so that the document needs no memory. */
class Comparisons implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly didChange = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.didChange.event;
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly edits = vscode.workspace.onDidChangeTextDocument(({ document }) => this.edited(document));

  constructor(private readonly server: Server) {}

  async show(params: CompareLayoutsParams): Promise<vscode.Uri> {
    // Asked for here as well, so that what cannot be compared is told instead of shown.
    await this.server.request<CompareLayoutsResult>(CompareLayoutsRequest, params);
    const title = `${params.left.machine} and ${params.right.machine}`.replace(/[/\\?#]/g, ' ');
    const uri = vscode.Uri.from({
      scheme: COMPARISON_SCHEME,
      path: `/${title}`,
      query: JSON.stringify(params),
    });
    // Still open from before, it may be of another state of a file on disk.
    this.didChange.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.languages.setTextDocumentLanguage(document, REPORT_LANGUAGE);
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preview: false });
    return uri;
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    try {
      const params = JSON.parse(uri.query) as CompareLayoutsParams;
      return (await this.server.request<CompareLayoutsResult>(CompareLayoutsRequest, params)).text;
    } catch (error) {
      return `These layouts cannot be compared: ${error instanceof Error ? error.message : String(error)}\n`;
    }
  }

  /** Documents that compare the text that changed. */
  private edited({ uri }: vscode.TextDocument): void {
    if (uri.scheme === COMPARISON_SCHEME) return;
    const changed = uri.toString();
    for (const { uri: shown } of vscode.workspace.textDocuments) {
      if (shown.scheme !== COMPARISON_SCHEME || !shown.query.includes(JSON.stringify(changed))) continue;
      const key = shown.toString();
      clearTimeout(this.timers.get(key));
      this.timers.set(
        key,
        setTimeout(() => this.didChange.fire(shown), SETTLE_MS),
      );
    }
  }

  dispose(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.edits.dispose();
    this.didChange.dispose();
  }
}

/** The machines of the open documents, those of the active one first, or one of another file. */
async function choose(
  server: Server,
  claims: Claims,
  which: string,
  taken: ComparedMachine | null,
): Promise<ComparedMachine | undefined> {
  const active = vscode.window.activeTextEditor?.document;
  const open = vscode.workspace.textDocuments
    .filter((document) => claims.has(document) && claims.kindOf(document) !== 'crash-dump')
    .sort((a, b) => Number(b === active) - Number(a === active));
  const machines = (await Promise.all(open.map(({ uri }) => itemsOf(server, uri)))).flat();
  const left = machines.filter(
    ({ compared }) => !(compared?.uri === taken?.uri && compared?.machine === taken?.machine),
  );
  const picked = await vscode.window.showQuickPick([...left, OTHER_FILE], {
    title: 'Compare Memory Layouts',
    placeHolder: `Choose ${which}${taken ? `, to compare with ${taken.machine}` : ''}`,
    matchOnDescription: true,
  });
  return picked === OTHER_FILE ? ofFile(server) : (picked?.compared ?? undefined);
}

async function itemsOf(server: Server, uri: vscode.Uri): Promise<MachineItem[]> {
  const params: LayoutParams = { uri: uri.toString() };
  const { machines } = await server.request<LayoutResult>(LayoutRequest, params);
  const path = vscode.workspace.asRelativePath(uri);
  return machines.map(({ name, vmm, regions }) => ({
    label: name,
    description: vmm === null ? path : `${vmm} · ${path}`,
    detail: `${regions.length} ${regions.length === 1 ? 'region' : 'regions'}`,
    compared: { uri: uri.toString(), machine: name },
  }));
}

async function ofFile(server: Server): Promise<ComparedMachine | undefined> {
  const [uri] = (await vscode.window.showOpenDialog({ title: 'A config or a memory map' })) ?? [];
  if (!uri) return undefined;
  const items = await itemsOf(server, uri);
  if (items.length === 0) {
    void vscode.window.showInformationMessage(
      `Bootpath: ${vscode.workspace.asRelativePath(uri)} describes no machine and no memory map.`,
    );
    return undefined;
  }
  const picked = items.length === 1 ? items[0] : await vscode.window.showQuickPick(items);
  return picked?.compared ?? undefined;
}
