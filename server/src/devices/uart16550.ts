/**
 * The National 16550 UART of a serial port (PC16550D data sheet), or the 8250 without FIFO that some VMMs have.
 * Characters leave at once: the transmitter is always empty. Those that wait in the FIFO below its trigger level time out at
 * once too.
 */
import type { Device, DeviceState, InterruptLine } from './device';

export interface Uart16550Options {
  readonly base: number;
  /** False for an 8250: FCR does nothing and IIR never shows FIFOs. */
  readonly fifo: boolean;
  /** On a PC's card OUT2 connects the interrupt pin to the bus; some VMMs leave the gate out. */
  readonly out2Gate: boolean;
  /** Everything that is sent, a character at a time. */
  transmit(text: string): void;
}

const LCR_DLAB = 0x80;
const LSR_READY = 0x01;
const LSR_OVERRUN = 0x02;
const LSR_EMPTY = 0x60;
const MCR_OUT2 = 0x08;
const MCR_LOOP = 0x10;
/** Carrier, data set ready and clear to send: somebody listens. */
const MSR_CONNECTED = 0xb0;
const FIFO_BYTES = 16;
/** Characters from which on the FIFO interrupts, by FCR bits 7:6. */
const TRIGGER_LEVELS = [1, 4, 8, 14] as const;

interface State {
  divisor: number;
  ier: number;
  fcr: number;
  lcr: number;
  mcr: number;
  scratch: number;
  overrun: boolean;
  received: number[];
  /** The transmitter became empty and nobody has read IIR since. */
  emptyPending: boolean;
  /** Delta bits of MSR that were not read. */
  delta: number;
}

const RESET: State = {
  divisor: 1,
  ier: 0,
  fcr: 0,
  lcr: 0,
  mcr: 0,
  scratch: 0,
  overrun: false,
  received: [],
  emptyPending: false,
  delta: 0,
};

export class Uart16550 implements Device {
  readonly name: string;
  readonly eightBits = true;
  readonly ports: readonly { start: number; end: number }[];
  private state: State = structuredClone(RESET);

  constructor(
    private readonly irq: InterruptLine,
    private readonly options: Uart16550Options,
  ) {
    this.name = `${options.fifo ? '16550' : '8250'} at 0x${options.base.toString(16)}`;
    this.ports = [{ start: options.base, end: options.base + 8 }];
  }

  private get room(): number {
    return this.options.fifo && (this.state.fcr & 1) !== 0 ? FIFO_BYTES : 1;
  }

  /** False while a further character would overrun the receiver. */
  get ready(): boolean {
    return this.state.received.length < this.room;
  }

  /** A character from the other side. */
  receive(byte: number): void {
    const { state, room } = this;
    if (state.received.length >= room) {
      state.overrun = true;
      // Without a FIFO the new character replaces the old one.
      if (room === 1) state.received[0] = byte;
    } else {
      state.received.push(byte);
    }
    this.update();
  }

  readPort(port: number): number {
    const value = this.read(port - this.options.base);
    this.update();
    return value;
  }

  writePort(port: number, _size: number, value: number): void {
    this.write(port - this.options.base, value & 0xff);
    this.update();
  }

  reset(): void {
    this.state = structuredClone(RESET);
    this.update();
  }

  save(): DeviceState {
    return structuredClone({ ...this.state });
  }

  restore(state: DeviceState): void {
    this.state = structuredClone(state) as unknown as State;
  }

  private read(register: number): number {
    const { state } = this;
    const dlab = (state.lcr & LCR_DLAB) !== 0;
    switch (register) {
      case 0:
        return dlab ? state.divisor & 0xff : (state.received.shift() ?? 0);
      case 1:
        return dlab ? state.divisor >> 8 : state.ier;
      case 2:
        return this.readInterruptIdentification();
      case 3:
        return state.lcr;
      case 4:
        return state.mcr;
      case 5: {
        const value =
          LSR_EMPTY | (state.received.length > 0 ? LSR_READY : 0) | (state.overrun ? LSR_OVERRUN : 0);
        state.overrun = false;
        return value;
      }
      case 6: {
        const value = this.modemLines() | state.delta;
        state.delta = 0;
        return value;
      }
      default:
        return state.scratch;
    }
  }

  private write(register: number, value: number): void {
    const { state } = this;
    const dlab = (state.lcr & LCR_DLAB) !== 0;
    switch (register) {
      case 0:
        if (dlab) {
          state.divisor = (state.divisor & 0xff00) | value;
        } else {
          state.emptyPending = true;
          if ((state.mcr & MCR_LOOP) !== 0) this.receive(value);
          else this.options.transmit(String.fromCharCode(value));
        }
        break;
      case 1:
        if (dlab) {
          state.divisor = (state.divisor & 0xff) | (value << 8);
        } else {
          // Enabling the transmitter interrupt while it is empty raises it.
          if ((value & 2) !== 0 && (state.ier & 2) === 0) state.emptyPending = true;
          state.ier = value & 0x0f;
        }
        break;
      case 2:
        if (!this.options.fifo) break;
        if (((value ^ state.fcr) & 1) !== 0 || (value & 2) !== 0) state.received = [];
        // Without the enable bit nothing else is programmed.
        state.fcr = (value & 1) !== 0 ? value & 0xc9 : state.fcr & 0xc8;
        break;
      case 3:
        state.lcr = value;
        break;
      case 4: {
        const before = this.modemLines();
        state.mcr = value & 0x1f;
        const changed = before ^ this.modemLines();
        // The ring indicator counts only when it goes away.
        const ring = (changed & 0x40) !== 0 && (before & 0x40) !== 0 ? 0x04 : 0;
        state.delta |= ((changed >> 4) & 0x0b) | ring;
        break;
      }
      case 7:
        state.scratch = value;
        break;
    }
  }

  /** MSR bits 7:4. In loopback they are OUT2, OUT1, DTR and RTS. */
  private modemLines(): number {
    const { mcr } = this.state;
    if ((mcr & MCR_LOOP) === 0) return MSR_CONNECTED;
    return ((mcr & 8) << 4) | ((mcr & 4) << 4) | ((mcr & 1) << 5) | ((mcr & 2) << 3);
  }

  /** IIR bits 3:0: 1 for none, else the source of the highest priority. */
  private pending(): number {
    const { state } = this;
    if ((state.ier & 4) !== 0 && state.overrun) return 0x06;
    if ((state.ier & 1) !== 0 && state.received.length > 0) return this.receivedEnough ? 0x04 : 0x0c;
    if ((state.ier & 2) !== 0 && state.emptyPending) return 0x02;
    if ((state.ier & 8) !== 0 && state.delta !== 0) return 0x00;
    return 0x01;
  }

  /** Data available; less than that in a FIFO is a character timeout. */
  private get receivedEnough(): boolean {
    const { fcr, received } = this.state;
    const fifo = this.options.fifo && (fcr & 1) !== 0;
    return !fifo || received.length >= TRIGGER_LEVELS[(fcr >> 6) as 0 | 1 | 2 | 3];
  }

  private readInterruptIdentification(): number {
    const source = this.pending();
    if (source === 0x02) this.state.emptyPending = false;
    return source | (this.options.fifo && (this.state.fcr & 1) !== 0 ? 0xc0 : 0);
  }

  private update(): void {
    const connected = !this.options.out2Gate || (this.state.mcr & (MCR_OUT2 | MCR_LOOP)) === MCR_OUT2;
    this.irq(connected && this.pending() !== 0x01);
  }
}
