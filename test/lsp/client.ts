/** A language client over stdio, as small as a test needs it: requests, notifications, and what the server asked. */
import * as esbuild from 'esbuild';
import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as lsp from 'vscode-languageserver-types';
import {
  createMessageConnection,
  IPCMessageReader,
  IPCMessageWriter,
  ProgressType,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node';

const root = process.env.BOOTPATH_ROOT!;
const out = join(root, 'dist/test', `server-${process.pid}`);

/** Bundles a server, with its worker beside it, as the build does. Once for a test file. */
export async function buildServer(entry = 'server/src/serverMain.ts'): Promise<string> {
  const { shared } = (await import(pathToFileURL(join(root, 'esbuild.mjs')).href)) as {
    shared: esbuild.BuildOptions;
  };
  await esbuild.build({
    ...shared,
    absWorkingDir: root,
    entryPoints: { server: entry, worker: 'server/src/worker.ts' },
    outdir: out,
    platform: 'node',
    format: 'cjs',
  });
  return join(out, 'server.js');
}

export function removeServer(): void {
  rmSync(out, { recursive: true, force: true });
}

export interface ClientOptions {
  /** Over those of a client that can do everything the server asks. */
  readonly capabilities?: object;
  readonly settings?: object;
  /** Over Node's IPC, as VS Code starts the server. */
  readonly ipc?: boolean;
  /** Answers every request of the server with an error. */
  readonly refuses?: boolean;
}

/** What VS Code can do, as far as it concerns us. */
const CAPABILITIES = {
  workspace: {
    configuration: true,
    codeLens: { refreshSupport: true },
    inlayHint: { refreshSupport: true },
    diagnostics: { refreshSupport: true },
    didChangeWatchedFiles: { dynamicRegistration: true, relativePatternSupport: true },
  },
  textDocument: {
    diagnostic: {},
    completion: { completionItem: { snippetSupport: true } },
  },
};

export class Client {
  /** Requests of the server, in order. */
  readonly asked: { method: string; params: unknown }[] = [];
  /** Lines that the server logged. */
  readonly logged: string[] = [];
  /** What was pushed, in order. */
  readonly pushed: { uri: string; diagnostics: lsp.Diagnostic[] }[] = [];
  settings: object;
  readonly exited: Promise<number | null>;
  private readonly waiting = new Set<() => void>();
  private readonly versions = new Map<string, number>();

  private constructor(
    private readonly child: ChildProcess,
    readonly connection: MessageConnection,
    options: ClientOptions,
  ) {
    this.settings = options.settings ?? {};
    this.exited = new Promise((resolve) => child.on('exit', resolve));
    connection.onRequest((method: string, params: unknown) => {
      this.asked.push({ method, params });
      this.wake();
      if (options.refuses) return new ResponseError(-32603, 'this client refuses');
      if (method === 'workspace/configuration') {
        return (params as { items: unknown[] }).items.map(() => this.settings);
      }
      return null;
    });
    connection.onNotification((method: string, params: unknown) => {
      if (method === 'window/logMessage') this.logged.push((params as { message: string }).message);
      if (method === 'textDocument/publishDiagnostics') this.pushed.push(params as (typeof this.pushed)[0]);
      this.wake();
    });
  }

  static async start(server: string, options: ClientOptions = {}): Promise<Client> {
    const child = spawn(process.execPath, [server, options.ipc ? '--node-ipc' : '--stdio'], {
      stdio: ['pipe', 'pipe', 'inherit', ...(options.ipc ? (['ipc'] as const) : [])],
    });
    const connection = options.ipc
      ? createMessageConnection(new IPCMessageReader(child), new IPCMessageWriter(child))
      : createMessageConnection(
          new StreamMessageReader(child.stdout!),
          new StreamMessageWriter(child.stdin!),
        );
    const client = new Client(child, connection, options);
    connection.listen();
    await connection.sendRequest('initialize', {
      processId: process.pid,
      rootUri: null,
      capabilities: options.capabilities ?? CAPABILITIES,
    });
    await connection.sendNotification('initialized', {});
    return client;
  }

  request<R>(method: string, params: object): Promise<R> {
    return this.connection.sendRequest<R>(method, params);
  }

  async open(uri: string, languageId: string, text: string): Promise<void> {
    this.versions.set(uri, 1);
    const textDocument = { uri, languageId, version: 1, text };
    await this.connection.sendNotification('textDocument/didOpen', { textDocument });
  }

  /** Replaces a range, or the whole text. */
  async change(uri: string, text: string, range?: lsp.Range): Promise<void> {
    const version = this.versions.get(uri)! + 1;
    this.versions.set(uri, version);
    await this.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri, version },
      contentChanges: [range ? { range, text } : { text }],
    });
  }

  async close(uri: string): Promise<void> {
    await this.connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
  }

  /** A request about a document with the parameters that every such request has. */
  about<R>(method: string, uri: string, more: object = {}): Promise<R> {
    return this.request<R>(`textDocument/${method}`, { textDocument: { uri }, ...more });
  }

  async diagnostics(uri: string): Promise<lsp.Diagnostic[]> {
    return (await this.about<{ items: lsp.Diagnostic[] }>('diagnostic', uri)).items;
  }

  /** Hears what is told for a progress token. */
  onProgress(token: string, heard: (value: unknown) => void): void {
    this.connection.onProgress(new ProgressType<unknown>(), token, (value) => {
      heard(value);
      this.wake();
    });
  }

  /** Waits until something that the server sent makes the condition true; the test's own time limit ends a wait in vain. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.waiting.add(resolve));
  }

  /** Shuts down as the protocol says, and returns the exit code. */
  async stop(): Promise<number | null> {
    await this.connection.sendRequest('shutdown');
    await this.connection.sendNotification('exit');
    const code = await this.exited;
    this.connection.dispose();
    return code;
  }

  /** For when a test failed. */
  kill(): void {
    this.connection.dispose();
    this.child.kill();
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}
