/** `boot_params` of Linux, its "zero page", and what it points to (boot.rst; Documentation/arch/x86/zero-page.rst). */
import { hex } from '../../address/format';
import { BOOT_FLAG, HEADER_MAGIC, SETUP, type LinuxImage } from '../../machine/image/linuxImage';
import type { ImageProblem } from '../../machine/image/problem';
import { e820Bytes } from '../e820';
import type { DirectBoot } from '../model';
import type { FreePages } from './freePages';
import type { LoadTarget } from './loader';

const SIZE = 4096;
const AT = { acpiRsdpAddr: 0x70, e820Entries: 0x1e8, e820Table: 0x2d0 } as const;
/** E820_MAX_ENTRIES_ZEROPAGE. */
export const MOST_MAP_ENTRIES = 128;
/** "Special, undefined". */
const LOADER = 0xff;
/** What Firecracker writes for a kernel that brings no header. */
const ELF_KERNEL_ALIGNMENT = 0x1000000;

/** An initrd that lies in memory. */
export interface Initrd {
  readonly start: bigint;
  readonly size: number;
}

/** The modules one after the other, each at a multiple of 4 bytes, as boot loaders join several initrds; null for none. */
export function joinedInitrd({ modules }: DirectBoot): Uint8Array | null {
  if (modules.length === 0) return null;
  const starts: number[] = [];
  let size = 0;
  for (const { bytes } of modules) {
    starts.push(Math.ceil(size / 4) * 4);
    size = starts.at(-1)! + bytes.length;
  }
  const joined = new Uint8Array(size);
  modules.forEach(({ bytes }, index) => joined.set(bytes, starts[index]));
  return joined;
}

/** Puts the modules as high as `last`, their last byte's limit, allows; null for none. */
export function placeInitrd(
  boot: DirectBoot,
  pages: FreePages,
  last: bigint,
  target: LoadTarget,
): Initrd | ImageProblem | null {
  const bytes = joinedInitrd(boot);
  if (!bytes || bytes.length === 0) return null;
  const start = pages.high(bytes.length, last);
  if (start === null || !target.write(start, bytes)) {
    return {
      problem: `there is no room for an initrd of ${hex(bytes.length)} bytes that ends at ${hex(last)} at most`,
    };
  }
  return { start, size: bytes.length };
}

/** What a boot loader says in the setup header. */
export interface HeaderValues {
  readonly commandLine: bigint;
  readonly initrd: Initrd | null;
  /** Physical address of the 32-bit entry. */
  readonly entry: bigint;
}

/** Fills in a setup header; 0x1f1 of `page` is its first byte, as in the file and in `boot_params`. */
export function fillHeader(page: Uint8Array, { commandLine, initrd, entry }: HeaderValues): void {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  view.setUint8(SETUP.typeOfLoader, LOADER);
  view.setUint32(SETUP.code32Start, Number(entry), true);
  view.setUint32(SETUP.cmdLinePtr, Number(commandLine), true);
  view.setUint32(SETUP.ramdiskImage, initrd ? Number(initrd.start) : 0, true);
  view.setUint32(SETUP.ramdiskSize, initrd ? initrd.size : 0, true);
}

/** The page of an image with a setup header, or of a vmlinux, which has none. */
export function parametersPage(image: LinuxImage | null, values: HeaderValues): Uint8Array {
  const page = new Uint8Array(SIZE);
  const view = new DataView(page.buffer);
  if (image) {
    page.set(image.header, SETUP.header);
  } else {
    view.setUint16(SETUP.bootFlag, BOOT_FLAG, true);
    view.setUint32(SETUP.magic, HEADER_MAGIC, true);
    view.setUint32(SETUP.kernelAlignment, ELF_KERNEL_ALIGNMENT, true);
  }
  fillHeader(page, values);
  return page;
}

/** Adds what the setup code would have found out; nothing where there are too many entries. There is no screen: screen_info stays zero. */
export function addMachine(
  page: Uint8Array,
  { memoryMap, rsdp }: Pick<LoadTarget, 'memoryMap' | 'rsdp'>,
): ImageProblem | null {
  if (memoryMap.length > MOST_MAP_ENTRIES) {
    return {
      problem: `the memory map has ${memoryMap.length} entries, boot_params takes ${MOST_MAP_ENTRIES}`,
    };
  }
  page[AT.e820Entries] = memoryMap.length;
  page.set(e820Bytes(memoryMap), AT.e820Table);
  if (rsdp !== null) new DataView(page.buffer).setBigUint64(AT.acpiRsdpAddr, rsdp, true);
  return null;
}
