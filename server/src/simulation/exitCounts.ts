/** How often each port, address, leaf and MSR was touched, and who answered. */
import type { ExitKind as Kind } from '../machine/outcome';
import type { ExitCount } from './report';

/** Distinct places that are told apart; those beyond it are counted by kind alone. */
const DISTINCT = 4096;

interface Entry {
  readonly kind: Kind;
  readonly at: bigint | null;
  readonly device: string | null;
  count: number;
}

/** The places as they were counted: ports, addresses, leaves and MSRs, all of them below 2^53. */
export type ExitState = readonly {
  readonly kind: Kind;
  readonly entries: readonly {
    readonly key: number | null;
    readonly device: string | null;
    readonly count: number;
  }[];
}[];

export class ExitCounts {
  private readonly byKind = new Map<Kind, Map<number | null, Entry>>();
  private distinct = 0;
  /** The entry that was counted last, and its key: guests poll one place again and again. */
  private last: Entry | null = null;
  private lastKey: number | null = null;

  add(kind: Kind, at: number | null, device: string | null): void {
    if (this.last !== null && at === this.lastKey && kind === this.last.kind) {
      this.last.count++;
      return;
    }
    let entries = this.byKind.get(kind);
    if (!entries) {
      entries = new Map<number | null, Entry>();
      this.byKind.set(kind, entries);
    }
    const entry = entries.get(at);
    if (entry) {
      entry.count++;
      this.last = entry;
      this.lastKey = at;
      return;
    }
    if (this.distinct >= DISTINCT && at !== null) return this.add(kind, null, null);
    this.distinct++;
    entries.set(at, { kind, at: at === null ? null : BigInt(at), device, count: 1 });
  }

  save(): ExitState {
    return [...this.byKind].map(([kind, entries]) => ({
      kind,
      entries: [...entries].map(([key, { device, count }]) => ({ key, device, count })),
    }));
  }

  restore(state: ExitState): void {
    this.byKind.clear();
    this.distinct = 0;
    this.last = null;
    for (const { kind, entries } of state) {
      const restored = entries.map(
        ({ key, device, count }) =>
          [key, { kind, at: key === null ? null : BigInt(key), device, count }] as const,
      );
      this.byKind.set(kind, new Map<number | null, Entry>(restored));
      this.distinct += entries.length;
    }
  }

  /** Most frequent first, then by kind and place. */
  list(): ExitCount[] {
    return [...this.byKind.values()]
      .flatMap((entries) => [...entries.values()])
      .sort((a, b) => b.count - a.count || compare(a.kind, b.kind) || compare(a.at, b.at))
      .map((entry) => ({ ...entry }));
  }
}

/** Without a collator, whose start costs more than all else here. */
function compare<T extends bigint | string>(a: T | null, b: T | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
