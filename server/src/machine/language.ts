/** The kinds of input and what each gives: a Document with machines, findings and an outline. */
import type { Finding } from '../text/finding';
import type { Position, SourceRange, TextRange } from '../text/position';
import type { SourceText } from '../text/sourceText';
import type { Machine } from './machine';

/** `language` in the JSON contract. */
export type LanguageKind =
  | 'vmconf'
  | 'bhyve-config'
  | 'bhyve-command'
  | 'vm-bhyve'
  | 'propolis'
  | 'firecracker'
  | 'cloud-hypervisor'
  | 'boxlite'
  | 'libkrun-c'
  | 'qemu-config'
  | 'memmap'
  | 'boot-plan'
  | 'crash-dump';

/** A VMM model and one of its versions. */
export interface VmmChoice {
  readonly vmm: string;
  readonly version: string;
}

export interface ParseContext {
  /** Texts of included files by URI. What is missing is listed in `Document.wanted`. */
  readonly files: ReadonlyMap<string, string>;
  /** The VMM and version that the user chose, if any. A pragma in the text is weaker than this. */
  readonly choice?: VmmChoice;
  /** Macros given outside the text (vmd's `-D name=value`). */
  readonly defines?: ReadonlyMap<string, string>;
}

export type OutlineKind = 'machine' | 'switch' | 'macro' | 'option' | 'region' | 'map' | 'include' | 'crash';

export interface OutlineNode {
  readonly name: string;
  readonly detail: string;
  readonly kind: OutlineKind;
  readonly range: TextRange;
  readonly nameRange: TextRange;
  readonly children: readonly OutlineNode[];
}

/** A name that is defined once and used elsewhere: a macro, a switch, an instance's parent. */
export interface NamedSymbol {
  readonly name: string;
  readonly kind: 'macro' | 'switch' | 'machine';
  /** Null where nobody defines it. */
  readonly definition: SourceRange | null;
  readonly references: readonly SourceRange[];
}

/** A link from a text to a file: an include, a disk, a kernel. The path is as written. */
export interface PathLink {
  readonly range: TextRange;
  readonly path: string;
}

export interface Document {
  readonly source: SourceText;
  readonly language: LanguageKind;
  /** The VMM that the text was read for; null for a bare memory map or a crash dump. */
  readonly choice: VmmChoice | null;
  /** How the choice came about, for the status item. */
  readonly choiceReason: 'asked' | 'pragma' | 'newest' | null;
  readonly machines: readonly Machine[];
  /**
   * What becomes of machines by changes that the same text reports (a kernel's e820 updates). To be shown and compared; checks
   * look at `machines`, whose lines these are.
   */
  readonly amended?: readonly Machine[];
  /** What the parser itself has to say. Checks add to it. */
  readonly problems: readonly Finding[];
  readonly outline: readonly OutlineNode[];
  readonly symbols: readonly NamedSymbol[];
  readonly links: readonly PathLink[];
  /** Includes that `ParseContext.files` lacks, resolved to URIs. */
  readonly wanted: readonly string[];
  /** All URIs that were read, the document's own first. */
  readonly read: readonly string[];
  /** The included files that were read, for places in them and their own suppression comments. */
  readonly included?: readonly SourceText[];
  /** The config or map whose machine this text speaks of, as a boot plan may: that machine is checked there, not here. */
  readonly subject?: Document;
}

/** What a hover says, in Markdown without HTML. */
export interface Description {
  readonly range: TextRange;
  readonly markdown: string;
}

export interface Suggestion {
  readonly label: string;
  readonly detail: string;
  readonly markdown: string;
  readonly kind: 'keyword' | 'value' | 'macro' | 'switch' | 'snippet' | 'machine';
  /** Text that replaces `range`; a snippet in TextMate syntax where `kind` is `snippet`. */
  readonly insert: string;
  readonly range: TextRange;
}

/** One kind of input. Every function is pure and never throws. */
export interface Language {
  readonly kind: LanguageKind;
  /** VMM whose configs these are; null for memory maps and crash dumps. */
  readonly vmm: string | null;
  /**
   * Whether the text is of this kind, by its content. `path` may only break ties.
   * Looks at the first 64 KiB at most.
   */
  recognise(text: string, path: string): boolean;
  parse(source: SourceText, context: ParseContext): Document;
  /** The documentation of the keyword or value at a position. */
  describe?(document: Document, position: Position): Description | null;
  complete?(document: Document, position: Position): Suggestion[];
}

/** All that can be shown and compared: the machines, then those that the text amends. */
export function shownMachines({ machines, amended = [] }: Document): readonly Machine[] {
  return [...machines, ...amended];
}
