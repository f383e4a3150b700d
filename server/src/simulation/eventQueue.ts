/** The board's clock: guest time from the core, and at most one alarm for each device. */
import type { Ticks } from '../../emulator/face';
import type { Clock, Nanoseconds } from '../devices/device';

interface Alarm {
  readonly at: Nanoseconds;
  readonly ring: () => void;
}

export class EventQueue implements Clock {
  private readonly alarms = new Map<string, Alarm>();

  /** `sooner` is told of every new alarm, so that a core that runs past it can be stopped. */
  constructor(
    private readonly time: () => Ticks,
    private readonly sooner: (at: Nanoseconds) => void,
  ) {}

  now(): Nanoseconds {
    return this.time();
  }

  setAlarm(device: string, at: Nanoseconds, ring: () => void): void {
    this.alarms.set(device, { at, ring });
    this.sooner(at);
  }

  clearAlarm(device: string): void {
    this.alarms.delete(device);
  }

  /** When the first alarm rings, or null. */
  next(): Nanoseconds | null {
    let first: Nanoseconds | null = null;
    for (const { at } of this.alarms.values()) if (first === null || at < first) first = at;
    return first;
  }

  /** Rings everything that is due, in the order of time and then of name, so that every run repeats. */
  ringDue(): void {
    const now = this.now();
    const due = [...this.alarms]
      .filter(([, alarm]) => alarm.at <= now)
      .sort(([a, x], [b, y]) => x.at - y.at || (a < b ? -1 : 1));
    for (const [device, alarm] of due) {
      // An earlier ring may have moved or cleared this one.
      if (this.alarms.get(device) !== alarm) continue;
      this.alarms.delete(device);
      alarm.ring();
    }
  }
}
