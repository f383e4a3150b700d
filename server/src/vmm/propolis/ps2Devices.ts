/** The keyboard and the mouse behind Propolis' PS/2 controller (hw/ps2/ctrl.rs, PS2Kbd and PS2Mouse). Nobody touches them. */

const BUFFER = 16;
const OVERFLOW = 0xff;
const ACKNOWLEDGE = 0xfa;
const TEST_PASSED = 0xaa;

export interface Ps2State {
  buffer: number[];
  /** A command that waits for its parameter; -1 for none. */
  command: number;
  /** Keyboard: the scan code set. Mouse: scaling, reporting and remote mode as the status byte has them. */
  mode: number;
  /** Mouse only. */
  resolution: number;
  rate: number;
}

abstract class Ps2Device {
  state: Ps2State = this.initial();

  protected abstract initial(): Ps2State;
  abstract receive(byte: number): void;

  reset(): void {
    this.state = this.initial();
  }

  get waiting(): boolean {
    return this.state.buffer.length > 0;
  }

  take(): number {
    return this.state.buffer.shift() ?? 0;
  }

  /** The last place of the buffer tells of the overflow, and what comes then is lost. */
  respond(...bytes: number[]): void {
    const { buffer } = this.state;
    for (const byte of bytes) {
      if (buffer.length < BUFFER - 1) buffer.push(byte);
      else if (buffer.length === BUFFER - 1) buffer.push(OVERFLOW);
    }
  }

  /** The command whose parameter this byte is, or -1. */
  protected pending(): number {
    const { command } = this.state;
    this.state.command = -1;
    return command;
  }
}

export class PropolisKeyboard extends Ps2Device {
  protected initial(): Ps2State {
    return { buffer: [], command: -1, mode: 1, resolution: 0, rate: 0 };
  }

  receive(byte: number): void {
    const pending = this.pending();
    if (pending === 0xed || pending === 0xf3) return this.respond(ACKNOWLEDGE);
    if (pending === 0xf0) return this.scanCodeSet(byte);
    switch (byte) {
      case 0xed: // LEDs
      case 0xf0: // scan code set
      case 0xf3: // typematic rate
        this.state.command = byte;
        return this.respond(ACKNOWLEDGE);
      case 0xee:
        return this.respond(0xee);
      case 0xf2:
        return this.respond(ACKNOWLEDGE, 0xab, 0x83);
      case 0xf4: // enable and disable, defaults, resend
      case 0xf5:
      case 0xf6:
      case 0xfe:
        return this.respond(ACKNOWLEDGE);
      case 0xff:
        this.reset();
        return this.respond(ACKNOWLEDGE, TEST_PASSED);
    }
  }

  /** A set that it does not have gets no answer. */
  private scanCodeSet(byte: number): void {
    if (byte === 0) return this.respond(ACKNOWLEDGE, this.state.mode);
    if (byte > 2) return;
    this.state.mode = byte;
    this.respond(ACKNOWLEDGE);
  }
}

const SCALE_2 = 0x10;
const ENABLED = 0x20;
const REMOTE = 0x40;

export class PropolisMouse extends Ps2Device {
  protected initial(): Ps2State {
    return { buffer: [], command: -1, mode: 0, resolution: 0, rate: 10 };
  }

  receive(byte: number): void {
    const { state } = this;
    const pending = this.pending();
    // Parameters are taken without an acknowledgement.
    if (pending === 0xf3) state.rate = byte;
    else if (pending === 0xe8) state.resolution = byte;
    else this.execute(byte);
  }

  private execute(byte: number): void {
    const { state } = this;
    switch (byte) {
      case 0xe6: // scaling 2:1 and 1:1, as Propolis names them
      case 0xe7:
        state.mode = byte === 0xe6 ? state.mode | SCALE_2 : state.mode & ~SCALE_2;
        return this.respond(ACKNOWLEDGE);
      case 0xe8:
      case 0xf3:
        state.command = byte;
        return this.respond(ACKNOWLEDGE);
      case 0xe9:
        return this.respond(ACKNOWLEDGE, state.mode, state.resolution, state.rate);
      case 0xeb: // nothing pressed, no motion
        return this.respond(ACKNOWLEDGE, 0x08, 0, 0);
      case 0xec: // wrap mode, resend, defaults
      case 0xee:
      case 0xf6:
      case 0xfe:
        return this.respond(ACKNOWLEDGE);
      case 0xf0:
        state.mode |= REMOTE;
        return this.respond(ACKNOWLEDGE);
      case 0xf2:
        return this.respond(ACKNOWLEDGE, 0);
      case 0xf4:
        state.mode |= ENABLED;
        return this.respond(ACKNOWLEDGE);
      case 0xf5:
        state.mode &= ~ENABLED;
        return this.respond(ACKNOWLEDGE);
      case 0xff:
        this.reset();
        return this.respond(ACKNOWLEDGE, TEST_PASSED, 0);
    }
  }
}
