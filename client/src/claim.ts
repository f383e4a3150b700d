/**
 * Which documents are ours. Language ids of our own are; a text under somebody else's id is ours only where its content
 * says so, never for its name. One predicate guards everything that reaches the server.
 *
 * A vm.conf that VS Code opened as `properties` or plain text is switched to the `vmconf` language. A log stays a log, JSON stays JSON:
 * we add to it and take nothing from its own language.
 */
import * as vscode from 'vscode';
import { OWN_KINDS, RECOGNISERS, type DocumentKind } from './recognisers';

export const OWN_LANGUAGES: ReadonlySet<string> = new Set<string>(OWN_KINDS);

const isOwn = (language: string): language is DocumentKind => OWN_LANGUAGES.has(language);

/** Ids that a bare VS Code gives to the files we look into. */
export const FOREIGN_LANGUAGES = [...new Set(RECOGNISERS.flatMap(({ languages }) => languages))];

/** Where documents live that a person edits. */
export const SCHEMES = ['file', 'untitled', 'vscode-remote', 'vscode-vfs', 'vscode-userdata'];

/** Recognisers look at no more than this, in UTF-16 units. */
const SNIFFED = 64 * 1024;

const RELEASED_KEY = 'bootpath.releasedFiles';

export class Claims implements vscode.Disposable {
  /** What each document of ours is, by URI. */
  private readonly claimed = new Map<string, DocumentKind>();
  /** Language ids of what was closed in this turn of the event loop: an open that follows at once is a change of language. */
  private readonly closing = new Map<string, string>();
  /** Texts without a file that were given back; their names are used again. */
  private readonly releasedUntitled = new Set<string>();
  private readonly switching = new Set<string>();
  /** Language ids before our switch, to give back. */
  private readonly former = new Map<string, string>();
  private readonly didClaim = new vscode.EventEmitter<vscode.TextDocument>();
  private readonly subscriptions: vscode.Disposable[];

  /** Fires once for each document that becomes ours, also for those that were open before. */
  readonly onDidClaim = this.didClaim.event;

  constructor(private readonly memory: vscode.Memento) {
    this.subscriptions = [
      this.didClaim,
      vscode.workspace.onDidOpenTextDocument((document) => this.opened(document)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.consider(document)),
      vscode.workspace.onDidCloseTextDocument((document) => this.closed(document)),
    ];
  }

  /** Looks at what is open already; called once everybody listens. */
  start(): void {
    for (const document of vscode.workspace.textDocuments) this.consider(document);
  }

  has(document: vscode.TextDocument): boolean {
    return this.claimed.has(document.uri.toString());
  }

  kindOf(document: vscode.TextDocument): DocumentKind | null {
    return this.claimed.get(document.uri.toString()) ?? null;
  }

  hasUri(uri: vscode.Uri): boolean {
    return this.claimed.has(uri.toString());
  }

  /** True where nobody else's language is concerned: symbols, folding and the like are ours to give. */
  owns(document: vscode.TextDocument): boolean {
    return OWN_LANGUAGES.has(document.languageId) && this.has(document);
  }

  /** Gives a document back to the language that it had, and remembers that. */
  async release(document: vscode.TextDocument): Promise<void> {
    const key = document.uri.toString();
    await this.remember(document.uri, true);
    this.claimed.delete(key);
    await vscode.languages.setTextDocumentLanguage(document, this.former.get(key) ?? 'plaintext');
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private isReleased(key: string): boolean {
    return this.releasedUntitled.has(key) || this.memory.get<string[]>(RELEASED_KEY, []).includes(key);
  }

  private async remember(uri: vscode.Uri, released: boolean): Promise<void> {
    const key = uri.toString();
    if (uri.scheme === 'untitled') {
      if (released) this.releasedUntitled.add(key);
      else this.releasedUntitled.delete(key);
      return;
    }
    const others = this.memory.get<string[]>(RELEASED_KEY, []).filter((other) => other !== key);
    await this.memory.update(RELEASED_KEY, released ? [...others, key] : others);
  }

  private opened(document: vscode.TextDocument): void {
    const key = document.uri.toString();
    const before = this.closing.get(key);
    // A language that somebody chooses by hand stands, in both directions.
    if (before !== undefined && !this.switching.has(key)) {
      if (isOwn(before) && !isOwn(document.languageId)) {
        void this.remember(document.uri, true);
        return;
      }
      if (isOwn(document.languageId) && this.isReleased(key)) void this.remember(document.uri, false);
    }
    this.consider(document);
  }

  private closed(document: vscode.TextDocument): void {
    const key = document.uri.toString();
    this.claimed.delete(key);
    this.closing.set(key, document.languageId);
    setTimeout(() => {
      this.closing.delete(key);
      const stillOpen = vscode.workspace.textDocuments.some(({ uri }) => uri.toString() === key);
      if (!stillOpen) this.releasedUntitled.delete(key);
    }, 0);
  }

  private consider(document: vscode.TextDocument): void {
    const key = document.uri.toString();
    if (this.claimed.has(key) || !SCHEMES.includes(document.uri.scheme)) return;
    if (isOwn(document.languageId)) this.claim(document, document.languageId);
    else this.considerForeign(document, key);
  }

  private considerForeign(document: vscode.TextDocument, key: string): void {
    if (!FOREIGN_LANGUAGES.includes(document.languageId)) return;
    if (this.switching.has(key) || this.isReleased(key)) return;
    if (!vscode.workspace.getConfiguration('bootpath', document).get('claimByContent', true)) return;
    const text = document.getText(new vscode.Range(0, 0, SNIFFED / 16, 0)).slice(0, SNIFFED);
    const found = RECOGNISERS.find(
      ({ languages, recognise }) =>
        languages.includes(document.languageId) && recognise(text, document.uri.path),
    );
    if (!found) return;
    if (found.switches) void this.switchLanguage(document, key, found.kind);
    else this.claim(document, found.kind);
  }

  private async switchLanguage(document: vscode.TextDocument, key: string, language: string): Promise<void> {
    this.former.set(key, document.languageId);
    this.switching.add(key);
    try {
      await vscode.languages.setTextDocumentLanguage(document, language);
    } finally {
      this.switching.delete(key);
    }
  }

  private claim(document: vscode.TextDocument, kind: DocumentKind): void {
    this.claimed.set(document.uri.toString(), kind);
    this.didClaim.fire(document);
  }
}
