/** `--shard I/N`: the part of a list that one of N runners takes. */

export interface Shard {
  /** From 1 to `count`. */
  readonly index: number;
  readonly count: number;
}

/** `2/8`; null for anything else. */
export function parseShard(text: string): Shard | null {
  const [, index, count] = /^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text) ?? [];
  if (index === undefined || count === undefined) return null;
  return Number(index) <= Number(count) ? { index: Number(index), count: Number(count) } : null;
}

/**
 * Every `count`-th item from the `index`-th on, so that neighbours, which are alike, go to different runners. The shards of a
 * list have each of its items once.
 */
export function inShard<T>(items: readonly T[], { index, count }: Shard): T[] {
  return items.filter((_, at) => at % count === index - 1);
}
