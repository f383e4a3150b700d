/** What the server says it can do. */
import type { ServerCapabilities } from 'vscode-languageserver';
import { CODE_ACTION_KINDS } from './features/codeActions';
import { DIAGNOSTIC_SOURCE } from './features/diagnostics';

/** LSP's TextDocumentSyncKind.Incremental. */
const INCREMENTAL = 2;

/** `pulls`: whether the client asks for diagnostics itself; otherwise they are pushed and no provider is named. */
export function serverCapabilities(pulls: boolean): ServerCapabilities {
  const diagnosticProvider = {
    identifier: DIAGNOSTIC_SOURCE,
    // A finding may stem from an included file.
    interFileDependencies: true,
    workspaceDiagnostics: false,
  };
  return {
    positionEncoding: 'utf-16',
    textDocumentSync: { openClose: true, change: INCREMENTAL },
    ...(pulls ? { diagnosticProvider } : {}),
    codeActionProvider: { codeActionKinds: [...CODE_ACTION_KINDS] },
    codeLensProvider: {},
    completionProvider: { triggerCharacters: ['$', '"'] },
    definitionProvider: true,
    documentLinkProvider: {},
    documentSymbolProvider: true,
    foldingRangeProvider: true,
    hoverProvider: true,
    inlayHintProvider: true,
    referencesProvider: true,
  };
}
