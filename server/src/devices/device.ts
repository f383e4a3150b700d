/** What every device is: something with ports or MMIO that can be saved and restored. */

/** Plain data that survives structured clone. */
export type DeviceState = Readonly<Record<string, unknown>>;

export interface Device {
  /** Datasheet name and place, unique on a board: `8259A`, `16550 at 0x3f8`. */
  readonly name: string;
  /** Inclusive first and exclusive last port of each span that it answers; the board says when they have moved. */
  readonly ports?: readonly { readonly start: number; readonly end: number }[];
  /** The chip has eight data lines: where the board has an ISA bus, a wider access is one to each of several ports. */
  readonly eightBits?: boolean;
  /** Half-open physical spans. */
  readonly mmio?: readonly { readonly start: bigint; readonly end: bigint }[];
  readPort?(port: number, size: 1 | 2 | 4): number;
  writePort?(port: number, size: 1 | 2 | 4, value: number): void;
  readMmio?(address: bigint, size: 1 | 2 | 4 | 8): bigint;
  writeMmio?(address: bigint, size: 1 | 2 | 4 | 8, value: bigint): void;
  reset(): void;
  save(): DeviceState;
  /**
   * Takes over a saved state and sets the alarm that belongs to it. It drives no line and no gate: whoever listens, the core
   * included, restores what it has seen.
   */
  restore(state: DeviceState): void;
}

/** Guest time in nanoseconds. */
export type Nanoseconds = number;

/**
 * The board's clock. One tick of the core is one nanosecond of guest time, so a run repeats exactly.
 * A device has at most one alarm; setting it again replaces it.
 */
export interface Clock {
  now(): Nanoseconds;
  setAlarm(device: string, at: Nanoseconds, ring: () => void): void;
  clearAlarm(device: string): void;
}

/** An interrupt request line into a controller. */
export type InterruptLine = (level: boolean) => void;
