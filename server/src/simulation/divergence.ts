/** Where two boots of the same guest part: the first event of their timelines that differs. */
import type { BootReport, TimelineEvent } from './report';

export interface Divergence {
  /** Ticks of the earlier of the two events; the shorter run's end where one has no more events. */
  readonly instructions: number;
  /** Null where this run had ended. */
  readonly left: TimelineEvent | null;
  readonly right: TimelineEvent | null;
}

type Run = Pick<BootReport, 'timeline' | 'instructions' | 'outcome'>;

/** Null where both went the same way to the same outcome. */
export function divergenceOf(left: Run, right: Run): Divergence | null {
  const length = Math.max(left.timeline.length, right.timeline.length);
  for (let i = 0; i < length; i++) {
    const a = left.timeline[i] ?? null;
    const b = right.timeline[i] ?? null;
    if (a && b && sameEvent(a, b)) continue;
    return {
      instructions: Math.min(a?.at ?? left.instructions, b?.at ?? right.instructions),
      left: a,
      right: b,
    };
  }
  if (left.outcome === right.outcome) return null;
  return { instructions: Math.min(left.instructions, right.instructions), left: null, right: null };
}

/** Events are flat records of numbers, bigints and strings. */
function sameEvent(a: TimelineEvent, b: TimelineEvent): boolean {
  const x = Object.entries(a);
  const y = new Map(Object.entries(b));
  return x.length === y.size && x.every(([key, value]) => y.get(key) === value);
}
