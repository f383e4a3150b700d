/**
 * What OpenBSD's kernels take from their boot loader: arguments on the stack (sys/arch/amd64/amd64/locore0.S), and a list of
 * further ones in memory, as vmd makes it (loadfile_elf.c).
 */
import { e820Bytes, type E820Entry } from '../e820';

const BOOTARG_MEMMAP = 0;
const BOOTARG_CONSDEV = 5;
const BOOTARG_END = 0xffffffff;
/** type, size, next: 4 bytes each, before every argument. */
const HEADER_SIZE = 12;
const CONSOLE_SIZE = 16;
/** dev_t of com1 is makedev(8, 0). */
const COM1_DEVICE = 0x800;
const COM1_SPEED = 115200;
const COM1_PORT = 0x3f8;
/** sd0a. */
const BOOT_DEVICE = 0xa0000004;
const API_VERSION = 0x0e;

/** BIOS memory map and console device, and their size as it goes on the stack, in bytes. */
export function openbsdArguments(memoryMap: readonly E820Entry[]): {
  readonly bytes: Uint8Array;
  readonly size: number;
} {
  // bios_memmap_t, packed; a terminating entry of zeroes follows.
  const map = e820Bytes(memoryMap);
  const mapSize = HEADER_SIZE + map.length + 20;
  const consoleSize = HEADER_SIZE + CONSOLE_SIZE;
  const bytes = new Uint8Array(mapSize + consoleSize + 4);
  bytes.set(words32([BOOTARG_MEMMAP, mapSize, mapSize]), 0);
  bytes.set(map, HEADER_SIZE);
  bytes.set(
    words32([
      ...[BOOTARG_CONSDEV, consoleSize, consoleSize],
      ...[COM1_DEVICE, COM1_SPEED, COM1_PORT, 0],
      BOOTARG_END,
    ]),
    mapSize,
  );
  return { bytes, size: mapSize + consoleSize };
}

/** Bytes of `openbsdStack`. */
export const OPENBSD_STACK_SIZE = 32;

/**
 * The eight arguments of `start`, lowest first: howto, bootdev, version, end, extmem, basemem, size and address of the list.
 * A slot for a return address comes below them.
 */
export function openbsdStack(values: {
  /** End of the kernel in memory. */
  readonly end: bigint;
  readonly argumentsSize: number;
  readonly argumentsAt: bigint;
}): Uint8Array {
  const { end, argumentsSize, argumentsAt } = values;
  return words32([0, BOOT_DEVICE, API_VERSION, Number(end), 0, 0, argumentsSize, Number(argumentsAt)]);
}

function words32(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setUint32(index * 4, value >>> 0, true));
  return bytes;
}
