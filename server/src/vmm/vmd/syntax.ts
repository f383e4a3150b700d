/** The tree of a vm.conf: plain values, every one with its place. Includes are part of the tree that includes them. */
import type { Span, Token } from './lexer';

/** One or more adjacent strings that vmd joins without a separator; a single string where the grammar takes only one. */
export interface Text extends Span {
  /** The joined text. */
  readonly text: string;
  /** At most `MAX_PARTS` of them. */
  readonly parts: readonly Token[];
  /** False where a part is a macro that nobody defines: the text is not known then. */
  readonly known: boolean;
}

export const MAX_PARTS = 64;

export interface IncludeStatement extends Span {
  readonly kind: 'include';
  readonly path: Text;
  /** URI of the file, or null where the path is not known. */
  readonly uri: string | null;
}

export interface MacroDefinition extends Span {
  readonly kind: 'macro';
  readonly name: Token;
  readonly value: Token;
}

export interface GlobalStatement extends Span {
  readonly kind: 'local-prefix' | 'local-inet6' | 'socket-owner' | 'agentx' | 'staggered';
  /** Arguments by their keyword: `prefix`, `owner`, `context`, `path`, `parallel`, `delay`. A later one wins. */
  readonly arguments: ReadonlyMap<string, Token>;
}

export type InterfaceOption =
  | (Span & { readonly kind: 'switch' | 'group'; readonly name: Text })
  | (Span & { readonly kind: 'lladdr'; readonly locked: boolean; readonly address: Token | null })
  | (Span & { readonly kind: 'rdomain'; readonly id: Token })
  | (Span & { readonly kind: 'up' | 'down' });

export type SwitchOption =
  | (Span & { readonly kind: 'interface' | 'group'; readonly name: Text })
  | (Span & { readonly kind: 'rdomain'; readonly id: Token })
  | (Span & { readonly kind: 'enable' | 'disable' | 'up' | 'down' | 'locked-lladdr' });

export type InstanceFlag = Span & {
  readonly flag: 'boot' | 'memory' | 'interface' | 'disk' | 'cdrom' | 'instance' | 'owner';
  readonly owner: Token | null;
};

export type VmOption =
  | (Span & { readonly kind: 'enable' | 'disable' | 'sev' | 'seves' })
  | (Span & { readonly kind: 'disk'; readonly path: Text; readonly format: Text | null })
  | (Span & {
      readonly kind: 'interface';
      readonly local: boolean;
      readonly name: Token | null;
      readonly options: readonly InterfaceOption[];
    })
  | (Span & { readonly kind: 'boot'; readonly path: Text })
  | (Span & { readonly kind: 'cdrom'; readonly path: Text })
  | (Span & { readonly kind: 'boot-device'; readonly device: 'cdrom' | 'disk' | 'net' })
  | (Span & { readonly kind: 'interfaces'; readonly count: Token })
  | (Span & { readonly kind: 'memory'; readonly value: Token })
  | (Span & { readonly kind: 'owner'; readonly owner: Token })
  | (Span & { readonly kind: 'allow'; readonly flags: readonly InstanceFlag[] })
  /** A line that the grammar does not take, kept for its place. */
  | (Span & { readonly kind: 'unknown'; readonly word: Token });

export interface SwitchBlock extends Span {
  readonly kind: 'switch';
  readonly name: Text;
  readonly options: readonly SwitchOption[];
  /** The opening brace, null where it is missing. */
  readonly brace: Span | null;
}

export interface VmBlock extends Span {
  readonly kind: 'vm';
  /** The VM's own name: the child's in `vm parent instance child`. */
  readonly name: Text;
  readonly parent: Text | null;
  readonly options: readonly VmOption[];
  readonly brace: Span | null;
}

export type Statement = IncludeStatement | MacroDefinition | GlobalStatement | SwitchBlock | VmBlock;

/** A use of a macro. */
export interface MacroUse extends Span {
  readonly name: string;
  /** What it stood for there, undefined where nobody had defined it. */
  readonly value: string | undefined;
}

/** A definition with how often it was used before the next one of the same name took its place. */
export interface MacroEntry {
  readonly name: string;
  readonly value: string;
  /** Null for one given outside the text (`vmd -D`). */
  readonly definition: MacroDefinition | null;
  uses: number;
}
