/** The findings of each document, computed once, and the diagnostics that a file has of them. */
import type { Diagnostic } from 'vscode-languageserver-types';
import { normalUri, type DocumentStore } from './documentStore';
import type { Files } from './hostFiles';
import type { Document } from './machine/language';
import type { Service } from './service';
import type { SettingsSource } from './settingsSource';
import type { Finding } from './text/finding';

export class DocumentFindings {
  private known = new WeakMap<Document, readonly Finding[]>();

  constructor(
    private readonly service: Service,
    private readonly store: DocumentStore,
    private readonly settings: SettingsSource,
    private readonly files: Files,
  ) {}

  async of(document: Document): Promise<readonly Finding[]> {
    const known = this.known.get(document);
    if (known) return known;
    const { severity, checkHost } = await this.settings.get(document.source.uri);
    const missing = checkHost ? await this.missing(document) : new Set<string>();
    const findings = this.service.findings(document, { severities: severity }, missing);
    this.known.set(document, findings);
    return findings;
  }

  private async missing(document: Document): Promise<ReadonlySet<string>> {
    const paths = this.service.imagePaths(document);
    const there = await Promise.all(paths.map((path) => this.files.exists(path)));
    return new Set(paths.filter((_path, index) => !there[index]));
  }

  /** An included file has what is found in it as a part of the file that includes it: alone it means something else. */
  async diagnostics(document: Document): Promise<Diagnostic[]> {
    const { uri } = document.source;
    const includer = await this.store.includer(uri);
    return includer
      ? this.service.diagnosticsIn(normalUri(uri), await this.of(includer))
      : this.service.diagnostics(document, await this.of(document));
  }

  /** After a change of settings. */
  clear(): void {
    this.known = new WeakMap();
  }
}
