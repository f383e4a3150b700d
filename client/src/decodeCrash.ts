/**
 * `Bootpath: Decode Crash Dump`: on a selection, a file or the clipboard. The report goes to the output channel, what it
 * says about lines of the config and of the dump to a collection of its own.
 */
import * as vscode from 'vscode';
import { DecodeRequest, type DecodeParams, type DecodeResult } from '../../server/src/protocol';
import type { Claims } from './claim';
import type { Server } from './languageClient';
import type { ReportChannel } from './reportChannel';
import { machineKindOf } from './recognisers';
import { diagnosticsByUri } from './wireFindings';

/** Characters; a dump is some thousand, a console log with one at its end may be long. */
const LONGEST = 16 * 1024 * 1024;
/** Configs beside the dump that are looked at, at most. */
const CONFIGS = 50;
/** Files that may be configs or memory maps; their content decides. Beside a dump a text or a C source may be one too. */
const CONFIG_FILES = '*.{conf,vmconf,cfg,bhyve,json,toml,memmap,e820}';
const FILES_BESIDE = '*.{conf,vmconf,cfg,bhyve,json,toml,memmap,e820,txt,c}';

interface CrashText {
  readonly text: string;
  readonly uri: vscode.Uri | null;
}

export function activate(
  context: vscode.ExtensionContext,
  server: Server,
  claims: Claims,
  channel: ReportChannel,
): vscode.DiagnosticCollection {
  const findings = vscode.languages.createDiagnosticCollection('bootpath crash');

  const decode = async (source: CrashText): Promise<DecodeResult | undefined> => {
    if (source.text.trim() === '') {
      void vscode.window.showInformationMessage('Bootpath: there is no text to decode.');
      return undefined;
    }
    const configs = await configsFor(source.uri, claims);
    const params: DecodeParams = {
      text: source.text.slice(0, LONGEST),
      uri: source.uri?.toString() ?? null,
      configs: configs.map(String),
    };
    try {
      const result = await server.request<DecodeResult>(DecodeRequest, params);
      findings.clear();
      findings.set(diagnosticsByUri('bootpath crash', result.findings));
      channel.show(result.text);
      return result;
    } catch (error) {
      void vscode.window.showErrorMessage(`Bootpath: the dump could not be decoded: ${String(error)}`);
      return undefined;
    }
  };

  context.subscriptions.push(
    findings,
    vscode.commands.registerCommand('bootpath.decodeCrashDump', async (uri?: vscode.Uri | string) =>
      decode(await textToDecode(uri, claims)),
    ),
    vscode.commands.registerCommand('bootpath.decodeCrashFromClipboard', async () =>
      decode(await clipboard()),
    ),
  );
  return findings;
}

/** The file that was asked for, else the selection, else a dump in the active editor, else the clipboard. */
async function textToDecode(given: vscode.Uri | string | undefined, claims: Claims): Promise<CrashText> {
  const editor = vscode.window.activeTextEditor;
  const uri = typeof given === 'string' ? vscode.Uri.parse(given) : given;
  // The title button and the context menu hand over the editor's own file: its selection still comes first.
  if (uri && uri.toString() !== editor?.document.uri.toString()) {
    const document = await vscode.workspace.openTextDocument(uri);
    return { text: document.getText(), uri };
  }
  if (!editor) return clipboard();
  const { document, selection } = editor;
  // What stands before the selection is kept as blanks, so that places in the report are places in the file.
  if (!selection.isEmpty)
    return {
      text:
        '\n'.repeat(selection.start.line) +
        ' '.repeat(selection.start.character) +
        document.getText(selection),
      uri: document.uri,
    };
  if (uri || claims.kindOf(document) === 'crash-dump') return { text: document.getText(), uri: document.uri };
  return clipboard();
}

async function clipboard(): Promise<CrashText> {
  return { text: await vscode.env.clipboard.readText(), uri: null };
}

/** Configs in the folder of the dump, else open ones, else those of the workspace. */
async function configsFor(dump: vscode.Uri | null, claims: Claims): Promise<vscode.Uri[]> {
  const beside = dump && dump.scheme !== 'untitled' ? vscode.Uri.joinPath(dump, '..') : null;
  if (beside) {
    const found = await search(new vscode.RelativePattern(beside, FILES_BESIDE));
    if (found.length > 0) return found;
  }
  const open = vscode.workspace.textDocuments.filter(
    (document) => claims.has(document) && claims.kindOf(document) !== 'crash-dump',
  );
  if (open.length > 0) return open.map(({ uri }) => uri);
  return search(`**/${CONFIG_FILES}`);
}

async function search(pattern: vscode.GlobPattern): Promise<vscode.Uri[]> {
  const found = await vscode.workspace.findFiles(pattern, '**/node_modules/**', CONFIGS);
  const ours: vscode.Uri[] = [];
  for (const uri of found.sort((a, b) => a.path.localeCompare(b.path))) {
    try {
      const text = new TextDecoder().decode((await vscode.workspace.fs.readFile(uri)).subarray(0, 64 * 1024));
      if (machineKindOf(text, uri.path) !== null) ours.push(uri);
    } catch {
      // A file that cannot be read is no config of ours.
    }
  }
  return ours;
}
