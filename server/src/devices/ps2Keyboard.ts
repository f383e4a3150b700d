/**
 * A PS/2 keyboard with scan code sets 1 and 2, as it talks to its controller (IBM PS/2 Hardware Interface Technical
 * Reference, keyboards 101- and 102-key; the commands are those of "Commands from the system").
 */
import { ACKNOWLEDGE, Ps2Device, RESEND, TEST_PASSED, type Ps2DeviceState } from './ps2Device';
import { toSet2 } from './scancodes';

const IDENTIFIER = [0xab, 0x83] as const;
/** What does not fit into the 16 bytes for keys is lost, and this byte says so: set 1, set 2. */
const OVERRUN = { 1: 0xff, 2: 0x00 } as const;
const QUEUE_BYTES = 16;

const ECHO = 0xee;
const SELECT_SET = 0xf0;
/** Commands that take a byte more, and up to which value it is that byte and no command of its own. */
const LARGEST_PARAMETER: Readonly<Record<number, number>> = { 0xed: 0x07, 0xf0: 0x03, 0xf3: 0x7f };

export interface Ps2KeyboardState extends Ps2DeviceState {
  scanning: boolean;
  set: 1 | 2;
}

const POWER_ON: Ps2KeyboardState = { queue: [], scanning: true, set: 2, command: 0, lastSent: ACKNOWLEDGE };

export class Ps2Keyboard extends Ps2Device<Ps2KeyboardState> {
  constructor() {
    super(POWER_ON);
  }

  /** Keys as bytes of scan code set 1, presses and releases; nothing is sent while scanning is off. */
  type(scancodes: readonly number[]): void {
    const { queue, scanning, set } = this.state;
    if (!scanning) return;
    for (const byte of set === 1 ? scancodes : toSet2(scancodes)) {
      if (queue.length < QUEUE_BYTES) queue.push(byte);
      else if (queue.length === QUEUE_BYTES) queue.push(OVERRUN[set]);
    }
  }

  receive(byte: number): void {
    const { state } = this;
    const { command } = state;
    state.command = 0;
    if (command !== 0 && byte <= LARGEST_PARAMETER[command]!) this.parameter(command, byte);
    else this.execute(byte);
  }

  private execute(byte: number): void {
    const { state } = this;
    switch (byte) {
      case ECHO:
        return this.answer(ECHO);
      case RESEND:
        return this.answer(state.lastSent);
      case 0xed: // set the lamps
      case SELECT_SET:
      case 0xf3: // typematic rate and delay
        state.command = byte;
        return this.answer(ACKNOWLEDGE);
      case 0xf2:
        return this.answer(ACKNOWLEDGE, ...IDENTIFIER);
      case 0xf4: // enable
        state.queue = [];
        state.scanning = true;
        return this.answer(ACKNOWLEDGE);
      case 0xf5: // default disable
      case 0xf6: // set default
        this.state = { ...structuredClone(POWER_ON), scanning: byte === 0xf6 && state.scanning };
        return this.answer(ACKNOWLEDGE);
      case 0xff:
        this.reset();
        return this.answer(ACKNOWLEDGE, TEST_PASSED);
      default:
        // 0xf7 to 0xfd set key types of scan code set 3.
        return this.answer(byte >= 0xf7 && byte <= 0xfa ? ACKNOWLEDGE : RESEND);
    }
  }

  private parameter(command: number, byte: number): void {
    const { state } = this;
    if (command !== SELECT_SET) this.answer(ACKNOWLEDGE);
    else if (byte === 0) this.answer(ACKNOWLEDGE, state.set);
    else if (byte === 3) this.answer(RESEND);
    else {
      state.queue = [];
      state.set = byte === 1 ? 1 : 2;
      this.answer(ACKNOWLEDGE);
    }
  }
}
