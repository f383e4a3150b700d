/** A row of the table of keys that bhyve reads (bhyve_config(5), and the sources where the manual says less). */
import { BHYVE_VERSIONS, type BhyveVersion } from '../versions';

/**
 * How the value is read. `boolean`: config.c, _bool_value. `size`: vm_parse_memsize. `count`: parse_int_value, 1 to 65535.
 * `integer`: strtol of base 0. `decimal`: atoi or strtol of base 10. `text` and `path`: as they are.
 */
export type ValueKind = 'boolean' | 'size' | 'count' | 'integer' | 'decimal' | 'text' | 'path';

/** Id of the first version of the table that reads the key, by operating system; one that is left out does not read it. */
export interface Since {
  readonly freebsd?: string;
  readonly illumos?: string;
}

export interface KeyRow {
  /** Full key, or below its device; `*` stands for a decimal number without padding. */
  readonly key: string;
  readonly kind: ValueKind;
  /** What it does, a sentence or two. */
  readonly text: string;
  /** What holds where the key is not given. */
  readonly default?: string;
  /** The words that are told apart. */
  readonly values?: readonly string[];
  /** Largest number for `*`; anything larger is not looked for. */
  readonly most?: number;
  /** Left out where every version of the table reads it, or where the first one is not established. */
  readonly since?: Since;
}

export function isIn({ since }: Pick<KeyRow, 'since'>, version: BhyveVersion): boolean {
  if (!since) return true;
  const first = since[version.facts.os];
  if (first === undefined) return false;
  return index(first) <= index(version.id);
}

/** Ids of the table in which the key is read, oldest first, of one operating system each: for messages. */
export function firstVersions({ since }: Pick<KeyRow, 'since'>): string[] {
  return since ? [since.freebsd, since.illumos].filter((id) => id !== undefined) : [];
}

function index(id: string): number {
  return BHYVE_VERSIONS.findIndex((version) => version.id === id);
}
