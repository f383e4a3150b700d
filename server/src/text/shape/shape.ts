/**
 * The shape of a config: which keys it has, what their values are, and what happens to other keys. One table a format; checks,
 * completion, hover and a JSON schema come from it.
 */

/** What the reader of the config does with a key that the shape does not have. */
export type OthersPolicy =
  /** Takes no notice: the silent killer. */
  | 'ignored'
  /** Refuses the config. */
  | 'refused'
  /** Takes any key, as in a table of names. */
  | 'free';

export interface ObjectShape {
  readonly kind: 'object';
  readonly members: Readonly<Record<string, Member>>;
  readonly others: OthersPolicy;
  /** Exactly one of the members must be there: an enum of serde that is tagged by its key. */
  readonly oneOf?: true;
}

/** An object whose keys are names that the user gives: `[dev.NAME]`. */
export interface NamesShape {
  readonly kind: 'names';
  readonly of: Shape;
  /** What a name names, for messages: `a device`. */
  readonly what: string;
}

export interface ArrayShape {
  readonly kind: 'array';
  readonly of: Shape;
  readonly least?: number;
  readonly most?: number;
}

export interface IntegerShape {
  readonly kind: 'integer';
  /** Both ends are inclusive. */
  readonly least?: bigint;
  readonly most?: bigint;
  /** `MiB`, `bytes`, `ms`. */
  readonly unit?: string;
}

export interface StringShape {
  readonly kind: 'string';
  /** All that it may be. */
  readonly values?: readonly StringValue[];
  /** The whole string must match. */
  readonly pattern?: RegExp;
  /** What the pattern means, in words: `a MAC address like 06:00:ac:10:00:02`. */
  readonly expected?: string;
  /** What else than one of `values` may stand there, in words, where the string is one of several alternatives. */
  readonly besides?: string;
}

export interface StringValue {
  readonly value: string;
  readonly text: string;
  readonly since?: string;
  readonly until?: string;
}

/** The first alternative that takes the node's kind counts. */
export interface EitherShape {
  readonly kind: 'either';
  readonly of: readonly Shape[];
}

/** An object of which more members depend on the value of one of them. */
export interface VariantShape {
  readonly kind: 'variant';
  /** The key of `common` that decides. */
  readonly by: string;
  readonly common: ObjectShape;
  /** Members beside the common ones, by the value of that key. Another value is judged by the key's own shape. */
  readonly variants: Readonly<Record<string, Readonly<Record<string, Member>>>>;
}

export type Shape =
  | ObjectShape
  | NamesShape
  | ArrayShape
  | IntegerShape
  | StringShape
  | EitherShape
  | VariantShape
  | { readonly kind: 'number' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'any' };

export interface Member {
  readonly shape: Shape;
  /** What it does, in Markdown without HTML; the first sentence stands alone. */
  readonly text: string;
  readonly required?: boolean;
  /** JSON null is as good as absent (serde's Option). */
  readonly nullable?: boolean;
  /** As written in a config. */
  readonly default?: string;
  /** The first and the last version (ids of the VMM's list) that have it; both inclusive. */
  readonly since?: string;
  readonly until?: string;
  /** Other spellings that are taken for it. */
  readonly aliases?: readonly string[];
  /** Spellings that are no longer taken, for the nearest key. */
  readonly formerly?: readonly string[];
  /** A snippet of its value for completion, as written. */
  readonly example?: string;
  /** File and item that were read. */
  readonly source?: string;
}

/** Whether a version has what begins with `since` and ends with `until`, both inclusive. */
export type InVersion = (span: { readonly since?: string; readonly until?: string }) => boolean;

export const ANY_VERSION: InVersion = () => true;

/** The predicate for one version of a list, oldest first. An id that the list lacks excludes nothing. */
export function inVersionOf(versions: readonly { readonly id: string }[], version: string): InVersion {
  const order = new Map(versions.map(({ id }, index) => [id, index]));
  const at = order.get(version);
  return ({ since, until }) => {
    if (at === undefined) return true;
    const first = since === undefined ? undefined : order.get(since);
    const last = until === undefined ? undefined : order.get(until);
    return (first === undefined || at >= first) && (last === undefined || at <= last);
  };
}
