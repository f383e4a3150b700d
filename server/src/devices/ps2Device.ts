/** What a PS/2 keyboard and a PS/2 mouse share: bytes that wait for the controller, and the last one for its "resend". */

export const ACKNOWLEDGE = 0xfa;
export const RESEND = 0xfe;
/** The basic assurance test went well. */
export const TEST_PASSED = 0xaa;
/** Bytes that wait while nobody reads; what comes further is lost. */
const MOST_BYTES = 256;

/** Plain data. */
export interface Ps2DeviceState {
  /** Bytes for the controller, next first. */
  queue: number[];
  /** The command whose parameter comes next; 0 for none. */
  command: number;
  lastSent: number;
}

export abstract class Ps2Device<State extends Ps2DeviceState> {
  protected state: State;

  constructor(private readonly powerOn: State) {
    this.state = structuredClone(powerOn);
  }

  /** A byte from the controller. */
  abstract receive(byte: number): void;

  get waiting(): boolean {
    return this.state.queue.length > 0;
  }

  /** The next byte on the wire, or undefined. */
  send(): number | undefined {
    const byte = this.state.queue.shift();
    if (byte !== undefined && byte !== RESEND) this.state.lastSent = byte;
    return byte;
  }

  reset(): void {
    this.state = structuredClone(this.powerOn);
  }

  save(): State {
    return structuredClone(this.state);
  }

  restore(state: State): void {
    this.state = structuredClone(state);
  }

  protected answer(...bytes: number[]): void {
    const { queue } = this.state;
    if (queue.length + bytes.length <= MOST_BYTES) queue.push(...bytes);
  }
}
