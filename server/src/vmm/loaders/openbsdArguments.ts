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
/** dev_t of com1 is makedev(8, 0). */
const COM1_DEVICE = 0x800;
const COM1_PORT = 0x3f8;
/** sd0a. */
const BOOT_DEVICE = 0xa0000004;
const API_VERSION = 0x0e;

/** The form of the list, which changed over the years. */
export interface OpenBsdArgumentsForm {
  /**
   * sizeof(bios_consdev_t): 32 since OpenBSD 7.2 or 7.3 (sys/arch/amd64/include/biosvar.h, which calls the older one of 16 a
   * thing to remove after 7.3). A kernel that knows 32 ignores a shorter one.
   */
  readonly consoleSize: 16 | 32;
  /** Bits per second. */
  readonly consoleSpeed: number;
  /** The size on the stack includes the word BOOTARG_END. */
  readonly endCounted: boolean;
}

export const NEWEST_ARGUMENTS: OpenBsdArgumentsForm = {
  consoleSize: 32,
  consoleSpeed: 115200,
  endCounted: true,
};

/** BIOS memory map and console device, and their size as it goes on the stack, in bytes. */
export function openbsdArguments(
  memoryMap: readonly E820Entry[],
  form: OpenBsdArgumentsForm,
): { readonly bytes: Uint8Array; readonly size: number } {
  // bios_memmap_t, packed; a terminating entry of zeroes follows.
  const map = e820Bytes(memoryMap);
  const mapSize = HEADER_SIZE + map.length + 20;
  const consoleSize = HEADER_SIZE + form.consoleSize;
  const bytes = new Uint8Array(mapSize + consoleSize + 4);
  bytes.set(words32([BOOTARG_MEMMAP, mapSize, mapSize]), 0);
  bytes.set(map, HEADER_SIZE);
  // The address is 64 bits wide in the longer form; what follows it is zero in both: frequency, flags, register width and shift.
  bytes.set(
    words32([BOOTARG_CONSDEV, consoleSize, consoleSize, COM1_DEVICE, form.consoleSpeed, COM1_PORT]),
    mapSize,
  );
  bytes.set(words32([BOOTARG_END]), mapSize + consoleSize);
  return { bytes, size: mapSize + consoleSize + (form.endCounted ? 4 : 0) };
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
