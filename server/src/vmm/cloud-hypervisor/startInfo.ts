/** What the guest finds of its boot: the PVH start information (configure_pvh) or Linux's boot_params, at their fixed addresses. */
import { SETUP, type LinuxImage } from '../../machine/image/linuxImage';
import { e820Bytes, type E820Entry } from '../e820';
import type { WriteMemory } from '../loaders/loader';
import {
  COMMAND_LINE,
  COMMAND_LINE_MAX,
  MEMORY_MAP,
  MODULE_LIST,
  PVH_INFO,
  RSDP,
  ZERO_PAGE,
} from './addresses';

const MAGIC = 0x336ec578;
const VERSION = 1;
const START_INFO_SIZE = 56;
const MODULE_SIZE = 32;
/** An entry of PVH's memory map ends in four reserved bytes. */
const MEMORY_ENTRY_SIZE = 24;

/** Where an initial RAM disk lies. */
export interface PlacedInitrd {
  readonly start: bigint;
  readonly size: number;
}

export function writeStartInfo(
  map: readonly E820Entry[],
  initrd: PlacedInitrd | null,
  write: WriteMemory,
): void {
  const info = new DataView(new ArrayBuffer(START_INFO_SIZE));
  info.setUint32(0, MAGIC, true);
  info.setUint32(4, VERSION, true);
  if (initrd) {
    info.setUint32(12, 1, true);
    info.setBigUint64(16, MODULE_LIST, true);
    const module = new DataView(new ArrayBuffer(MODULE_SIZE));
    module.setBigUint64(0, initrd.start, true);
    module.setBigUint64(8, BigInt(initrd.size), true);
    write(MODULE_LIST, new Uint8Array(module.buffer));
  }
  info.setBigUint64(24, COMMAND_LINE, true);
  info.setBigUint64(32, RSDP, true);
  info.setBigUint64(40, MEMORY_MAP, true);
  info.setUint32(48, map.length, true);
  write(MEMORY_MAP, e820Bytes(map, MEMORY_ENTRY_SIZE));
  write(PVH_INFO, new Uint8Array(info.buffer));
}

const PARAMETERS_SIZE = 4096;
const AT = { rsdp: 0x70, e820Entries: 0x1e8, e820Table: 0x2d0 } as const;
const LOADER_OTHER = 0xff;
const BOOT_FLAG = 0xaa55;
const HEADER_MAGIC = 0x53726448;
/** KERNEL_MIN_ALIGNMENT_BYTES, for a kernel that brings no header (v15.0). */
const ELF_ALIGNMENT = 0x1000000;
/** `struct setup_header` of linux-loader: 123 bytes from 0x1f1 on, whatever the image's own header says of its end. */
const SETUP_HEADER_SIZE = 123;

/** configure_32bit_entry, and configure_64bit_boot of v15.0; `image` null for an ELF kernel. */
export function writeBootParameters(
  image: { readonly linux: LinuxImage; readonly file: Uint8Array } | null,
  load: bigint,
  map: readonly E820Entry[],
  initrd: PlacedInitrd | null,
  write: WriteMemory,
): void {
  const page = new Uint8Array(PARAMETERS_SIZE);
  const view = new DataView(page.buffer);
  if (image) {
    page.set(image.file.subarray(SETUP.header, SETUP.header + SETUP_HEADER_SIZE), SETUP.header);
    view.setUint32(SETUP.code32Start, Number(load), true);
  } else {
    view.setUint16(SETUP.bootFlag, BOOT_FLAG, true);
    view.setUint32(SETUP.magic, HEADER_MAGIC, true);
    view.setUint32(SETUP.kernelAlignment, ELF_ALIGNMENT, true);
  }
  if (page[SETUP.typeOfLoader] === 0) page[SETUP.typeOfLoader] = LOADER_OTHER;
  view.setUint32(SETUP.cmdLinePtr, Number(COMMAND_LINE), true);
  view.setUint32(SETUP.cmdlineSize, COMMAND_LINE_MAX, true);
  if (initrd) {
    view.setUint32(SETUP.ramdiskImage, Number(initrd.start), true);
    view.setUint32(SETUP.ramdiskSize, initrd.size, true);
  }
  page[AT.e820Entries] = map.length;
  page.set(e820Bytes(map), AT.e820Table);
  view.setBigUint64(AT.rsdp, RSDP, true);
  write(ZERO_PAGE, page);
}
