/**
 * Places in reports (`path:line:column`) are links. VS Code links no relative path in the output panel by itself, and a
 * link provider there has to name the scheme.
 */
import * as vscode from 'vscode';
import { COMPARISON_SCHEME } from './compareLayouts';
import { REPORT_LANGUAGE } from './reportChannel';
import { placesInLine, type PlaceCandidate } from './reportPlaces';

/** Reports are short; what is beyond this stays plain text. */
const LINES = 5000;

export function activate(context: vscode.ExtensionContext): void {
  context.subscriptions.push(
    vscode.languages.registerDocumentLinkProvider(
      [{ scheme: 'output', language: REPORT_LANGUAGE }, { scheme: COMPARISON_SCHEME }],
      { provideDocumentLinks },
    ),
  );
}

async function provideDocumentLinks(
  document: vscode.TextDocument,
  token: vscode.CancellationToken,
): Promise<vscode.DocumentLink[]> {
  const known = new Map<string, Promise<vscode.Uri | null>>();
  const fileOf = (path: string): Promise<vscode.Uri | null> => {
    const asked = known.get(path) ?? existing(path);
    known.set(path, asked);
    return asked;
  };
  const links: vscode.DocumentLink[] = [];
  for (let line = 0; line < Math.min(document.lineCount, LINES); line++) {
    if (token.isCancellationRequested) return [];
    for (const candidates of placesInLine(document.lineAt(line).text)) {
      const link = await linkOf(line, candidates, fileOf);
      if (link) links.push(link);
    }
  }
  return links;
}

async function linkOf(
  line: number,
  candidates: readonly PlaceCandidate[],
  fileOf: (path: string) => Promise<vscode.Uri | null>,
): Promise<vscode.DocumentLink | null> {
  for (const { path, start, end, target } of candidates) {
    const uri = await fileOf(path);
    if (!uri) continue;
    const fragment = `L${target.line}${target.column === null ? '' : `,${target.column}`}`;
    const link = new vscode.DocumentLink(new vscode.Range(line, start, line, end), uri.with({ fragment }));
    link.tooltip = `Go to line ${target.line}`;
    return link;
  }
  return null;
}

/** The file that a path of a report names: as it stands, or below one of the workspace folders. */
async function existing(path: string): Promise<vscode.Uri | null> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const absolute = path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path);
  const uris = absolute
    ? [vscode.Uri.file(path)]
    : folders.map((folder) => vscode.Uri.joinPath(folder.uri, path.replaceAll('\\', '/')));
  for (const uri of uris) {
    try {
      if ((await vscode.workspace.fs.stat(uri)).type & vscode.FileType.File) return uri;
    } catch {
      // Not that one.
    }
  }
  return null;
}
