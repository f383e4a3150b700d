/** PCI configuration mechanism #1: CONFIG_ADDRESS at 0xCF8 and CONFIG_DATA at 0xCFC (PCI 3.0, 3.2.2.3.2). */
import type { Device, DeviceState } from './device';

export interface PciIdentity {
  readonly vendor: number;
  readonly device: number;
  /** Class, subclass and programming interface: 0x060000 is a host bridge. */
  readonly classCode: number;
  readonly subsystemVendor: number;
  readonly subsystem: number;
}

/** One function: its 256 bytes of configuration space and which bits of them can be written. */
export interface PciFunction {
  readonly bus: number;
  readonly device: number;
  readonly function: number;
  readonly config: Uint8Array;
  readonly writable: Uint8Array;
}

/** A function with a type 0 header, without BARs; command, cache line, latency and interrupt line can be written. */
export function pciFunction(bus: number, device: number, fn: number, identity: PciIdentity): PciFunction {
  const config = new Uint8Array(256);
  const view = new DataView(config.buffer);
  view.setUint16(0x00, identity.vendor, true);
  view.setUint16(0x02, identity.device, true);
  view.setUint32(0x08, identity.classCode << 8, true);
  view.setUint16(0x2c, identity.subsystemVendor, true);
  view.setUint16(0x2e, identity.subsystem, true);
  const writable = new Uint8Array(256);
  writable.set([0x47, 0x05], 0x04);
  writable.set([0xff, 0xff], 0x0c);
  writable[0x3c] = 0xff;
  return { bus, device, function: fn, config, writable };
}

export class PciConfig1 implements Device {
  readonly name = 'PCI configuration';
  readonly ports = [
    { start: 0xcf8, end: 0xcf9 },
    { start: 0xcfc, end: 0xd00 },
  ];
  private address = 0;
  private readonly functions: ReadonlyMap<number, PciFunction>;
  private readonly initial: ReadonlyMap<number, Uint8Array>;

  /** `written` is called after a write that changed a function's configuration space. */
  constructor(
    functions: readonly PciFunction[],
    private readonly written: (fn: PciFunction) => void = () => undefined,
  ) {
    this.functions = new Map(functions.map((f) => [(f.bus << 8) | (f.device << 3) | f.function, f]));
    this.initial = new Map([...this.functions].map(([key, f]) => [key, f.config.slice()]));
  }

  readPort(port: number, size: 1 | 2 | 4): number {
    if (port === 0xcf8) return size === 4 ? this.address : allOnes(size);
    const { config, register } = this.selected(port);
    if (!config) return allOnes(size);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + config.config[(register + i) & 0xff]!;
    return value;
  }

  writePort(port: number, size: 1 | 2 | 4, value: number): void {
    if (port === 0xcf8) {
      // Narrower writes are ordinary I/O, which nobody answers here.
      if (size === 4) this.address = (value & 0x80fffffc) >>> 0;
      return;
    }
    const { config, register } = this.selected(port);
    if (!config) return;
    let changed = false;
    for (let i = 0; i < size; i++) {
      const at = (register + i) & 0xff;
      const mask = config.writable[at]!;
      const old = config.config[at]!;
      const byte = (old & ~mask) | ((value >>> (8 * i)) & mask);
      config.config[at] = byte;
      changed ||= byte !== old;
    }
    if (changed) this.written(config);
  }

  reset(): void {
    this.address = 0;
    for (const [key, bytes] of this.initial) this.functions.get(key)!.config.set(bytes);
  }

  save(): DeviceState {
    const config = [...this.functions.entries()].map(([key, f]) => [key, f.config.slice()] as const);
    return { address: this.address, config };
  }

  restore(state: DeviceState): void {
    const saved = state as unknown as { address: number; config: [number, Uint8Array][] };
    this.address = saved.address;
    for (const [key, bytes] of saved.config) this.functions.get(key)?.config.set(bytes);
  }

  private selected(port: number): { config: PciFunction | undefined; register: number } {
    const enabled = this.address >= 0x80000000;
    const config = enabled ? this.functions.get((this.address >> 8) & 0xffff) : undefined;
    return { config, register: (this.address & 0xfc) + (port & 3) };
  }
}

function allOnes(size: 1 | 2 | 4): number {
  return size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff;
}
