/**
 * The language server's client. The server is started when the first document is ours, and sees no other: every
 * notification, request and diagnostic passes the claim.
 */
import * as vscode from 'vscode';
import type { LanguageClient, Middleware } from 'vscode-languageclient/node';
import type { Claims } from './claim';
import { FOREIGN_LANGUAGES, OWN_LANGUAGES, SCHEMES } from './claim';
import { ChooseVersionRequest, type ChooseVersionParams } from '../../server/src/protocol';

/** Middleware calls whose first argument is the document and whose last is the next handler. */
const FOR_ANY_CLAIMED = [
  'provideHover',
  'provideCodeLenses',
  'provideCompletionItem',
  'provideCodeActions',
  'provideDocumentLinks',
  'provideDefinition',
  'provideReferences',
  'provideInlayHints',
] as const;

/** The same for what belongs to a document's own language: symbols, folding, highlights, renames. */
const FOR_OWN_LANGUAGES = [
  'provideDocumentSymbols',
  'provideFoldingRanges',
  'provideSelectionRanges',
  'provideDocumentHighlights',
  'provideRenameEdits',
  'prepareRename',
  'provideDocumentSemanticTokens',
] as const;

/** What an edit allocates dies at once; a small young generation costs no time and saves tens of MB at 10,000 lines. */
const SERVER_FLAGS = ['--max-semi-space-size=4'];

export class Server implements vscode.Disposable {
  private starting: Promise<LanguageClient> | null = null;
  private client: LanguageClient | null = null;
  private readonly log = vscode.window.createOutputChannel('Bootpath Server', { log: true });
  private readonly didStart = new vscode.EventEmitter<void>();
  /** Documents that the server was told of, with the version that it was told. */
  private readonly told = new Map<string, number>();

  private readonly didChangeVersion = new vscode.EventEmitter<void>();

  readonly onDidStart = this.didStart.event;
  /** A document is read for another VMM version now: its layout may differ. */
  readonly onDidChangeVersion = this.didChangeVersion.event;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly claims: Claims,
  ) {
    context.subscriptions.push(
      claims.onDidClaim((document) => {
        if (this.client) void this.open(document);
        else void this.start().catch((error) => this.log.error(String(error)));
      }),
    );
  }

  get running(): boolean {
    return this.client !== null;
  }

  /** Sends a request of `protocol.ts`, starting the server where nothing has yet. */
  async request<Result>(method: string, params: object, token?: vscode.CancellationToken): Promise<Result> {
    const client = await this.start();
    return client.sendRequest<Result>(method, params, token);
  }

  /** Has a document read for a version of its VMM, or for what its text says where that is null. */
  async chooseVersion(choice: ChooseVersionParams): Promise<void> {
    await this.request(ChooseVersionRequest, choice);
    this.didChangeVersion.fire();
  }

  /** Hears the server's progress for a token until disposed. */
  async onProgress(
    token: string,
    heard: (message: string, percentage?: number) => void,
  ): Promise<vscode.Disposable> {
    const client = await this.start();
    const { WorkDoneProgress } = await import('vscode-languageclient/node');
    return client.onProgress(WorkDoneProgress.type, token, (value) => {
      if (value.kind !== 'end' && value.message) heard(value.message, value.percentage);
    });
  }

  dispose(): void {
    this.didStart.dispose();
    this.didChangeVersion.dispose();
    this.log.dispose();
    void this.client?.dispose();
  }

  private start(): Promise<LanguageClient> {
    this.starting ??= this.launch().catch((error: unknown) => {
      this.starting = null;
      throw error;
    });
    return this.starting;
  }

  private async launch(): Promise<LanguageClient> {
    const { LanguageClient, RevealOutputChannelOn, TransportKind } =
      await import('vscode-languageclient/node');
    const module = this.context.asAbsolutePath('dist/server.js');
    const languages = [...OWN_LANGUAGES, ...FOREIGN_LANGUAGES];
    const client = new LanguageClient(
      'bootpath',
      'Bootpath',
      {
        run: { module, transport: TransportKind.ipc, options: { execArgv: SERVER_FLAGS } },
        debug: {
          module,
          transport: TransportKind.ipc,
          options: { execArgv: [...SERVER_FLAGS, '--nolazy', '--inspect=6017'] },
        },
      },
      {
        documentSelector: SCHEMES.flatMap((scheme) => languages.map((language) => ({ scheme, language }))),
        outputChannel: this.log,
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        diagnosticPullOptions: {
          onChange: true,
          onTabs: false,
          filter: (document) => !this.isOurs(document),
        },
        middleware: this.middleware(),
      },
    );
    await client.start();
    this.client = client;
    for (const document of vscode.workspace.textDocuments)
      if (this.claims.has(document)) await this.open(document);
    this.didStart.fire();
    return client;
  }

  /** For documents that become ours after they were opened; a second call does nothing. */
  private async open(document: vscode.TextDocument): Promise<void> {
    const { DidOpenTextDocumentNotification } = await import('vscode-languageclient/node');
    await this.client
      ?.getFeature(DidOpenTextDocumentNotification.method)
      .getProvider(document)
      ?.send(document);
  }

  private isOurs(resource: vscode.TextDocument | vscode.Uri | { uri: vscode.Uri }): boolean {
    return this.claims.hasUri(resource instanceof vscode.Uri ? resource : resource.uri);
  }

  private middleware(): Middleware {
    type Call = (document: vscode.TextDocument, ...rest: unknown[]) => unknown;
    const guards: Record<string, Call> = {};
    const guard = (allowed: (document: vscode.TextDocument) => boolean): Call => {
      return (document, ...rest) => {
        const next = rest.pop() as Call;
        return allowed(document) ? next(document, ...rest) : undefined;
      };
    };
    for (const name of FOR_ANY_CLAIMED) guards[name] = guard((document) => this.claims.has(document));
    for (const name of FOR_OWN_LANGUAGES) guards[name] = guard((document) => this.claims.owns(document));
    const ours: Middleware = {
      didOpen: async (document, next) => {
        const key = document.uri.toString();
        if (!this.claims.has(document) || this.told.has(key)) return;
        this.told.set(key, document.version);
        await next(document);
      },
      didChange: async (event, next) => {
        // A text that this very change made ours was told whole, the change included.
        const told = this.told.get(event.document.uri.toString());
        if (told !== undefined && event.document.version > told) await next(event);
      },
      didSave: async (document, next) => {
        if (this.claims.has(document)) await next(document);
      },
      didClose: async (document, next) => {
        if (this.told.delete(document.uri.toString())) await next(document);
      },
      provideDiagnostics: (resource, previous, token, next) =>
        this.isOurs(resource) ? next(resource, previous, token) : undefined,
      handleDiagnostics: (uri, diagnostics, next) => next(uri, this.claims.hasUri(uri) ? diagnostics : []),
    };
    return { ...(guards as Middleware), ...ours };
  }
}
