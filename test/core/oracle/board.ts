/**
 * The smallest PC around our core that probes and test images need: RAM, a ROM in both places, the debug port, a serial
 * port that only sends, fw_cfg with a memory map, the ports that reset, 128 bytes of MMIO, and a timer on the INTR pin.
 * Its state is plain data, so that it can be saved with a snapshot of the core.
 */
import { createCore } from '../../../server/emulator/core';
import type { Bus, Core, CpuProfile, Exit } from '../../../server/emulator/face';
import { testProfile } from './profile';

const FOUR_GIB = 0x100000000n;
const MIB = 0x100000n;
export const MMIO_BASE = 0xd0000000n;
const MMIO_SIZE = 128;
const TIMER_VECTOR = 0x20;

export interface MemoryMapEntry {
  readonly start: bigint;
  readonly end: bigint;
  /** As in E820: 1 RAM, 2 reserved. */
  readonly type: number;
}

export interface BoardOptions {
  readonly rom: Uint8Array;
  readonly profile?: CpuProfile;
  readonly vcpus?: number;
  readonly quantum?: number;
  /** What fw_cfg declares as `etc/e820`; RAM is mapped accordingly. Null: RAM as on a PC of 64 MiB, no fw_cfg. */
  readonly memoryMap?: readonly MemoryMapEntry[] | null;
  /** Ticks between timer interrupts; null for none. */
  readonly timer?: number | null;
  /** Ports that reset the machine, as well as the triple fault; default all that PCs have. */
  readonly resetPorts?: readonly number[];
}

/** What changes while the board runs. */
export interface BoardState {
  output: string;
  nextTimer: number;
  line: boolean;
  mmio: number[];
  selected: number;
  offset: number;
  /** The serial port's divisor latch is open: data written is the baud rate. */
  divisor: boolean;
  stop: 'exit-port' | 'reset' | null;
}

export type BoardExit = Exit | { readonly reason: 'exit-port' } | { readonly reason: 'reset' };

export class TestBoard {
  readonly core: Core;
  state: BoardState;
  private readonly files: ReadonlyMap<number, Uint8Array>;
  private readonly timer: number | null;
  private readonly resetPorts: readonly number[];

  constructor(options: BoardOptions) {
    this.timer = options.timer ?? null;
    this.resetPorts = options.resetPorts ?? [0x64, 0xcf9, 0x92];
    this.files = options.memoryMap ? fwCfg(options.memoryMap, options.vcpus ?? 1) : new Map();
    this.state = {
      output: '',
      nextTimer: this.timer ?? 0,
      line: false,
      mmio: Array.from({ length: MMIO_SIZE }, () => 0),
      selected: 0,
      offset: 0,
      divisor: false,
      stop: null,
    };
    this.core = createCore({
      vcpus: options.vcpus ?? 1,
      profile: options.profile ?? testProfile(),
      bus: this.bus(),
      ...(options.quantum === undefined ? {} : { quantum: options.quantum }),
    });
    if (options.memoryMap) {
      for (const { start, end, type } of options.memoryMap) if (type === 1) this.core.map(start, end, 'ram');
    } else {
      this.core.map(0n, 0xa0000n, 'ram');
      this.core.map(MIB, 64n * MIB, 'ram');
    }
    for (const end of [MIB, FOUR_GIB]) {
      const start = end - BigInt(options.rom.length);
      this.core.map(start, end, 'rom');
      this.core.write(start, options.rom);
    }
  }

  /** Runs until that tick, or until something other than the timer ends the run. */
  run(until: number): BoardExit {
    for (;;) {
      if (this.timer !== null && this.core.now >= this.state.nextTimer) {
        this.state.nextTimer += this.timer;
        this.state.line = true;
        this.core.setInterruptLine(true);
      }
      if (this.core.now >= until) return { reason: 'deadline' };
      const next = this.timer === null ? until : Math.min(until, this.state.nextTimer);
      const exit = this.core.run(next);
      const { stop } = this.state;
      if (stop !== null) {
        this.state.stop = null;
        return { reason: stop };
      }
      if (exit.reason === 'idle' && this.timer !== null) this.core.skipIdle(next);
      else if (exit.reason !== 'deadline') return exit;
    }
  }

  /** Runs through up to `resets` resets and triple faults, as a machine does that keeps its memory. */
  runThroughResets(until: number, resets: number): BoardExit {
    for (let left = resets; ; left--) {
      const exit = this.run(until);
      if (left === 0 || (exit.reason !== 'reset' && exit.reason !== 'shutdown')) return exit;
      this.core.reset();
    }
  }

  private bus(): Bus {
    return {
      readPort: (port, size) => this.readPort(port, size),
      writePort: (port, size, value) => this.writePort(port, size, value),
      readMmio: (address, size) => this.readMmio(address, size),
      writeMmio: (address, size, value) => this.writeMmio(address, size, value),
      acknowledge: () => {
        this.state.line = false;
        this.core.setInterruptLine(false);
        return TIMER_VECTOR;
      },
      readMsr: () => null,
      writeMsr: () => false,
    };
  }

  private readPort(port: number, size: number): number {
    if (port === 0x3fd) return 0x60;
    if (port === 0x511) return this.files.get(this.state.selected)?.[this.state.offset++] ?? 0;
    return size === 1 ? 0xff : size === 2 ? 0xffff : 0xffffffff;
  }

  private writePort(port: number, size: number, value: number): void {
    if (port === 0x3fb) this.state.divisor = (value & 0x80) !== 0;
    if (port === 0xe9 || (port === 0x3f8 && !this.state.divisor)) {
      this.state.output += String.fromCharCode(value & 0xff);
    }
    if (port === 0x510 && size === 2) {
      this.state.selected = value;
      this.state.offset = 0;
    }
    if (port === 0xf4) this.stop('exit-port');
    if (this.resetPorts.includes(port)) {
      if (port === 0x64 ? value === 0xfe : port === 0x92 ? (value & 1) === 1 : (value & 6) === 6)
        this.stop('reset');
    }
  }

  private stop(why: 'exit-port' | 'reset'): void {
    this.state.stop = why;
    this.core.requestStop();
  }

  private readMmio(address: bigint, size: number): bigint {
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) {
      const at = Number(address - MMIO_BASE) + i;
      value = (value << 8n) | BigInt(at >= 0 && at < MMIO_SIZE ? (this.state.mmio[at] as number) : 0xff);
    }
    return value;
  }

  private writeMmio(address: bigint, size: number, value: bigint): void {
    for (let i = 0; i < size; i++) {
      const at = Number(address - MMIO_BASE) + i;
      if (at >= 0 && at < MMIO_SIZE) this.state.mmio[at] = Number((value >> BigInt(8 * i)) & 0xffn);
    }
  }
}

/** fw_cfg items: signature, number of CPUs, directory, and the one file. */
function fwCfg(map: readonly MemoryMapEntry[], vcpus: number): ReadonlyMap<number, Uint8Array> {
  const file = new DataView(new ArrayBuffer(map.length * 20));
  map.forEach(({ start, end, type }, index) => {
    file.setBigUint64(index * 20, start, true);
    file.setBigUint64(index * 20 + 8, end - start, true);
    file.setUint32(index * 20 + 16, type, true);
  });
  const directory = new DataView(new ArrayBuffer(4 + 2 * 64));
  directory.setUint32(0, 2);
  for (const [index, [name, length]] of (
    [
      ['bootorder', 0],
      ['etc/e820', file.byteLength],
    ] as const
  ).entries()) {
    directory.setUint32(4 + index * 64, length);
    directory.setUint16(8 + index * 64, 0x20 + index);
    for (let i = 0; i < name.length; i++) directory.setUint8(12 + index * 64 + i, name.charCodeAt(i));
  }
  return new Map([
    [0, new TextEncoder().encode('QEMU')],
    [5, new Uint8Array([vcpus, 0])],
    [0x19, new Uint8Array(directory.buffer)],
    [0x21, new Uint8Array(file.buffer)],
  ]);
}
