/**
 * A config as a tree in which every key and value knows its place, whatever syntax it is written in: what a `Shape` is held
 * against. Offsets are half-open and count UTF-16 units.
 */

export interface NodeSpan {
  readonly start: number;
  readonly end: number;
}

export interface ConfigKey extends NodeSpan {
  /** Without quotes, escapes resolved. */
  readonly text: string;
}

export interface ConfigMember {
  readonly key: ConfigKey;
  /** Null where none is written yet. */
  readonly value: ConfigNode | null;
  /** The first member of the object with this key, where this is a later one. */
  readonly duplicateOf: ConfigMember | null;
}

export interface ObjectNode extends NodeSpan {
  readonly kind: 'object';
  /** In the order of the text. */
  readonly members: readonly ConfigMember[];
}

export interface ArrayNode extends NodeSpan {
  readonly kind: 'array';
  readonly items: readonly ConfigNode[];
}

export type ScalarNode =
  /** The span has the quotes. */
  | (NodeSpan & { readonly kind: 'string'; readonly value: string })
  | (NodeSpan & { readonly kind: 'integer'; readonly value: bigint })
  | (NodeSpan & { readonly kind: 'float'; readonly value: number })
  | (NodeSpan & { readonly kind: 'boolean'; readonly value: boolean })
  | (NodeSpan & { readonly kind: 'null' })
  /** A date or a time of TOML, as written. */
  | (NodeSpan & { readonly kind: 'date'; readonly value: string })
  /** Something that the syntax does not know: the reader has said so. */
  | (NodeSpan & { readonly kind: 'invalid' });

export type ConfigNode = ObjectNode | ArrayNode | ScalarNode;

/** The first member of that key; null where the node is no object or has none. */
export function memberOf(node: ConfigNode | null, key: string): ConfigMember | null {
  return node?.kind === 'object' ? (node.members.find((member) => member.key.text === key) ?? null) : null;
}

/** The value at a path of keys and indexes; null where there is none. */
export function nodeAt(node: ConfigNode | null, ...path: readonly (string | number)[]): ConfigNode | null {
  let at: ConfigNode | null = node;
  for (const step of path) {
    at =
      typeof step === 'string'
        ? (memberOf(at, step)?.value ?? null)
        : at?.kind === 'array'
          ? (at.items[step] ?? null)
          : null;
  }
  return at;
}
