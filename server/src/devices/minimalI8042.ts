/**
 * The keyboard controller that Firecracker and libkrun have: enough of an 8042 to be found by a guest, and to be asked for a
 * reset. Firecracker src/vmm/src/devices/legacy/i8042.rs (2026-08), libkrun src/devices/src/legacy/i8042.rs (2026-06), alike.
 * It answers five ports from 0x60 on, of which 0x61 to 0x63 read 0 (0x61 is KVM's where the dummy speaker is on).
 */
import type { Device, DeviceState, InterruptLine } from './device';

const DATA = 0x60;
const STATUS = 0x64;
const STATUS_FULL = 0x01;
const STATUS_PARAMETER = 0x08;
const STATUS_ENABLED = 0x10;
/** Keyboard interrupt on, self test passed. */
const CONTROL_RESET = 0x05;
const KEYBOARD_INTERRUPT = 0x01;
const COMMAND = {
  readControl: 0x20,
  writeControl: 0x60,
  readOutput: 0xd0,
  writeOutput: 0xd1,
  reset: 0xfe,
} as const;
const ACKNOWLEDGE = 0xfa;

interface State {
  status: number;
  control: number;
  output: number;
  command: number;
  /** At most one byte waits: every command and every byte to the keyboard throws away what waited. */
  waiting: number | null;
}

const RESET: State = {
  status: STATUS_ENABLED,
  control: CONTROL_RESET,
  output: 0,
  command: 0,
  waiting: null,
};

export interface MinimalI8042Options {
  /** A pulse for every byte: the interrupt is an eventfd. */
  readonly interrupt: InterruptLine;
  /** Command 0xFE. Bit 0 of the output port resets nothing. */
  reset(): void;
}

export class MinimalI8042 implements Device {
  readonly name = 'i8042';
  readonly ports = [{ start: DATA, end: STATUS + 1 }];
  private state: State = { ...RESET };

  constructor(private readonly options: MinimalI8042Options) {}

  /** An access that is wider than a byte reads 0 and has no effect. */
  readPort(port: number, size: 1 | 2 | 4): number {
    if (size !== 1) return 0;
    if (port === STATUS) return this.state.status;
    if (port !== DATA) return 0;
    const byte = this.state.waiting ?? 0;
    this.flush();
    return byte;
  }

  writePort(port: number, size: 1 | 2 | 4, value: number): void {
    if (size !== 1) return;
    if (port === STATUS) this.command(value);
    else if (port === DATA) this.data(value);
  }

  private command(value: number): void {
    const { state } = this;
    switch (value) {
      case COMMAND.reset:
        return this.options.reset();
      case COMMAND.readControl:
        return this.answer(state.control);
      case COMMAND.readOutput:
        return this.answer(state.output);
      case COMMAND.writeControl:
        this.flush();
        break;
      case COMMAND.writeOutput:
        break;
      default:
        return;
    }
    state.status |= STATUS_PARAMETER;
    state.command = value;
  }

  private data(value: number): void {
    const { state } = this;
    if ((state.status & STATUS_PARAMETER) === 0) {
      // To the keyboard, which acknowledges whatever it is.
      this.answer(ACKNOWLEDGE);
      if ((state.control & KEYBOARD_INTERRUPT) === 0) return;
      this.options.interrupt(true);
      this.options.interrupt(false);
      return;
    }
    if (state.command === COMMAND.writeControl) state.control = value;
    else state.output = value;
    state.status &= ~STATUS_PARAMETER;
  }

  private answer(byte: number): void {
    this.state.waiting = byte;
    this.state.status |= STATUS_FULL;
  }

  private flush(): void {
    this.state.waiting = null;
    this.state.status &= ~STATUS_FULL;
  }

  reset(): void {
    this.state = { ...RESET };
  }

  save(): DeviceState {
    return { ...this.state };
  }

  restore(state: DeviceState): void {
    this.state = { ...(state as unknown as State) };
  }
}
