/**
 * The 8042 keyboard controller of a PC at ports 0x60 and 0x64, with a keyboard and, where there is one, a mouse behind it
 * (IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller").
 *
 * The controller answers its own commands at once. A byte from a device takes 10 microseconds where the wire takes about a
 * thousand: software waits for it by polling, and would only poll longer.
 */
import type { Clock, Device, DeviceState, InterruptLine, Nanoseconds } from './device';
import { Ps2Keyboard, type Ps2KeyboardState } from './ps2Keyboard';
import { Ps2Mouse, type Ps2MouseState } from './ps2Mouse';
import { SET1_BREAK, SET2_BREAK, translated } from './scancodes';

export interface I8042Options {
  readonly mouse: boolean;
  /** The command byte before the first instruction: 0 after power-on, or what a firmware has left. */
  readonly commandByte: number;
  /** Bit 1 of the output port, with every write of it. */
  setA20(on: boolean): void;
  /** Bit 0 of the output port went low: by command 0xd1, or by one that pulses it. */
  reset(command: number): void;
}

const DATA = 0x60;
const COMMAND = 0x64;
/** Bits of the status register. */
const OUTPUT_FULL = 0x01;
const SYSTEM_FLAG = 0x04;
const LAST_WAS_COMMAND = 0x08;
const NOT_INHIBITED = 0x10;
const FROM_MOUSE = 0x20;
const TIMEOUT = 0x40;
/** Bits of the command byte; bit 2 is the system flag there too. */
const KEYBOARD_INTERRUPT = 0x01;
const MOUSE_INTERRUPT = 0x02;
const KEYBOARD_DISABLED = 0x10;
const MOUSE_DISABLED = 0x20;
const TRANSLATE = 0x40;
/** Bits of the output port: what nobody drives reads high. */
const NOT_RESET = 0x01;
const A20 = 0x02;
const PORT_ONES = 0xcc;
const PORT_KEYBOARD_FULL = 0x10;
const PORT_MOUSE_FULL = 0x20;
/** Bit 7 of the input port: the keyboard is not locked. */
const INPUT_PORT = 0x80;
const RESEND = 0xfe;
const WIRE_TIME: Nanoseconds = 10_000;
const RAM_BYTES = 32;
/** Answers that wait while nobody reads; further ones are lost. */
const MOST_ANSWERS = 16;

/** Where a byte in the output buffer came from. `nobody`: a mouse that is not there did not answer. */
type Source = 'controller' | 'keyboard' | 'mouse' | 'nobody';

interface State {
  /** The controller's RAM: byte 0 is the command byte. */
  ram: number[];
  systemFlag: boolean;
  lastWasCommand: boolean;
  /** The command whose parameter comes next at port 0x60; -1 for none. */
  pending: number;
  buffer: number;
  /** Null while the output buffer is empty. */
  source: Source | null;
  /** Answers of the controller that wait for the buffer. */
  answers: { byte: number; source: Source }[];
  outputPort: number;
  /** The keyboard's last byte was the prefix of a released key, under translation. */
  released: boolean;
  /** When the next byte of a device has arrived; null while none is on the wire. */
  arrives: Nanoseconds | null;
}

export class I8042 implements Device {
  readonly name = '8042';
  readonly eightBits = true;
  readonly ports = [
    { start: DATA, end: DATA + 1 },
    { start: COMMAND, end: COMMAND + 1 },
  ];
  private readonly keyboard = new Ps2Keyboard();
  private readonly mouse: Ps2Mouse | null;
  private state: State;

  constructor(
    private readonly clock: Clock,
    private readonly irq1: InterruptLine,
    private readonly irq12: InterruptLine,
    private readonly options: I8042Options,
  ) {
    this.mouse = options.mouse ? new Ps2Mouse() : null;
    this.state = this.powerOn();
  }

  /** Types keys: bytes of scan code set 1, presses and releases, whatever set the keyboard is switched to. */
  type(scancodes: readonly number[]): void {
    this.keyboard.type(scancodes);
    this.fill();
  }

  readPort(port: number): number {
    return port === COMMAND ? this.status() : this.readData();
  }

  writePort(port: number, _size: number, value: number): void {
    const byte = value & 0xff;
    const { state } = this;
    state.lastWasCommand = port === COMMAND;
    if (port === COMMAND) {
      state.pending = -1;
      this.execute(byte);
    } else {
      const { pending } = state;
      state.pending = -1;
      this.writeData(pending, byte);
    }
    this.fill();
  }

  reset(): void {
    this.clock.clearAlarm(this.name);
    this.keyboard.reset();
    this.mouse?.reset();
    this.state = this.powerOn();
    this.options.setA20(true);
    this.driveLines();
  }

  save(): DeviceState {
    return {
      ...structuredClone(this.state),
      keyboard: this.keyboard.save(),
      mouse: this.mouse?.save() ?? null,
    };
  }

  restore(saved: DeviceState): void {
    const { keyboard, mouse, ...state } = saved as unknown as State & {
      keyboard: Ps2KeyboardState;
      mouse: Ps2MouseState | null;
    };
    this.keyboard.restore(keyboard);
    if (mouse) this.mouse?.restore(mouse);
    this.state = structuredClone(state);
    this.schedule();
  }

  private powerOn(): State {
    const ram = new Array<number>(RAM_BYTES).fill(0);
    ram[0] = this.options.commandByte;
    return {
      ram,
      systemFlag: (ram[0] & SYSTEM_FLAG) !== 0,
      lastWasCommand: true,
      pending: -1,
      buffer: 0,
      source: null,
      answers: [],
      outputPort: NOT_RESET | A20 | PORT_ONES,
      released: false,
      arrives: null,
    };
  }

  private get commandByte(): number {
    return this.state.ram[0]!;
  }

  private status(): number {
    const { source, systemFlag, lastWasCommand } = this.state;
    return (
      NOT_INHIBITED |
      (source === null ? 0 : OUTPUT_FULL) |
      (source === 'mouse' || source === 'nobody' ? FROM_MOUSE : 0) |
      (source === 'nobody' ? TIMEOUT : 0) |
      (systemFlag ? SYSTEM_FLAG : 0) |
      (lastWasCommand ? LAST_WAS_COMMAND : 0)
    );
  }

  /** Reading an empty buffer gives its last byte again. */
  private readData(): number {
    const { state } = this;
    const { buffer } = state;
    if (state.source !== null) {
      state.source = null;
      this.driveLines();
      this.fill();
    }
    return buffer;
  }

  private execute(command: number): void {
    const { state } = this;
    if (command >= 0xf0) {
      // Pulses the low bits of the output port that are 0 in the command; bit 0 resets, the others nobody can see.
      if ((command & 1) === 0) this.options.reset(command);
    } else if ((command & 0xe0) === 0x20) {
      this.answer(state.ram[command & 0x1f]!);
    } else {
      this.executeNamed(command);
    }
  }

  private executeNamed(command: number): void {
    const { state } = this;
    switch (command) {
      case 0xa7:
        return this.setCommandByte(this.commandByte | MOUSE_DISABLED);
      case 0xa8:
        return this.setCommandByte(this.commandByte & ~MOUSE_DISABLED);
      case 0xa9: // the lines of the mouse are neither stuck high nor low
      case 0xab: // nor are the keyboard's
        return this.answer(0x00);
      case 0xaa:
        state.systemFlag = true;
        return this.answer(0x55);
      case 0xad:
        return this.setCommandByte(this.commandByte | KEYBOARD_DISABLED);
      case 0xae:
        return this.setCommandByte(this.commandByte & ~KEYBOARD_DISABLED);
      case 0xc0:
        return this.answer(INPUT_PORT);
      case 0xd0:
        return this.answer(this.outputPort());
      case 0xd1: // output port
      case 0xd2: // output buffer, as from the keyboard
      case 0xd3: // output buffer, as from the mouse
      case 0xd4: // to the mouse
        state.pending = command;
        return;
      case 0xdd:
        return this.setOutputPort(state.outputPort & ~A20, command);
      case 0xdf:
        return this.setOutputPort(state.outputPort | A20, command);
      default:
        if ((command & 0xe0) === 0x60) state.pending = command;
    }
  }

  private writeData(pending: number, byte: number): void {
    const { state } = this;
    if (pending === -1) {
      // What is sent to a device switches its interface on.
      this.setCommandByte(this.commandByte & ~KEYBOARD_DISABLED);
      this.keyboard.receive(byte);
    } else if (pending === 0xd1) {
      this.setOutputPort(byte, pending);
    } else if (pending === 0xd2 || pending === 0xd3) {
      this.answer(byte, pending === 0xd2 ? 'keyboard' : 'mouse');
    } else if (pending === 0xd4) {
      this.setCommandByte(this.commandByte & ~MOUSE_DISABLED);
      if (this.mouse) this.mouse.receive(byte);
      else this.answer(RESEND, 'nobody');
    } else if (pending === 0x60) {
      state.systemFlag = (byte & SYSTEM_FLAG) !== 0;
      this.setCommandByte(byte);
    } else {
      state.ram[pending & 0x1f] = byte;
    }
  }

  private setCommandByte(byte: number): void {
    this.state.ram[0] = byte;
    this.driveLines();
  }

  private outputPort(): number {
    const { source, outputPort } = this.state;
    if (source === null) return outputPort;
    const mouse = source === 'mouse' || source === 'nobody';
    return outputPort | (mouse ? PORT_MOUSE_FULL : PORT_KEYBOARD_FULL);
  }

  private setOutputPort(byte: number, command: number): void {
    const { state } = this;
    state.outputPort = byte & ~(PORT_KEYBOARD_FULL | PORT_MOUSE_FULL);
    this.options.setA20((byte & A20) !== 0);
    if ((byte & NOT_RESET) === 0) this.options.reset(command);
  }

  private answer(byte: number, source: Source = 'controller'): void {
    const { answers } = this.state;
    if (answers.length < MOST_ANSWERS) answers.push({ byte, source });
  }

  /** Fills an empty output buffer: answers of the controller at once, bytes of the devices when they have arrived. */
  private fill(): void {
    const { state } = this;
    if (state.source !== null) return;
    const answer = state.answers.shift();
    if (answer) return this.put(answer.byte, answer.source);
    if (state.arrives === null && this.sender() !== null) {
      state.arrives = this.clock.now() + WIRE_TIME;
      this.schedule();
    }
  }

  /** The device whose byte comes next: one that has something to say and whose interface is on. */
  private sender(): Ps2Keyboard | Ps2Mouse | null {
    if (this.keyboard.waiting && (this.commandByte & KEYBOARD_DISABLED) === 0) return this.keyboard;
    return this.mouse?.waiting && (this.commandByte & MOUSE_DISABLED) === 0 ? this.mouse : null;
  }

  private schedule(): void {
    const { arrives } = this.state;
    if (arrives === null) this.clock.clearAlarm(this.name);
    else this.clock.setAlarm(this.name, arrives, () => this.arrive());
  }

  private arrive(): void {
    const { state } = this;
    state.arrives = null;
    // The buffer was filled meanwhile: the device holds its byte until it is read.
    if (state.source !== null) return;
    const sender = this.sender();
    if (sender === this.mouse && sender) this.put(sender.send()!, 'mouse');
    else if (sender) this.keyboardByte(sender.send()!);
  }

  private keyboardByte(byte: number): void {
    const { state } = this;
    if ((this.commandByte & TRANSLATE) === 0) return this.put(byte, 'keyboard');
    if (byte === SET2_BREAK) {
      state.released = true;
      return this.fill();
    }
    const code = translated(byte);
    this.put(state.released && code < SET1_BREAK ? code | SET1_BREAK : code, 'keyboard');
    state.released = false;
  }

  private put(byte: number, source: Source): void {
    this.state.buffer = byte;
    this.state.source = source;
    this.driveLines();
  }

  private driveLines(): void {
    const { source } = this.state;
    const mouse = source === 'mouse' || source === 'nobody';
    this.irq1(source !== null && !mouse && (this.commandByte & KEYBOARD_INTERRUPT) !== 0);
    this.irq12(mouse && (this.commandByte & MOUSE_INTERRUPT) !== 0);
  }
}
