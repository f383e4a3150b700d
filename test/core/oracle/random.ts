/** A seeded source of random numbers, so that a failing program can be made again (mulberry32). */
export class Random {
  private state: number;
  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** 32 random bits. */
  word(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** 0 to `bound` - 1. */
  below(bound: number): number {
    return this.word() % bound;
  }

  /** `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True in one of `n` cases. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** A value of `bits` bits: often one at an edge, where flags change. */
  value(bits: number): bigint {
    const mask = (1n << BigInt(bits)) - 1n;
    const top = 1n << BigInt(bits - 1);
    const edges = [0n, 1n, 2n, mask, mask - 1n, top, top - 1n, top + 1n, 0x0fn, 0x10n, 0x7fn, 0x80n, 0xffn];
    if (this.oneIn(2)) return this.pick(edges) & mask;
    return ((BigInt(this.word()) << 32n) | BigInt(this.word())) & mask;
  }
}
