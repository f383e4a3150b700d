/**
 * QEMU's pc-testdev (hw/misc/pc-testdev.c), which test images for KVM expect: a 32-bit latch at ports 0xE0 to 0xE3 and again,
 * byte by byte, at 0xE8, a port that does nothing to a page at 0xE4, interrupt request lines 0 to 23 from port 0x2000 on,
 * and 64 KiB of device memory at 0xFF000000.
 */
import type { Device, DeviceState } from './device';

const LATCH = 0xe0;
const BYTE_LATCH = 0xe8;
const LINES = 0x2000;
const LINE_COUNT = 24;
const MEMORY = 0xff000000n;
const MEMORY_SIZE = 0x10000;

export class PcTestdev implements Device {
  readonly name = 'pc-testdev';
  readonly ports = [
    { start: LATCH, end: LATCH + 8 },
    { start: BYTE_LATCH, end: BYTE_LATCH + 4 },
    { start: LINES, end: LINES + LINE_COUNT },
  ];
  readonly mmio = [{ start: MEMORY, end: MEMORY + BigInt(MEMORY_SIZE) }];
  private latch = 0;
  private memory = new Uint8Array(MEMORY_SIZE);

  constructor(private readonly setLine: (line: number, level: boolean) => void) {}

  readPort(port: number, size: 1 | 2 | 4): number {
    if (!isLatch(port)) return size === 4 ? 0xffffffff : (1 << (8 * size)) - 1;
    return (this.latch >>> (8 * (port & 3))) & ones(size);
  }

  writePort(port: number, size: 1 | 2 | 4, value: number): void {
    if (port >= LINES) return this.setLine(port - LINES, value !== 0);
    if (!isLatch(port)) return;
    const shift = 8 * (port & 3);
    this.latch = (this.latch & ~(ones(size) << shift)) | ((value & ones(size)) << shift);
  }

  readMmio(address: bigint, size: 1 | 2 | 4 | 8): bigint {
    const at = Number(address - MEMORY);
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.memory[at + i] ?? 0xff);
    return value;
  }

  writeMmio(address: bigint, size: 1 | 2 | 4 | 8, value: bigint): void {
    const at = Number(address - MEMORY);
    for (let i = 0; i < size; i++) this.memory[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
  }

  reset(): void {
    this.latch = 0;
    this.memory.fill(0);
  }

  save(): DeviceState {
    return { latch: this.latch, memory: this.memory.slice() };
  }

  restore(state: DeviceState): void {
    const { latch, memory } = state as { latch: number; memory: Uint8Array };
    this.latch = latch;
    this.memory = memory.slice();
  }
}

function isLatch(port: number): boolean {
  return (port & ~3) === LATCH || (port & ~3) === BYTE_LATCH;
}

function ones(size: 1 | 2 | 4): number {
  return size === 4 ? -1 : (1 << (8 * size)) - 1;
}
