/** The timeline of a boot: capped in the middle, and what goes round and round is written down once. */
import type { TraceEvent } from '../../emulator/face';
import type { TimelineEvent } from './report';

/** The events that are kept at least, from the start and up to the end: how it began and how it came to its end. */
const FIRST = 10_000;
const LAST = 5_000;
/** The longest round that is recognised, in events: an interrupt with a BIOS's mode switches is about a dozen. */
const LONGEST_ROUND = 32;
/** Rounds beyond the first that must be complete before they are merged. */
const ROUNDS = 2;

/** Events that came as they did `period` events earlier, held back until the round is broken. */
interface Round {
  /** Index of the first event of the round in `kept`. */
  readonly start: number;
  readonly period: number;
  matched: number;
  /** The first rounds, to be written out should there be no more, then the incomplete one. */
  held: TimelineEvent[];
  lastAt: number;
}

export interface TimelineState {
  readonly kept: readonly TimelineEvent[];
  readonly first: number;
  readonly dropped: number;
  readonly droppedAt: number;
  readonly base: number;
  readonly round: Round | null;
}

export class Timeline {
  /** The events left out between `kept[first - 1]` and `kept[first]`, the last of them at `droppedAt`. */
  dropped = 0;
  private droppedAt = 0;
  private first = FIRST;
  private readonly kept: TimelineEvent[] = [];
  /** Ticks before the present power-on: a reboot starts a new clock. */
  base = 0;
  private round: Round | null = null;

  /** What is kept, with an event of its own where some are missing. */
  get events(): readonly TimelineEvent[] {
    const { kept, first, dropped, droppedAt } = this;
    if (dropped === 0) return kept;
    const text = `${dropped} events in between were not kept`;
    const gap = { event: 'omitted', at: droppedAt, vcpu: 0, count: dropped, text } as const;
    return [...kept.slice(0, first), gap, ...kept.slice(first)];
  }

  /** An event of the core, in ticks since the present power-on. */
  add(event: TraceEvent): void {
    this.put(this.base === 0 ? event : { ...event, at: event.at + this.base });
  }

  /** What the board or the VMM has to say, at a time since the present power-on. */
  note(event: 'console' | 'verdict', at: number, vcpu: number, text: string): void {
    this.put({ event, at: at + this.base, vcpu, text });
  }

  save(): TimelineState {
    const { kept, first, dropped, droppedAt, base, round } = this;
    return {
      kept: [...kept],
      first,
      dropped,
      droppedAt,
      base,
      round: round && { ...round, held: [...round.held] },
    };
  }

  restore({ kept, first, dropped, droppedAt, base, round }: TimelineState): void {
    this.kept.length = 0;
    for (const event of kept) this.kept.push(event);
    this.first = first;
    this.dropped = dropped;
    this.droppedAt = droppedAt;
    this.base = base;
    this.round = round && { ...round, held: [...round.held] };
  }

  /** Writes down what was held back. Called at the end, too. */
  flush(): void {
    const { round } = this;
    if (!round) return;
    this.round = null;
    const complete = Math.floor(round.matched / round.period);
    const { vcpu } = this.kept[round.start]!;
    if (complete >= ROUNDS) {
      const text =
        round.period === 1
          ? `the same again, ${complete} times`
          : `the last ${round.period} events again, ${complete} times`;
      this.push({ event: 'repeated', at: round.lastAt, vcpu, count: complete, text });
    }
    for (const event of round.held) this.push(event);
  }

  private put(event: TimelineEvent): void {
    if (this.round) {
      if (this.goesOn(this.round, event)) return;
      this.flush();
    }
    const start = this.lastLike(event);
    if (start === null) this.push(event);
    else {
      const period = this.kept.length - start;
      this.round = { start, period, matched: 1, held: [event], lastAt: event.at };
    }
  }

  /** Index of the last event like this one, not further back than the longest round. */
  private lastLike(event: TimelineEvent): number | null {
    const first = Math.max(0, this.kept.length - LONGEST_ROUND);
    for (let i = this.kept.length - 1; i >= first; i--) if (alike(this.kept[i]!, event)) return i;
    return null;
  }

  private goesOn(round: Round, event: TimelineEvent): boolean {
    if (!alike(this.kept[round.start + (round.matched % round.period)]!, event)) return false;
    round.matched++;
    round.held.push(event);
    this.merge(round, event);
    return true;
  }

  /** Forgets the events of complete rounds once there are enough of them. */
  private merge(round: Round, event: TimelineEvent): void {
    if (round.matched % round.period !== 0 || round.matched < ROUNDS * round.period) return;
    round.held = [];
    round.lastAt = event.at;
  }

  private push(event: TimelineEvent): void {
    this.kept.push(event);
    if (this.kept.length >= this.first + 2 * LAST) this.drop();
  }

  /** Forgets the middle. What the VMM decided is never left out. No round is open, so none points there. */
  private drop(): void {
    const middle = this.kept.slice(this.first, this.first + LAST);
    const verdicts = middle.filter(({ event }) => event === 'verdict');
    this.kept.splice(this.first, LAST, ...verdicts);
    this.dropped += LAST - verdicts.length;
    this.droppedAt = middle.at(-1)!.at;
    this.first += verdicts.length;
  }
}

/** The same but for the time. Events are flat, and those of one kind have the same fields. */
function alike(a: TimelineEvent, b: TimelineEvent): boolean {
  if (a.event !== b.event) return false;
  const [x, y] = [a, b] as unknown as Record<string, unknown>[];
  for (const name in x) if (name !== 'at' && x[name] !== y![name]) return false;
  return true;
}
