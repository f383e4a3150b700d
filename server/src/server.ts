/** The language server's face: the only file that knows the LSP connection. */
import {
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  ErrorCodes,
  LSPErrorCodes,
  ResponseError,
  TextDocuments,
  WorkDoneProgress,
  type CancellationToken,
  type ClientCapabilities,
  type Connection,
  type Disposable,
  type InitializeParams,
  type InitializeResult,
  type ProgressToken,
  type WorkDoneProgressBegin,
  type WorkDoneProgressEnd,
  type WorkDoneProgressReport,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type * as z from 'zod/mini';
import { DocumentFindings } from './documentFindings';
import { DocumentStore, normalUri } from './documentStore';
import { hostFiles, type Files } from './hostFiles';
import { ImageBoots, type JobStarter } from './imageBoots';
import { IncludeWatch } from './includeWatch';
import type { Document, Language, VmmChoice } from './machine/language';
import { bootSummary } from './output/bootReport';
import { answerOwnRequests, type Handle, type Session } from './ownRequests';
import { PushedDiagnostics } from './pushedDiagnostics';
import { bootpathService, type Service } from './service';
import { serverCapabilities } from './serverCapabilities';
import { SettingsSource } from './settingsSource';
import { Simulations, type Simulator } from './simulations';
import { startJob, startSimulation } from './workerHost';

/** What the server stands on; tests put a language of their own in. */
export interface Surroundings {
  readonly service: Service;
  readonly files: Files;
  readonly simulate: Simulator;
  readonly startJob: JobStarter;
}

const SURROUNDINGS: Surroundings = {
  service: bootpathService,
  files: hostFiles,
  simulate: startSimulation,
  startJob,
};

/** Serves a connection until it ends; the process is the server's own. */
export function startServer(connection: Connection, surroundings: Surroundings = SURROUNDINGS): void {
  process.on('unhandledRejection', (error) => connection.console.error(`unhandled: ${String(error)}`));
  new LanguageServer(connection, surroundings).listen();
}

/** The parameters of every request about a document. */
interface AboutDocument {
  readonly textDocument: { readonly uri: string };
}

class LanguageServer {
  private readonly store: DocumentStore;
  private readonly simulations: Simulations;
  private readonly imageBoots: ImageBoots;
  private readonly settings: SettingsSource;
  private readonly findings: DocumentFindings;
  /** Versions that the user chose, by URI. */
  private readonly chosen = new Map<string, string>();
  private readonly texts = new TextDocuments(TextDocument);
  private capabilities: ClientCapabilities = {};
  private readonly pushed: PushedDiagnostics;
  private readonly includeWatch = new IncludeWatch();
  private watching: Promise<Disposable> | null = null;

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
    this.imageBoots = new ImageBoots(surroundings.startJob, files);
    this.settings = new SettingsSource(
      () =>
        this.capabilities.workspace?.configuration
          ? (scopeUri) => connection.workspace.getConfiguration({ scopeUri, section: 'bootpath' })
          : null,
      (line) => this.connection.console.warn(line),
    );
    this.findings = new DocumentFindings(service, this.store, this.settings, files);
    this.pushed = new PushedDiagnostics({
      open: (uri) => this.texts.get(uri),
      diagnostics: async (uri) => {
        const document = await this.store.get(uri);
        return document ? this.findings.diagnostics(document) : null;
      },
      send: (uri, version, diagnostics) => connection.sendDiagnostics({ uri, version, diagnostics }),
    });
  }

  listen(): void {
    const { connection } = this;
    connection.onInitialize((init) => this.initialize(init));
    connection.onInitialized(() => this.initialized());
    connection.onShutdown(() => {
      this.simulations.endAll();
      this.imageBoots.endAll();
    });
    this.texts.onDidChangeContent(({ document }) => this.changed(document.uri));
    this.texts.onDidClose(({ document }) => this.closed(document.uri));
    connection.onDidChangeConfiguration(({ settings }) => {
      this.settings.send(settings);
      this.everythingChanged();
    });
    connection.onDidChangeWatchedFiles(({ changes }) => changes.forEach(({ uri }) => this.fileChanged(uri)));
    this.answerFeatures();
    answerOwnRequests(this.session(), (method, shape, handle) => this.register(method, shape, handle));
    this.texts.listen(connection);
    connection.listen();
  }

  // --- the client -----------------------------------------------------------------------------------------------

  private initialize({ capabilities, initializationOptions }: InitializeParams): InitializeResult {
    this.capabilities = capabilities;
    this.settings.send(initializationOptions);
    return { serverInfo: { name: 'bootpath' }, capabilities: serverCapabilities(this.pulls) };
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
    this.simulations.edited(uri);
    this.publish([uri]);
    this.dependentsChanged(dependents);
  }

  private closed(uri: string): void {
    this.settings.forget(uri);
    this.simulations.closed(uri);
    this.pushed.clear(uri).catch((error: unknown) => this.failed('clearing diagnostics', error));
    this.dependentsChanged(this.store.closed(uri));
  }

  private fileChanged(uri: string): void {
    // What the editor shows counts, not the disk.
    if (this.texts.keys().some((open) => normalUri(open) === normalUri(uri))) return;
    this.dependentsChanged(this.store.changed(uri));
  }

  /** The client asks again for what was edited, but not for what includes it. */
  private dependentsChanged(uris: readonly string[]): void {
    if (uris.length === 0) return;
    for (const uri of uris) this.simulations.edited(uri);
    this.publish(uris);
    this.refresh('diagnostics', 'codeLens', 'inlayHint');
  }

  /** After a change of settings or of a chosen version. */
  private everythingChanged(): void {
    this.store.clear();
    this.findings.clear();
    this.publish(this.texts.keys());
    this.refresh('diagnostics', 'codeLens', 'inlayHint');
  }

  private includesChanged(uri: string, includes: ReadonlySet<string>): void {
    // An open file that turns out to be an include gets the findings of who includes it.
    const open = this.texts.keys().filter((other) => includes.has(normalUri(other)));
    if (open.length > 0) {
      this.publish(open);
      this.refresh('diagnostics');
    }
    const watched = this.capabilities.workspace?.didChangeWatchedFiles;
    if (!watched?.dynamicRegistration) return;
    const watchers = this.includeWatch.watchers(uri, includes, watched.relativePatternSupport ?? false);
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
    const { versions } = await this.settings.get(uri);
    return { asked: choice(this.chosen.get(uri)), fallback: vmm === null ? null : choice(versions[vmm]) };
  }

  /** For a client that does not pull. */
  private publish(uris: readonly string[]): void {
    if (this.pulls) return;
    for (const uri of uris) {
      this.pushed.push(uri).catch((error: unknown) => this.failed(`diagnostics of ${uri}`, error));
    }
  }

  // --- features -------------------------------------------------------------------------------------------------

  private answerFeatures(): void {
    const { connection } = this;
    const { service } = this.surroundings;
    connection.languages.diagnostics.on(
      this.answer('diagnostic', { kind: 'full', items: [] }, async (document) => ({
        kind: 'full',
        items: await this.findings.diagnostics(document),
      })),
    );
    connection.onCodeAction(
      this.answer('codeAction', [], async (document, { range, context }) => {
        const { diagnostics, only } = context;
        return service.codeActions(document, await this.findings.of(document), { range, diagnostics, only });
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
      this.answer('hover', null, async (document, { position }) => {
        const others = document.language === 'crash-dump' ? this.texts.keys() : [];
        const machines = (await this.store.documents(others)).flatMap((other) => other.machines);
        return service.hover(document, position, machines);
      }),
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

  // --- our own requests -----------------------------------------------------------------------------------------

  private session(): Session {
    return {
      service: this.surroundings.service,
      store: this.store,
      simulations: this.simulations,
      imageBoots: this.imageBoots,
      chosen: this.chosen,
      openUris: () => this.texts.keys(),
      everythingChanged: () => this.everythingChanged(),
      lensesChanged: () => this.refresh('codeLens'),
    };
  }

  private register<P, R>(method: string, shape: z.ZodMiniType<P>, handle: Handle<P, R>): void {
    const { connection } = this;
    connection.onRequest(method, async (sent: unknown, cancellation: CancellationToken) => {
      const checked = shape.safeParse(sent);
      if (!checked.success) {
        const issue = checked.error.issues[0];
        const where = issue?.path.join('.') ?? '';
        return new ResponseError(
          ErrorCodes.InvalidParams,
          `${method}: ${where}: ${issue?.message ?? 'invalid'}`,
        );
      }
      const token = (sent as { readonly workDoneToken?: ProgressToken }).workDoneToken;
      const tell = (value: WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd): void => {
        if (token !== undefined)
          this.expect('progress', connection.sendProgress(WorkDoneProgress.type, token, value));
      };
      tell({ kind: 'begin', title: 'Bootpath', cancellable: true, percentage: 0 });
      try {
        return await handle(checked.data, {
          progress: (message, percentage) => tell({ kind: 'report', message, percentage }),
          onCancel: (cancel) => cancellation.onCancellationRequested(cancel),
        });
      } catch (error) {
        this.failed(method, error);
        return new ResponseError(
          LSPErrorCodes.RequestFailed,
          error instanceof Error ? error.message : String(error),
        );
      } finally {
        tell({ kind: 'end' });
      }
    });
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
