/** From an open text to its parsed Document: one parse a version, with the files that it includes. */
import { URI } from 'vscode-uri';
import type { Document, Language, VmmChoice } from './machine/language';
import { SourceText } from './text/sourceText';
import type { Service } from './service';

/** Includes may nest this deep, as in vmd. */
const INCLUDE_DEPTH = 16;
/** Documents kept parsed. */
const CACHE_SIZE = 64;

/** A text as the editor has it. */
export interface OpenText {
  readonly uri: string;
  readonly languageId: string;
  readonly version: number;
  getText(): string;
}

export interface StoreInputs {
  readonly service: Service;
  /** The texts that the editor has open, by the URI that it gave. */
  open(uri: string): OpenText | undefined;
  openUris(): readonly string[];
  /** Text of a file that is not open; null where it cannot be read. */
  read(uri: string): Promise<string | null>;
  /** The VMM version for a document: what the user asked for, and what holds where the text names none. */
  choices(uri: string, language: Language): Promise<{ asked: VmmChoice | null; fallback: VmmChoice | null }>;
  /** Called when the files that an open document includes have become others. */
  includesChanged(uri: string, includes: ReadonlySet<string>): void;
}

interface Entry {
  readonly version: number;
  readonly document: Promise<Document | null>;
  /** Normalised URIs that the document reads or misses, its own included; null until it is parsed. */
  sources: ReadonlySet<string> | null;
  /** Those that are parts of the document, not texts that it speaks of. */
  included: ReadonlySet<string>;
}

/** One spelling for each URI: clients differ in what they percent-encode. */
export function normalUri(uri: string): string {
  try {
    return URI.parse(uri).toString();
  } catch {
    return uri;
  }
}

export class DocumentStore {
  private readonly entries = new Map<string, Entry>();
  /** Normalised URIs that each document includes, as last seen. */
  private readonly known = new Map<string, ReadonlySet<string>>();

  constructor(private readonly inputs: StoreInputs) {}

  /**
   * The document of a text that is ours; null for any other. A text that is not open is read from disk and not kept.
   * If the text changes while its includes are read, the newest version is what is returned.
   */
  async get(uri: string): Promise<Document | null> {
    for (;;) {
      const text = this.inputs.open(uri);
      if (!text) {
        const closed = await this.inputs.read(uri);
        return closed === null ? null : (await this.load({ uri, languageId: '', text: closed })).document;
      }
      let entry = this.entries.get(uri);
      if (entry?.version !== text.version) entry = this.start(text);
      else this.keep(uri, entry);
      const document = await entry.document;
      const now = this.inputs.open(uri);
      if (!now || (now.version === text.version && this.entries.get(uri) === entry)) return document;
    }
  }

  /** Forgets what was parsed from a text, and returns the open documents that include it. */
  changed(uri: string): string[] {
    const source = normalUri(uri);
    const dependents: string[] = [];
    for (const [other, { sources }] of [...this.entries]) {
      if (other === uri) continue;
      // One that is being read may have taken the old text: whoever waits for it gets it read again.
      if (sources === null) this.entries.delete(other);
      else if (sources.has(source)) dependents.push(other);
    }
    for (const gone of [uri, ...dependents]) this.entries.delete(gone);
    return dependents;
  }

  /** Forgets a text that was closed; returns the open documents that include it. */
  closed(uri: string): string[] {
    const dependents = this.changed(uri);
    this.noteIncludes(uri, new Set());
    return dependents;
  }

  /** For changes of settings: everything is parsed anew when asked for. */
  clear(): void {
    this.entries.clear();
  }

  /** Those of several texts that are ours. */
  async documents(uris: readonly string[]): Promise<Document[]> {
    const documents = await Promise.all(uris.map((uri) => this.get(uri)));
    return documents.filter((document) => document !== null);
  }

  /** An open document that includes `uri`, parsed; null where there is none. */
  async includer(uri: string): Promise<Document | null> {
    const source = normalUri(uri);
    for (const [other, { included }] of this.entries) {
      if (normalUri(other) !== source && included.has(source)) return this.get(other);
    }
    return null;
  }

  private start(text: OpenText): Entry {
    const { uri, languageId, version } = text;
    const loaded = this.load({ uri, languageId, text: text.getText() });
    const document = loaded.then((result) => result.document);
    const entry: Entry = { version, document, sources: null, included: new Set() };
    loaded.then(
      ({ sources, document: parsed }) => {
        entry.sources = sources;
        entry.included = new Set((parsed?.included ?? []).map((included) => normalUri(included.uri)));
        this.noteIncludes(uri, sources);
      },
      // A parser that fails is reported by whoever asked; the next request tries again.
      () => this.entries.delete(uri),
    );
    this.keep(uri, entry);
    if (this.entries.size > CACHE_SIZE) this.entries.delete(this.entries.keys().next().value!);
    return entry;
  }

  /** Puts an entry last in the order in which entries are dropped. */
  private keep(uri: string, entry: Entry): void {
    this.entries.delete(uri);
    this.entries.set(uri, entry);
  }

  private noteIncludes(uri: string, sources: ReadonlySet<string>): void {
    const includes = new Set(sources);
    includes.delete(normalUri(uri));
    const before = this.known.get(uri) ?? new Set();
    if (includes.size === before.size && [...includes].every((include) => before.has(include))) return;
    if (includes.size === 0) this.known.delete(uri);
    else this.known.set(uri, includes);
    this.inputs.includesChanged(uri, includes);
  }

  private async load(text: {
    uri: string;
    languageId: string;
    text: string;
  }): Promise<{ document: Document | null; sources: ReadonlySet<string> }> {
    const { service } = this.inputs;
    const language = service.claim(text.languageId, text.text, text.uri);
    if (!language) return { document: null, sources: new Set() };
    const { asked, fallback } = await this.inputs.choices(text.uri, language);
    const source = new SourceText(text.uri, text.text);
    const loaded = await this.parse(language, source, asked);
    if (!asked && fallback && loaded.document.choiceReason === 'newest') {
      return this.parse(language, source, fallback, loaded.files);
    }
    return loaded;
  }

  private async parse(
    language: Language,
    source: SourceText,
    choice: VmmChoice | null,
    known: ReadonlyMap<string, string> = new Map(),
  ) {
    const files = new Map(known);
    const missing = new Set<string>();
    const context = { files, ...(choice ? { choice } : {}) };
    let document = language.parse(source, context);
    for (let depth = 0; depth < INCLUDE_DEPTH; depth++) {
      const wanted = document.wanted.filter((uri) => !files.has(uri) && !missing.has(uri));
      if (wanted.length === 0) break;
      const texts = await Promise.all(wanted.map((uri) => this.textOf(uri)));
      texts.forEach((text, index) => {
        if (text === null) missing.add(wanted[index]!);
        else files.set(wanted[index]!, text);
      });
      if (texts.every((text) => text === null)) break;
      document = language.parse(source, context);
    }
    const sources = new Set([source.uri, ...document.read, ...document.wanted].map(normalUri));
    return { document, sources, files };
  }

  /** What the editor shows comes before what the disk holds. */
  private async textOf(uri: string): Promise<string | null> {
    const wanted = normalUri(uri);
    const open = this.inputs.openUris().find((other) => normalUri(other) === wanted);
    return open === undefined ? this.inputs.read(uri) : (this.inputs.open(open)?.getText() ?? null);
  }
}
