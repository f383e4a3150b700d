/**
 * QEMU's firmware configuration device: selector 0x510, data 0x511, DMA address 0x514 and 0x518
 * (QEMU docs/specs/fw_cfg). Of DMA's read, write and skip the first in this order counts. What it holds is the VMM's.
 */
import type { Device, DeviceState } from './device';

export const FW_CFG_SIGNATURE = 0x0000;
export const FW_CFG_ID = 0x0001;
export const FW_CFG_NOGRAPHIC = 0x0004;
const FW_CFG_FILE_DIR = 0x0019;
/** Bytes of a file's name at most, without its zero. */
export const FW_CFG_LONGEST_NAME = 55;
/** Selector of the first file. */
export const FW_CFG_FILE_FIRST = 0x0020;

const DMA_ERROR = 1;
const DMA_READ = 2;
const DMA_SKIP = 4;
const DMA_SELECT = 8;
const DMA_WRITE = 16;
/** Bit of a selector that asks for the old way of writing; the item is the same. */
const WRITE_CHANNEL = 0x4000;
/** "QEMU CFG", what the DMA address register reads as. */
const DMA_SIGNATURE = [0x51454d55, 0x20434647] as const;

export interface FwCfgFile {
  readonly name: string;
  /** What it holds; for its size where `whenSelected` says the rest. */
  readonly bytes: Uint8Array;
  /** Asked once, when the guest first selects the file: what depends on registers that a firmware sets. Of the same length. */
  whenSelected?(): Uint8Array;
}

export interface FwCfgOptions {
  /** Items by selector, the directory and the files excepted. */
  readonly items: ReadonlyMap<number, Uint8Array>;
  /** Files in the order of the directory; the first gets selector 0x20. */
  readonly files: readonly FwCfgFile[];
  readMemory(address: bigint, length: number): Uint8Array | null;
  writeMemory(address: bigint, bytes: Uint8Array): boolean;
}

const NOTHING = new Uint8Array(0);

export class FwCfg implements Device {
  readonly name = 'fw_cfg';
  readonly ports = [
    { start: 0x510, end: 0x512 },
    { start: 0x514, end: 0x51c },
  ];
  private readonly items: Map<number, Uint8Array>;
  private selector = 0;
  private offset = 0;
  private dmaHigh = 0;
  /** What the files held that were asked for their content, by selector. */
  private settled = new Map<number, Uint8Array>();

  constructor(private readonly options: FwCfgOptions) {
    this.items = new Map(options.items);
    this.items.set(FW_CFG_FILE_DIR, directory(options.files));
    options.files.forEach((file, index) => this.items.set(FW_CFG_FILE_FIRST + index, file.bytes));
  }

  readPort(port: number, size: 1 | 2 | 4): number {
    if (port === 0x511) return this.selected()[this.offset++] ?? 0;
    if (size === 4 && port === 0x514) return byteSwap(DMA_SIGNATURE[0]);
    if (size === 4 && port === 0x518) return byteSwap(DMA_SIGNATURE[1]);
    return 0;
  }

  writePort(port: number, size: 1 | 2 | 4, value: number): void {
    if (port === 0x510 && size === 2) this.select(value & 0xffff);
    else if (port === 0x514 && size === 4) this.dmaHigh = byteSwap(value);
    else if (port === 0x518 && size === 4) this.transfer(byteSwap(value));
  }

  reset(): void {
    this.selector = 0;
    this.offset = 0;
    this.dmaHigh = 0;
    this.settled = new Map();
  }

  save(): DeviceState {
    const { selector, offset, dmaHigh, settled } = this;
    return structuredClone({ selector, offset, dmaHigh, settled });
  }

  restore(state: DeviceState): void {
    Object.assign(this, structuredClone(state));
  }

  private select(selector: number): void {
    this.selector = selector & ~WRITE_CHANNEL;
    this.offset = 0;
    const file = this.options.files[this.selector - FW_CFG_FILE_FIRST];
    if (file?.whenSelected && !this.settled.has(this.selector))
      this.settled.set(this.selector, file.whenSelected());
  }

  private selected(): Uint8Array {
    return this.settled.get(this.selector) ?? this.items.get(this.selector) ?? NOTHING;
  }

  /** Runs the big-endian FWCfgDmaAccess {control, length, address} at the address that was written. */
  private transfer(low: number): void {
    const at = (BigInt(this.dmaHigh) << 32n) | BigInt(low);
    this.dmaHigh = 0;
    const bytes = this.options.readMemory(at, 16);
    if (!bytes) return;
    const access = new DataView(bytes.buffer, bytes.byteOffset, 16);
    const control = access.getUint32(0);
    if ((control & DMA_SELECT) !== 0) this.select(control >>> 16);
    const failed = !this.move(control, access.getUint32(4), access.getBigUint64(8));
    const answer = new Uint8Array(4);
    new DataView(answer.buffer).setUint32(0, failed ? DMA_ERROR : 0);
    this.options.writeMemory(at, answer);
  }

  private move(control: number, length: number, address: bigint): boolean {
    const rest = this.selected().subarray(this.offset, this.offset + length);
    if ((control & DMA_READ) !== 0) {
      // What lies behind the end of the item reads as zero. Guests give lengths, so this is done in pieces.
      for (let done = 0; done < length; done += 65536) {
        const piece = new Uint8Array(Math.min(65536, length - done));
        if (done < rest.length) piece.set(rest.subarray(done, done + piece.length));
        if (!this.options.writeMemory(address + BigInt(done), piece)) return false;
      }
    } else if ((control & DMA_WRITE) !== 0) {
      // No item can be written.
      return length === 0;
    } else if ((control & DMA_SKIP) === 0) {
      return true;
    }
    this.offset += rest.length;
    return true;
  }
}

/** The file directory: a big-endian count, then {size, selector, reserved, name[56]} for each. */
function directory(files: FwCfgOptions['files']): Uint8Array {
  const bytes = new Uint8Array(4 + files.length * 64);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, files.length);
  files.forEach((file, index) => {
    const at = 4 + index * 64;
    view.setUint32(at, file.bytes.length);
    view.setUint16(at + 4, FW_CFG_FILE_FIRST + index);
    bytes.set(new TextEncoder().encode(file.name).subarray(0, FW_CFG_LONGEST_NAME), at + 8);
  });
  return bytes;
}

function byteSwap(value: number): number {
  const v = value >>> 0;
  return (((v & 0xff) << 24) | ((v & 0xff00) << 8) | ((v >>> 8) & 0xff00) | (v >>> 24)) >>> 0;
}
