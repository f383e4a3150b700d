/** Diagnostics for clients that do not pull them: sent with each change, cleared when a text is no longer ours. */
import type { Diagnostic } from 'vscode-languageserver-types';
import type { OpenText } from './documentStore';

export interface PushInputs {
  open(uri: string): OpenText | undefined;
  /** Null for a text that is not ours. */
  diagnostics(uri: string): Promise<Diagnostic[] | null>;
  send(uri: string, version: number | undefined, diagnostics: Diagnostic[]): Promise<void>;
}

export class PushedDiagnostics {
  /** URIs that hold what we sent. */
  private readonly sent = new Set<string>();

  constructor(private readonly inputs: PushInputs) {}

  async push(uri: string): Promise<void> {
    const version = this.inputs.open(uri)?.version;
    if (version === undefined) return;
    const diagnostics = await this.inputs.diagnostics(uri);
    // A newer text has its own push under way.
    if (this.inputs.open(uri)?.version !== version) return;
    if (diagnostics === null) return this.clear(uri);
    this.sent.add(uri);
    await this.inputs.send(uri, version, diagnostics);
  }

  async clear(uri: string): Promise<void> {
    if (this.sent.delete(uri)) await this.inputs.send(uri, undefined, []);
  }
}
