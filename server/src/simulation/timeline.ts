/** The timeline of a boot: capped, with interrupts and halts that only go on merged into one line. */
import { hex } from '../address/format';
import type { TraceEvent } from '../../emulator/face';
import type { TimelineEvent } from './report';

const CAPACITY = 20_000;

interface Repeat {
  readonly vcpu: number;
  readonly text: string;
  count: number;
  last: number;
}

export class Timeline {
  readonly events: TimelineEvent[] = [];
  dropped = 0;
  /** Ticks before the present power-on: a reboot starts a new clock. */
  base = 0;
  private readonly repeats = new Map<string, Repeat>();

  /** An event of the core, in ticks since the present power-on. */
  add(event: TraceEvent): void {
    const key = repeatKey(event);
    if (key === null) {
      this.flush();
      this.push({ ...event, at: event.at + this.base });
      return;
    }
    const known = this.repeats.get(key.id);
    if (known) {
      known.count++;
      known.last = event.at;
    } else {
      this.repeats.set(key.id, { vcpu: event.vcpu, text: key.text, count: 0, last: event.at });
      this.push({ ...event, at: event.at + this.base });
    }
  }

  /** What the board or the VMM has to say, at a time since the present power-on. */
  note(event: 'console' | 'verdict', at: number, vcpu: number, text: string): void {
    this.flush();
    this.push({ event, at: at + this.base, vcpu, text });
  }

  /** Writes down the repeats that were held back. Called at the end, too. */
  flush(): void {
    for (const { vcpu, text, count, last } of this.repeats.values()) {
      if (count > 0) {
        const times = count === 1 ? 'once more' : `${count} times more`;
        this.push({ event: 'repeated', at: last + this.base, vcpu, count, text: `${text} ${times}` });
      }
    }
    this.repeats.clear();
  }

  private push(event: TimelineEvent): void {
    if (this.events.length < CAPACITY) this.events.push(event);
    else this.dropped++;
  }
}

function repeatKey(event: TraceEvent): { id: string; text: string } | null {
  if (event.event === 'interrupt') {
    return {
      id: `interrupt ${event.vcpu} ${event.vector} ${event.source}`,
      text: `interrupt ${hex(event.vector)} (${event.source})`,
    };
  }
  if (event.event !== 'halt') return null;
  return { id: `halt ${event.vcpu} ${event.rip}`, text: `HLT at ${hex(event.rip)}` };
}
