/**
 * The Intel 82093AA I/O APIC (Intel 290566): 24 inputs, or as many as a VMM has made of them, that become interrupt messages to local APICs. Its version, 0x11, has no
 * EOI register: a level ends by the EOI message of a local APIC.
 */
import type { Device, DeviceState, InterruptLine } from './device';

const PINS = 24;
const VERSION = 0x11;
const MASKED = 1 << 16;
const LEVEL = 1 << 15;
const REMOTE_IRR = 1 << 14;
const ACTIVE_LOW = 1 << 13;
const LOGICAL = 1 << 11;
/** Delivery modes fixed and lowest priority; the others are edge triggered whatever the entry says (data sheet, 3.2.4). */
const LAST_WITH_VECTOR = 1;
/** Low halves keep remote IRR and delivery status, which are read-only. */
const LOW_WRITABLE = 0x1afff;

export interface IoapicOptions {
  /** First physical address; the device answers 64 KiB in vmd and 4 KiB elsewhere. */
  readonly base: bigint;
  readonly size: bigint;
  readonly id: number;
  /** Inputs: 24 of the chip, where nothing else is said. */
  readonly pins?: number;
  /** The entry's polarity does nothing: a line that is up asks. */
  readonly ignoresPolarity?: boolean;
  /** Whether a local APIC accepted the message. */
  deliver(vector: number, destination: number, logical: boolean, mode: number, level: boolean): boolean;
}

interface State {
  index: number;
  id: number;
  low: number[];
  high: number[];
  lines: boolean[];
}

export class Ioapic82093aa implements Device {
  readonly name = '82093AA I/O APIC';
  readonly mmio: readonly { start: bigint; end: bigint }[];
  private readonly pins: number;
  private state: State;

  constructor(private readonly options: IoapicOptions) {
    this.pins = options.pins ?? PINS;
    this.mmio = [{ start: options.base, end: options.base + options.size }];
    this.state = this.powerOn();
  }

  line(pin: number): InterruptLine {
    return (level) => this.setLine(pin, level);
  }

  /** The electrical level of an input; the entry's polarity says which level asks. */
  setLine(pin: number, level: boolean): void {
    const { lines, low } = this.state;
    const was = this.asks(pin);
    lines[pin] = level;
    if (this.asks(pin) && (isLevel(low[pin]!) || !was)) this.send(pin);
  }

  private asks(pin: number): boolean {
    if (this.options.ignoresPolarity) return this.state.lines[pin]!;
    return this.state.lines[pin]! !== ((this.state.low[pin]! & ACTIVE_LOW) !== 0);
  }

  /** The EOI message of a local APIC: level-triggered inputs that are still up ask again. */
  endOfInterrupt(vector: number): void {
    const { low } = this.state;
    for (let pin = 0; pin < this.pins; pin++) {
      if ((low[pin]! & 0xff) !== vector || (low[pin]! & REMOTE_IRR) === 0) continue;
      low[pin] = low[pin]! & ~REMOTE_IRR;
      if (this.asks(pin)) this.send(pin);
    }
  }

  readMmio(address: bigint): bigint {
    const offset = Number(address - this.options.base);
    if (offset === 0x00) return BigInt(this.state.index);
    return offset === 0x10 ? BigInt(this.readRegister(this.state.index) >>> 0) : 0n;
  }

  writeMmio(address: bigint, _size: number, value: bigint): void {
    const offset = Number(address - this.options.base);
    const word = Number(value & 0xffffffffn);
    if (offset === 0x00) this.state.index = word & 0xff;
    else if (offset === 0x10) this.writeRegister(this.state.index, word);
  }

  reset(): void {
    this.state = this.powerOn();
  }

  save(): DeviceState {
    return structuredClone({ ...this.state });
  }

  restore(state: DeviceState): void {
    this.state = structuredClone(state) as unknown as State;
  }

  private powerOn(): State {
    return {
      index: 0,
      id: this.options.id & 0xf,
      low: new Array<number>(this.pins).fill(MASKED),
      high: new Array<number>(this.pins).fill(0),
      lines: new Array<boolean>(this.pins).fill(false),
    };
  }

  private readRegister(index: number): number {
    if (index === 0x00 || index === 0x02) return this.state.id << 24;
    if (index === 0x01) return VERSION | ((this.pins - 1) << 16);
    const pin = (index - 0x10) >> 1;
    if (index < 0x10 || pin >= this.pins) return 0;
    return (index & 1) !== 0 ? this.state.high[pin]! : this.state.low[pin]!;
  }

  private writeRegister(index: number, value: number): void {
    if (index === 0x00) this.state.id = (value >>> 24) & 0xf;
    const pin = (index - 0x10) >> 1;
    if (index < 0x10 || pin >= this.pins) return;
    const { low, high } = this.state;
    if ((index & 1) !== 0) {
      high[pin] = value & 0xff000000;
      return;
    }
    low[pin] = (value & LOW_WRITABLE) | (low[pin]! & ~LOW_WRITABLE);
    // An edge-triggered entry has no remote IRR; a level that waited behind the mask is sent now.
    if (!isLevel(low[pin])) low[pin] = low[pin] & ~REMOTE_IRR;
    else if (this.asks(pin)) this.send(pin);
  }

  private send(pin: number): void {
    const { low, high } = this.state;
    const entry = low[pin]!;
    if ((entry & MASKED) !== 0) return;
    const level = isLevel(entry);
    if (level && (entry & REMOTE_IRR) !== 0) return;
    const destination = (high[pin]! >>> 24) & 0xff;
    const logical = (entry & LOGICAL) !== 0;
    const accepted = this.options.deliver(entry & 0xff, destination, logical, deliveryMode(entry), level);
    // A level that nobody accepted is offered again when its entry is written.
    if (level && accepted) low[pin] = entry | REMOTE_IRR;
  }
}

function deliveryMode(entry: number): number {
  return (entry >> 8) & 7;
}

function isLevel(entry: number): boolean {
  return (entry & LEVEL) !== 0 && deliveryMode(entry) <= LAST_WITH_VECTOR;
}
