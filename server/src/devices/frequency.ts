/** A clock input of a chip: whole ticks of a frequency against guest time in nanoseconds, without drift. */
import type { Nanoseconds } from './device';

const SECOND = 1_000_000_000;

export class Frequency {
  /** Below 2^23 every product stays below 2^53 and each quotient is exact; a faster clock is worked out in big integers. */
  private readonly small: boolean;

  /** `hertz`: whole. */
  constructor(readonly hertz: number) {
    this.small = hertz < 2 ** 23;
  }

  /** Whole ticks that have passed after `elapsed` nanoseconds. */
  ticks(elapsed: Nanoseconds): number {
    if (!this.small) return Number((BigInt(elapsed) * BigInt(this.hertz)) / BigInt(SECOND));
    const seconds = Math.floor(elapsed / SECOND);
    return seconds * this.hertz + Math.floor(((elapsed % SECOND) * this.hertz) / SECOND);
  }

  /** The first nanosecond at which `ticks` whole ticks have passed. */
  nanoseconds(ticks: number): Nanoseconds {
    if (!this.small) {
      const hertz = BigInt(this.hertz);
      return Number((BigInt(ticks) * BigInt(SECOND) + hertz - 1n) / hertz);
    }
    const seconds = Math.floor(ticks / this.hertz);
    return seconds * SECOND + Math.ceil(((ticks % this.hertz) * SECOND) / this.hertz);
  }
}
