/**
 * The tree that bhyve makes of a config's keys (config.c, set_config_value): a key is either a value or a node with more below
 * it, and what comes later replaces an earlier value.
 */
import type { ConfigEntry } from './flatConfig';

export interface KeyProblem {
  readonly entry: ConfigEntry;
  /** `empty`: two dots in a row; `below-value`: a node below a value; `node`: a value for what is a node. */
  readonly why: 'empty' | 'below-value' | 'node';
  /** The entry that is in the way. */
  readonly other?: ConfigEntry;
}

export interface ConfigTree {
  /** By full key, in the order of their first appearance. */
  readonly values: ReadonlyMap<string, ConfigEntry>;
  readonly problems: readonly KeyProblem[];
}

/** Keys longer than this many parts are read as they are, but nobody looks below them. */
const DEEPEST = 64;

/** In O(total length of the keys); an entry with a problem is left out of `values`. */
export function configTree(entries: readonly ConfigEntry[]): ConfigTree {
  const values = new Map<string, ConfigEntry>();
  /** Every proper beginning of a key, with the first entry that made it a node. */
  const nodes = new Map<string, ConfigEntry>();
  const problems: KeyProblem[] = [];
  for (const entry of entries) {
    const problem = conflict(entry, values, nodes);
    if (problem) {
      problems.push(problem);
      continue;
    }
    for (const prefix of prefixes(entry.key)) if (!nodes.has(prefix)) nodes.set(prefix, entry);
    values.set(entry.key, entry);
  }
  return { values, problems };
}

function conflict(
  entry: ConfigEntry,
  values: ReadonlyMap<string, ConfigEntry>,
  nodes: ReadonlyMap<string, ConfigEntry>,
): KeyProblem | null {
  const parents = prefixes(entry.key);
  // The last part may be empty: only nodes are looked up by strsep.
  if (parents.some((prefix) => prefix === '' || prefix.endsWith('.'))) return { entry, why: 'empty' };
  for (const prefix of parents) {
    const other = values.get(prefix);
    if (other) return { entry, why: 'below-value', other };
  }
  const node = nodes.get(entry.key);
  return node ? { entry, why: 'node', other: node } : null;
}

/** `a` and `a.b` of `a.b.c`. */
function prefixes(key: string): string[] {
  const found: string[] = [];
  for (let at = key.indexOf('.'); at >= 0 && found.length < DEEPEST; at = key.indexOf('.', at + 1)) {
    found.push(key.slice(0, at));
  }
  return found;
}
