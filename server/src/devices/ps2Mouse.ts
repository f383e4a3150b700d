/**
 * A PS/2 mouse that nobody moves (IBM PS/2 Hardware Interface Technical Reference, mouse: "Commands from the system").
 */
import { ACKNOWLEDGE, Ps2Device, RESEND, TEST_PASSED, type Ps2DeviceState } from './ps2Device';

const RESET = 0xff;
const RESET_WRAP = 0xec;
const IDENTIFIER = 0x00;
/** A packet without buttons and without motion: bit 3 is always set. */
const PACKET = [0x08, 0x00, 0x00] as const;
/** Bits of the first status byte. */
const REMOTE = 0x40;
const ENABLED = 0x20;
const SCALING = 0x10;
const SET_RESOLUTION = 0xe8;
const SET_RATE = 0xf3;

export interface Ps2MouseState extends Ps2DeviceState {
  status: number;
  resolution: number;
  rate: number;
  /** Everything but two commands is echoed. */
  wrap: boolean;
}

/** Stream mode, 4 counts per millimetre, 100 reports a second, disabled. */
const POWER_ON: Ps2MouseState = {
  queue: [],
  status: 0,
  resolution: 2,
  rate: 100,
  wrap: false,
  command: 0,
  lastSent: ACKNOWLEDGE,
};

/** Commands that only clear and set bits of the status byte: [clear, set]. */
const STATUS_COMMANDS: Readonly<Record<number, readonly [number, number]>> = {
  0xe6: [SCALING, 0],
  0xe7: [0, SCALING],
  0xea: [REMOTE, 0],
  0xf0: [0, REMOTE],
  0xf4: [0, ENABLED],
  0xf5: [ENABLED, 0],
};

export class Ps2Mouse extends Ps2Device<Ps2MouseState> {
  constructor() {
    super(POWER_ON);
  }

  receive(byte: number): void {
    const { state } = this;
    const { command } = state;
    state.command = 0;
    if (state.wrap && byte !== RESET && byte !== RESET_WRAP) {
      this.answer(byte);
    } else if (command === SET_RESOLUTION && byte <= 3) {
      state.resolution = byte;
      this.answer(ACKNOWLEDGE);
    } else if (command === SET_RATE && byte <= 200) {
      state.rate = byte;
      this.answer(ACKNOWLEDGE);
    } else {
      this.execute(byte);
    }
  }

  private execute(byte: number): void {
    const { state } = this;
    const bits = STATUS_COMMANDS[byte];
    if (bits) {
      state.status = (state.status & ~bits[0]) | bits[1];
      return this.answer(ACKNOWLEDGE);
    }
    switch (byte) {
      case SET_RESOLUTION:
      case SET_RATE:
        state.command = byte;
        return this.answer(ACKNOWLEDGE);
      case 0xe9:
        return this.answer(ACKNOWLEDGE, state.status, state.resolution, state.rate);
      case 0xeb:
        return this.answer(ACKNOWLEDGE, ...PACKET);
      case RESET_WRAP:
        state.wrap = false;
        return this.answer(ACKNOWLEDGE);
      case 0xee:
        state.wrap = true;
        return this.answer(ACKNOWLEDGE);
      case 0xf2:
        return this.answer(ACKNOWLEDGE, IDENTIFIER);
      case 0xf6:
        this.reset();
        return this.answer(ACKNOWLEDGE);
      case RESEND:
        return this.answer(state.lastSent);
      case RESET:
        this.reset();
        return this.answer(ACKNOWLEDGE, TEST_PASSED, IDENTIFIER);
      default:
        return this.answer(RESEND);
    }
  }
}
