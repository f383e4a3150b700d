/** A clock input of a chip: whole ticks of a frequency against guest time in nanoseconds, without drift. */
import type { Nanoseconds } from './device';

const SECOND = 1_000_000_000;

export class Frequency {
  /** `hertz`: whole, below 2^23, so that every product stays below 2^53 and each quotient is exact. */
  constructor(readonly hertz: number) {}

  /** Whole ticks that have passed after `elapsed` nanoseconds. */
  ticks(elapsed: Nanoseconds): number {
    const seconds = Math.floor(elapsed / SECOND);
    return seconds * this.hertz + Math.floor(((elapsed % SECOND) * this.hertz) / SECOND);
  }

  /** The first nanosecond at which `ticks` whole ticks have passed. */
  nanoseconds(ticks: number): Nanoseconds {
    const seconds = Math.floor(ticks / this.hertz);
    return seconds * SECOND + Math.ceil(((ticks % this.hertz) * SECOND) / this.hertz);
  }
}
