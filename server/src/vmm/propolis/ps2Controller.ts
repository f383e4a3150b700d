/** Propolis' PS/2 controller at ports 0x60 and 0x64 (hw/ps2/ctrl.rs, PS2Ctrl), with what it lacks of an 8042. */
import type { Device, DeviceState, InterruptLine } from '../../devices/device';
import { hex } from '../../address/format';
import { PropolisKeyboard, PropolisMouse, type Ps2State } from './ps2Devices';

const DATA = 0x60;
const COMMAND = 0x64;
/** Status bits (CtrlStatus). */
const OUTPUT_FULL = 0x01;
const SYSTEM_FLAG = 0x04;
const COMMAND_WAITS = 0x08;
const UNLOCKED = 0x10;
const MOUSE_FULL = 0x20;
/** Configuration byte (CtrlCfg). */
const KEYBOARD_INTERRUPT = 0x01;
const MOUSE_INTERRUPT = 0x02;
const KEYBOARD_CLOCK_OFF = 0x10;
const MOUSE_CLOCK_OFF = 0x20;
const CONFIGURATION_MASK = 0x77;
/** Output port (CtrlOutPort): bit 0 is not kept, bits 4 and 5 are those of the buffers. */
const PORT_MASK = 0xce;
const PORT_KEYBOARD_FULL = 0x10;
const PORT_MOUSE_FULL = 0x20;
/** PS2C_RAM_LEN: one byte fewer than there are commands to read and write it. */
const RAM_BYTES = 30;

export interface Ps2Wires {
  readonly keyboard: InterruptLine;
  readonly mouse: InterruptLine;
  /** Command 0xfe. */
  reset(): void;
  /** The process panics, for a reason in words. */
  panic(what: string): void;
}

interface State {
  response: number | null;
  /** A command that waits for a byte at port 0x60; -1 for none. */
  prefix: number;
  configuration: number;
  outputPort: number;
  ram: number[];
}

const powerOn = (): State => ({
  response: null,
  prefix: -1,
  configuration: 0,
  outputPort: 0,
  ram: new Array<number>(RAM_BYTES).fill(0),
});

export class Ps2Controller implements Device {
  readonly name = 'PS/2 controller';
  readonly ports = [
    { start: DATA, end: DATA + 1 },
    { start: COMMAND, end: COMMAND + 1 },
  ];
  private readonly keyboard = new PropolisKeyboard();
  private readonly mouse = new PropolisMouse();
  private state = powerOn();

  constructor(private readonly wires: Ps2Wires) {}

  readPort(port: number): number {
    return port === COMMAND ? this.status() : this.readData();
  }

  writePort(port: number, _size: number, value: number): void {
    if (port === COMMAND) this.execute(value & 0xff);
    else this.writeData(value & 0xff);
  }

  reset(): void {
    this.keyboard.reset();
    this.mouse.reset();
    this.state = powerOn();
  }

  save(): DeviceState {
    return structuredClone({ ...this.state, keyboard: this.keyboard.state, mouse: this.mouse.state });
  }

  restore(saved: DeviceState): void {
    const copy = structuredClone(saved) as unknown as State & { keyboard: Ps2State; mouse: Ps2State };
    const { keyboard, mouse, ...state } = copy;
    this.keyboard.state = keyboard;
    this.mouse.state = mouse;
    this.state = state;
  }

  private status(): number {
    const { response, prefix, configuration } = this.state;
    const full = response !== null || this.keyboard.waiting || this.mouse.waiting;
    return (
      UNLOCKED |
      (full ? OUTPUT_FULL : 0) |
      (this.mouse.waiting ? MOUSE_FULL : 0) |
      (prefix >= 0 ? COMMAND_WAITS : 0) |
      (configuration & SYSTEM_FLAG)
    );
  }

  /** Without anything to read it is 0. */
  private readData(): number {
    const { response } = this.state;
    if (response !== null) {
      this.state.response = null;
      return response;
    }
    const device = this.keyboard.waiting ? this.keyboard : this.mouse;
    if (!device.waiting) return 0;
    const byte = device.take();
    this.interrupt();
    return byte;
  }

  private writeData(byte: number): void {
    const { state } = this;
    const { prefix } = state;
    state.prefix = -1;
    if (prefix === 0x60) state.configuration = byte & CONFIGURATION_MASK;
    else if (prefix === 0xd1) state.outputPort = byte & PORT_MASK;
    else if (prefix === 0xd2) this.keyboard.respond(byte);
    else if (prefix === 0xd3) this.mouse.respond(byte);
    else if (prefix === 0xd4) this.mouse.receive(byte);
    else if (prefix >= 0) this.writeRam(byte);
    else this.keyboard.receive(byte);
    this.interrupt();
  }

  /** The place is counted from the byte itself instead of the command, so nearly every byte is out of bounds. */
  private writeRam(byte: number): void {
    const place = byte - 0x61;
    if (place >= 0 && place < RAM_BYTES) this.state.ram[place] = byte;
    else this.wires.panic(`byte ${hex(byte)} for the PS/2 controller’s memory is out of its bounds`);
  }

  private execute(command: number): void {
    const { state } = this;
    if (command >= 0xf0) {
      if (command === 0xfe) this.wires.reset();
    } else if (command > 0x20 && command < 0x40) {
      const byte = state.ram[command - 0x21];
      if (byte === undefined) this.wires.panic('command 0x3f reads beyond the PS/2 controller’s memory');
      else state.response = byte;
    } else if (command >= 0x60 && command < 0x80) state.prefix = command;
    else this.executeNamed(command);
  }

  private executeNamed(command: number): void {
    const { state } = this;
    switch (command) {
      case 0x20:
        state.response = state.configuration;
        return;
      case 0xa7:
        state.configuration |= MOUSE_CLOCK_OFF;
        return;
      case 0xa8:
        state.configuration &= ~MOUSE_CLOCK_OFF;
        return;
      case 0xa9:
      case 0xab:
        state.response = 0x00;
        return;
      case 0xaa:
        state.response = 0x55;
        return;
      case 0xad:
        state.configuration |= KEYBOARD_CLOCK_OFF;
        return;
      case 0xae:
        state.configuration &= ~KEYBOARD_CLOCK_OFF;
        return;
      case 0xd0:
        state.response =
          state.outputPort |
          (this.keyboard.waiting ? PORT_KEYBOARD_FULL : 0) |
          (this.mouse.waiting ? PORT_MOUSE_FULL : 0);
        return;
      case 0xd1:
      case 0xd2:
      case 0xd3:
      case 0xd4:
        state.prefix = command;
    }
  }

  /** Pulses, each time that something happens while a device has output. */
  private interrupt(): void {
    const { configuration } = this.state;
    const keyboardOn = (configuration & (KEYBOARD_INTERRUPT | KEYBOARD_CLOCK_OFF)) === KEYBOARD_INTERRUPT;
    if (keyboardOn && this.keyboard.waiting) pulse(this.wires.keyboard);
    if ((configuration & MOUSE_INTERRUPT) !== 0 && this.mouse.waiting) pulse(this.wires.mouse);
  }
}

function pulse(line: InterruptLine): void {
  line(true);
  line(false);
}
