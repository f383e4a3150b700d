/** A clock that a test turns by hand. */
import type { Clock, Nanoseconds } from '../../../server/src/devices/device';

export class HandClock implements Clock {
  private readonly alarms = new Map<string, { at: Nanoseconds; ring: () => void }>();
  private time = 0;

  now(): Nanoseconds {
    return this.time;
  }

  setAlarm(device: string, at: Nanoseconds, ring: () => void): void {
    this.alarms.set(device, { at, ring });
  }

  clearAlarm(device: string): void {
    this.alarms.delete(device);
  }

  /** When the next alarm rings, or null. */
  get next(): Nanoseconds | null {
    const times = [...this.alarms.values()].map(({ at }) => at);
    return times.length > 0 ? Math.min(...times) : null;
  }

  /** Moves time on and rings what is due, each alarm at its own time. */
  advance(by: Nanoseconds): void {
    const end = this.time + by;
    for (let next = this.next; next !== null && next <= end; next = this.next) {
      this.time = next;
      for (const [name, alarm] of [...this.alarms]) {
        if (alarm.at > this.time) continue;
        this.alarms.delete(name);
        alarm.ring();
      }
    }
    this.time = end;
  }
}
