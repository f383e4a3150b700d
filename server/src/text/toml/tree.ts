/** A TOML document as a tree in which every table, key and value knows its place. Offsets count UTF-16 units. */

/** Half-open. */
export interface TomlSpan {
  readonly start: number;
  readonly end: number;
}

/** One part of a dotted key or of a table's header. */
export interface TomlKey extends TomlSpan {
  /** Without quotes, escapes resolved. */
  readonly text: string;
}

export type TomlDateForm = 'offset date-time' | 'local date-time' | 'local date' | 'local time';

export type TomlScalar =
  | (TomlSpan & { readonly kind: 'string'; readonly value: string })
  /** Also beyond 64 bits, where there is a problem too. */
  | (TomlSpan & { readonly kind: 'integer'; readonly value: bigint })
  | (TomlSpan & { readonly kind: 'float'; readonly value: number })
  | (TomlSpan & { readonly kind: 'boolean'; readonly value: boolean })
  /** The text as written. */
  | (TomlSpan & { readonly kind: 'date'; readonly value: string; readonly form: TomlDateForm })
  /** Nothing, or nothing that TOML knows: there is a problem for it. */
  | (TomlSpan & { readonly kind: 'invalid'; readonly value: string });

export interface TomlArray extends TomlSpan {
  readonly kind: 'array';
  readonly items: TomlValue[];
  /** Made of `[[headers]]`, which alone may append to it. */
  readonly ofTables: boolean;
}

export interface TomlTable {
  readonly kind: 'table';
  /** The start of the header, dotted key or brace that made it. */
  readonly start: number;
  /** The end of its last entry, or of its header or brace. */
  end: number;
  /**
   * What made it: its own `[header]`, only a longer header (`implicit`), a dotted key, braces; the document is the `root`.
   */
  form: 'root' | 'header' | 'implicit' | 'dotted' | 'inline';
  /** By key, in the order of their first appearance. The first of two with one key stays. */
  readonly entries: Map<string, TomlEntry>;
}

export type TomlValue = TomlScalar | TomlArray | TomlTable;

/** A key with its value. For a sub-table the key is the part of the header or of the dotted key that names it. */
export interface TomlEntry {
  readonly key: TomlKey;
  readonly value: TomlValue;
}

export interface TomlProblem extends TomlSpan {
  /** `duplicate`: what TOML takes only once stands there twice. `range`: a number that no 64-bit reader holds. */
  readonly kind: 'syntax' | 'duplicate' | 'range';
  readonly message: string;
  /** The other place of a duplicate. */
  readonly first?: TomlSpan;
}

export interface TomlDocument {
  readonly root: TomlTable;
  /** By place. */
  readonly problems: readonly TomlProblem[];
}
