/** The language server's face: the only file that knows the LSP connection. */
import {
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  TextDocuments,
  TextDocumentSyncKind,
  type CancellationToken,
  type ClientCapabilities,
  type Connection,
  type Diagnostic,
  type Disposable,
  type InitializeParams,
  type InitializeResult,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { DocumentStore, normalUri } from './documentStore';
import { CODE_ACTION_KINDS } from './features/codeActions';
import { DIAGNOSTIC_SOURCE } from './features/diagnostics';
import { hostFiles, type Files } from './hostFiles';
import type { Document, Language, VmmChoice } from './machine/language';
import { bootSummary } from './output/bootReport';
import { answerOwnRequests } from './ownRequests';
import { bootpathService, type Service } from './service';
import { SettingsSource } from './settingsSource';
import { Simulations, type Simulator } from './simulations';
import type { Finding } from './text/finding';
import { startSimulation } from './worker';

/** What the server stands on; tests put a language of their own in. */
export interface Surroundings {
  readonly service: Service;
  readonly files: Files;
  readonly simulate: Simulator;
}

const SURROUNDINGS: Surroundings = { service: bootpathService, files: hostFiles, simulate: startSimulation };

/** Serves a connection until it ends. */
export function startServer(connection: Connection, surroundings: Surroundings = SURROUNDINGS): void {
  new LanguageServer(connection, surroundings).listen();
}

/** The parameters of every request about a document. */
interface AboutDocument {
  readonly textDocument: { readonly uri: string };
}

class LanguageServer {
  private readonly store: DocumentStore;
  private readonly simulations: Simulations;
  private readonly settings: SettingsSource;
  /** Versions that the user chose, by URI. */
  private readonly chosen = new Map<string, string>();
  private readonly texts = new TextDocuments(TextDocument);
  private capabilities: ClientCapabilities = {};
  /** URIs that hold diagnostics which we pushed. */
  private readonly pushed = new Set<string>();
  private readonly includes = new Map<string, ReadonlySet<string>>();
  private watching: Promise<Disposable> | null = null;
  private findings = new WeakMap<Document, readonly Finding[]>();

  constructor(
    private readonly connection: Connection,
    private readonly surroundings: Surroundings,
  ) {
    const { service, files, simulate } = surroundings;
    this.store = new DocumentStore({
      service,
      open: (uri) => this.texts.get(uri),
      openUris: () => this.texts.keys(),
      read: (uri) => files.readText(uri),
      choices: (uri, language) => this.choices(uri, language),
      includesChanged: (uri, includes) => this.includesChanged(uri, includes),
    });
    this.simulations = new Simulations(simulate, files, bootSummary);
    this.settings = new SettingsSource(
      () =>
        this.capabilities.workspace?.configuration
          ? (scopeUri) => connection.workspace.getConfiguration({ scopeUri, section: 'bootpath' })
          : null,
      (line) => this.connection.console.warn(line),
    );
  }

  listen(): void {
    const { connection } = this;
    connection.onInitialize((init) => this.initialize(init));
    connection.onInitialized(() => this.initialized());
    connection.onShutdown(() => this.simulations.endAll());
    this.texts.onDidChangeContent(({ document }) => this.changed(document.uri));
    this.texts.onDidClose(({ document }) => this.closed(document.uri));
    connection.onDidChangeConfiguration(({ settings }) => {
      this.settings.send(settings);
      this.everythingChanged();
    });
    connection.onDidChangeWatchedFiles(({ changes }) => changes.forEach(({ uri }) => this.fileChanged(uri)));
    this.answerFeatures();
    answerOwnRequests({
      connection,
      service: this.surroundings.service,
      store: this.store,
      simulations: this.simulations,
      chosen: this.chosen,
      openUris: () => this.texts.keys(),
      everythingChanged: () => this.everythingChanged(),
      lensesChanged: () => this.refresh('codeLens'),
    });
    this.texts.listen(connection);
    connection.listen();
  }

  // --- the client -----------------------------------------------------------------------------------------------

  private initialize({ capabilities, initializationOptions }: InitializeParams): InitializeResult {
    this.capabilities = capabilities;
    this.settings.send(initializationOptions);
    const diagnosticProvider = {
      identifier: DIAGNOSTIC_SOURCE,
      interFileDependencies: true,
      workspaceDiagnostics: false,
    };
    return {
      serverInfo: { name: 'bootpath' },
      capabilities: {
        positionEncoding: 'utf-16',
        textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
        ...(this.pulls ? { diagnosticProvider } : {}),
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
      },
    };
  }

  private initialized(): void {
    if (!this.capabilities.workspace?.didChangeConfiguration?.dynamicRegistration) return;
    const type = DidChangeConfigurationNotification.type;
    this.expect('notice of settings', this.connection.client.register(type, { section: 'bootpath' }));
  }

  /** Whether the client asks for diagnostics itself. */
  private get pulls(): boolean {
    return this.capabilities.textDocument?.diagnostic !== undefined;
  }

  /** Something asked of the client, which may answer with an error. */
  private expect(what: string, answer: Promise<unknown>): void {
    answer.catch((error: unknown) =>
      this.connection.console.warn(`the client refused ${what}: ${String(error)}`),
    );
  }

  /** Tells the client to ask again, where it can be told. */
  private refresh(...kinds: ('diagnostics' | 'codeLens' | 'inlayHint')[]): void {
    for (const kind of kinds) {
      if (!this.capabilities.workspace?.[kind]?.refreshSupport) continue;
      const method = `workspace/${kind === 'diagnostics' ? 'diagnostic' : kind}/refresh`;
      this.expect(method, this.connection.sendRequest(method));
    }
  }

  /** Logs what a handler threw; the server lives on. */
  private failed(what: string, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.connection.console.error(`${what} failed: ${text}`);
  }

  // --- texts ----------------------------------------------------------------------------------------------------

  private changed(uri: string): void {
    const dependents = this.store.changed(uri);
    for (const edited of [uri, ...dependents]) this.simulations.edited(edited);
    this.publish([uri, ...dependents]);
    // The client asks again for what was edited, but not for what includes it.
    if (dependents.length > 0) this.refresh('diagnostics', 'codeLens', 'inlayHint');
  }

  private closed(uri: string): void {
    const dependents = this.store.closed(uri);
    this.settings.forget(uri);
    this.simulations.closed(uri);
    this.clear(uri);
    this.publish(dependents);
  }

  private fileChanged(uri: string): void {
    // What the editor shows counts, not the disk.
    if (this.texts.keys().some((open) => normalUri(open) === normalUri(uri))) return;
    const dependents = this.store.changed(uri);
    if (dependents.length === 0) return;
    for (const edited of dependents) this.simulations.edited(edited);
    this.publish(dependents);
    this.refresh('diagnostics', 'codeLens', 'inlayHint');
  }

  /** After a change of settings or of a chosen version. */
  private everythingChanged(): void {
    this.store.clear();
    this.findings = new WeakMap();
    this.publish(this.texts.keys());
    this.refresh('diagnostics', 'codeLens', 'inlayHint');
  }

  private includesChanged(uri: string, includes: ReadonlySet<string>): void {
    if (includes.size > 0) this.includes.set(uri, includes);
    else this.includes.delete(uri);
    // An open file that turns out to be an include gets the findings of who includes it.
    const open = this.texts.keys().filter((other) => includes.has(normalUri(other)));
    if (open.length > 0) {
      this.publish(open);
      this.refresh('diagnostics');
    }
    const watched = this.capabilities.workspace?.didChangeWatchedFiles;
    if (!watched?.dynamicRegistration) return;
    const files = new Set([...this.includes.values()].flatMap((set) => [...set]));
    const watchers = [...files].map((file) => {
      const slash = file.lastIndexOf('/');
      const pattern = decodeURIComponent(file.slice(slash + 1)).replace(/[*?{}[\]]/g, '?');
      const baseUri = file.slice(0, slash);
      return { globPattern: watched.relativePatternSupport ? { baseUri, pattern } : `**/${pattern}` };
    });
    const before = this.watching;
    this.watching =
      watchers.length === 0
        ? null
        : this.connection.client.register(DidChangeWatchedFilesNotification.type, { watchers });
    if (this.watching) this.expect('to watch included files', this.watching);
    before?.then(
      (registration) => registration.dispose(),
      () => undefined,
    );
  }

  private async choices(uri: string, language: Language) {
    const { vmm } = language;
    const choice = (version: string | null | undefined): VmmChoice | null =>
      vmm !== null && version && this.surroundings.service.versions(vmm).some(({ id }) => id === version)
        ? { vmm, version }
        : null;
    const { vmdVersion } = await this.settings.get(uri);
    return { asked: choice(this.chosen.get(uri)), fallback: vmm === 'vmd' ? choice(vmdVersion) : null };
  }

  // --- diagnostics ----------------------------------------------------------------------------------------------

  private async findingsOf(document: Document): Promise<readonly Finding[]> {
    const known = this.findings.get(document);
    if (known) return known;
    const { severity } = await this.settings.get(document.source.uri);
    const findings = this.surroundings.service.findings(document, { severities: severity });
    this.findings.set(document, findings);
    return findings;
  }

  /** Of a text that is ours; none for any other. An included file has the findings of who includes it. */
  private async diagnosticsFor(document: Document): Promise<Diagnostic[]> {
    const { service } = this.surroundings;
    const { uri } = document.source;
    const includer = await this.store.includer(uri);
    return includer
      ? service.diagnosticsIn(normalUri(uri), await this.findingsOf(includer))
      : service.diagnostics(document, await this.findingsOf(document));
  }

  /** Pushes the diagnostics of open texts to a client that does not pull. */
  private publish(uris: readonly string[]): void {
    if (this.pulls) return;
    for (const uri of uris) {
      this.push(uri).catch((error: unknown) => this.failed(`diagnostics of ${uri}`, error));
    }
  }

  private async push(uri: string): Promise<void> {
    const version = this.texts.get(uri)?.version;
    const document = await this.store.get(uri);
    const diagnostics = document ? await this.diagnosticsFor(document) : null;
    if (version === undefined || this.texts.get(uri)?.version !== version) return;
    if (diagnostics === null) return this.clear(uri);
    this.pushed.add(uri);
    await this.connection.sendDiagnostics({ uri, version, diagnostics });
  }

  private clear(uri: string): void {
    if (!this.pushed.delete(uri)) return;
    this.connection
      .sendDiagnostics({ uri, diagnostics: [] })
      .catch((error: unknown) => this.failed('clearing diagnostics', error));
  }

  // --- features -------------------------------------------------------------------------------------------------

  private answerFeatures(): void {
    const { connection } = this;
    const { service } = this.surroundings;
    connection.languages.diagnostics.on(
      this.answer('diagnostic', { kind: 'full', items: [] }, async (document) => ({
        kind: 'full',
        items: await this.diagnosticsFor(document),
      })),
    );
    connection.onCodeAction(
      this.answer('codeAction', [], async (document, { range, context }) => {
        const { diagnostics, only } = context;
        return service.codeActions(document, await this.findingsOf(document), { range, diagnostics, only });
      }),
    );
    connection.onCodeLens(
      this.answer('codeLens', [], async (document) => {
        const { codeLens } = await this.settings.get(document.source.uri);
        return codeLens ? service.codeLenses(document, this.simulations.outcomes(document.source.uri)) : [];
      }),
    );
    connection.onCompletion(
      this.answer('completion', [], (document, { position }) => {
        const { completionItem } = this.capabilities.textDocument?.completion ?? {};
        return service.completion(document, position, completionItem?.snippetSupport ?? false);
      }),
    );
    connection.onDefinition(
      this.answer('definition', null, (document, { position }) => service.definition(document, position)),
    );
    connection.onDocumentLinks(
      this.answer('documentLink', [], (document) => service.documentLinks(document)),
    );
    connection.onDocumentSymbol(
      this.answer('documentSymbol', [], (document) => {
        if (!this.ownsOutline(document)) return [];
        const { symbols, dropped } = service.documentSymbols(document);
        if (dropped > 0) connection.console.info(`${document.source.uri}: ${dropped} symbols are not listed`);
        return symbols;
      }),
    );
    connection.onFoldingRanges(
      this.answer('foldingRange', [], (document) =>
        this.ownsOutline(document) ? service.foldingRanges(document) : [],
      ),
    );
    connection.onHover(
      this.answer('hover', null, (document, { position }) => service.hover(document, position)),
    );
    connection.languages.inlayHint.on(
      this.answer('inlayHint', [], async (document, { range }) => {
        const { inlayHints } = await this.settings.get(document.source.uri);
        return service.inlayHints(document, range, inlayHints);
      }),
    );
    connection.onReferences(
      this.answer('references', [], (document, { position, context }) =>
        service.references(document, position, context.includeDeclaration),
      ),
    );
  }

  private ownsOutline({ source }: Document): boolean {
    return this.surroundings.service.ownsOutline(this.texts.get(source.uri)?.languageId ?? '');
  }

  /** The one guard of every request: `empty` for a text that is not ours, for a cancelled request and for a failure. */
  private answer<P extends AboutDocument, R>(
    what: string,
    empty: R,
    handle: (document: Document, params: P) => R | Promise<R>,
  ): (params: P, token: CancellationToken) => Promise<R> {
    return async (params, token) => {
      try {
        const { uri } = params.textDocument;
        const document = this.texts.get(uri) ? await this.store.get(uri) : null;
        return document && !token.isCancellationRequested ? await handle(document, params) : empty;
      } catch (error) {
        this.failed(what, error);
        return empty;
      }
    };
  }
}
