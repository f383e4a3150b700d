/** A probe guest: a small guest of our own that does what kernels do on the boot path, and says what it found. */

/** A cell of the image that the loader may set; its place is the label of the same name. */
export interface ProbeParameter {
  readonly name: string;
  /** The label of the cell in the image. */
  readonly label: string;
  /** In bytes; little endian. */
  readonly size: 1 | 4;
  readonly initial: number;
  /** What it changes, and what its values mean. */
  readonly meaning: string;
}

/** A code that a probe can end its report with (`status CODE`). */
export interface ProbeStatus {
  readonly code: string;
  readonly meaning: string;
  /**
   * `expected`: what the probe is there to see on a machine that works. `finding`: the machine lacks or loses
   * something, in a way that real guests meet too. `fault`: an exception that the probe did not plan.
   */
  readonly verdict: 'expected' | 'finding' | 'fault';
}

export interface Probe {
  readonly name: string;
  readonly title: string;
  /** One sentence: what it checks. */
  readonly checks: string;
  /**
   * `rom`: a firmware image whose last byte is at 0xfffff and, the same bytes, at 4 GiB - 1. `elf`: an executable that the VMM
   * loads itself, as it loads a kernel.
   */
  readonly load: 'rom' | 'elf';
  /** As assembled, a ROM without padding. */
  readonly image: Uint8Array;
  /** Label to linear address below 1 MiB (`rom`) or to physical address (`elf`), in hex. */
  readonly labels: Readonly<Record<string, string>>;
  readonly parameters: readonly ProbeParameter[];
  readonly statuses: readonly ProbeStatus[];
  /** It goes through a firmware's entry point, so that it says nothing of a VMM that has none. */
  readonly needsFirmware?: true;
  /**
   * True where the probe is meant to end in a reset of the machine: then its last line does not come, and a `status`
   * after it means that the reset did not happen or that it led back to the reset vector with memory kept.
   */
  readonly endsInReset: boolean;
}
