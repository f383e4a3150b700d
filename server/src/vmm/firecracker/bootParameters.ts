/** What a kernel is handed: Linux's zero page, or PVH's start info with its lists (arch/x86_64/mod.rs, configure_64bit_boot and configure_pvh). */
import { BOOT_FLAG, HEADER_MAGIC, SETUP } from '../../machine/image/linuxImage';
import { e820Bytes, type E820Entry } from '../e820';
import { RSDP } from './layout';

export const PVH_INFO = 0x6000n;
const PVH_MODULES = 0x6040n;
const PVH_MAP = 0x7000n;
export const ZERO_PAGE = 0x7000n;
export const COMMAND_LINE = 0x20000n;

const PAGE_SIZE = 4096;
/** Offsets in the zero page (Documentation/arch/x86/zero-page.rst). */
const AT = { acpiRsdp: 0x70, e820Count: 0x1e8, e820Table: 0x2d0 } as const;
/** E820_MAX_ENTRIES_ZEROPAGE: more are refused (add_e820_entry, E820Configuration). */
export const MOST_MAP_ENTRIES = 128;
const LOADER_OTHER = 0xff;
const ELF_ALIGNMENT = 0x1000000;
const PVH_MAGIC = 0x336ec578;
const PVH_VERSION = 1;
const PVH_MAP_ENTRY = 24;

export interface Initrd {
  readonly start: bigint;
  readonly size: number;
}

export interface ParameterValues {
  readonly map: readonly E820Entry[];
  readonly initrd: Initrd | null;
  /** With its terminating zero. */
  readonly commandLineSize: number;
  readonly acpi: boolean;
  /** Of a bzImage, from 0x1f1 on; null for an ELF kernel. */
  readonly header: Uint8Array | null;
}

/** 4 KiB for 0x7000, with `MOST_MAP_ENTRIES` at most. Of a bzImage's header code32_start is what the file says, where the kernel was loaded. */
export function zeroPage({ map, initrd, commandLineSize, acpi, header }: ParameterValues): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE);
  const view = new DataView(page.buffer);
  if (header) page.set(header, SETUP.header);
  else view.setUint32(SETUP.kernelAlignment, ELF_ALIGNMENT, true);
  view.setUint8(SETUP.typeOfLoader, LOADER_OTHER);
  view.setUint16(SETUP.bootFlag, BOOT_FLAG, true);
  view.setUint32(SETUP.magic, HEADER_MAGIC, true);
  view.setUint32(SETUP.cmdLinePtr, Number(COMMAND_LINE), true);
  view.setUint32(SETUP.cmdlineSize, commandLineSize, true);
  if (initrd) {
    view.setUint32(SETUP.ramdiskImage, Number(initrd.start), true);
    view.setUint32(SETUP.ramdiskSize, initrd.size, true);
  }
  if (acpi) view.setBigUint64(AT.acpiRsdp, RSDP, true);
  page[AT.e820Count] = map.length;
  page.set(e820Bytes(map), AT.e820Table);
  return page;
}

/** hvm_start_info, module list and memory map at their places. rsdp_paddr stays 0: the guest finds the RSDP by its signature. */
export function pvhStartInfo(
  map: readonly E820Entry[],
  initrd: Initrd | null,
): { readonly address: bigint; readonly bytes: Uint8Array }[] {
  const info = new DataView(new ArrayBuffer(56));
  info.setUint32(0, PVH_MAGIC, true);
  info.setUint32(4, PVH_VERSION, true);
  info.setUint32(12, initrd ? 1 : 0, true);
  info.setBigUint64(16, initrd ? PVH_MODULES : 0n, true);
  info.setBigUint64(24, COMMAND_LINE, true);
  info.setBigUint64(40, PVH_MAP, true);
  info.setUint32(48, map.length, true);
  const modules = new DataView(new ArrayBuffer(initrd ? 32 : 0));
  if (initrd) {
    modules.setBigUint64(0, initrd.start, true);
    modules.setBigUint64(8, BigInt(initrd.size), true);
  }
  return [
    { address: PVH_INFO, bytes: new Uint8Array(info.buffer) },
    { address: PVH_MODULES, bytes: new Uint8Array(modules.buffer) },
    { address: PVH_MAP, bytes: e820Bytes(map, PVH_MAP_ENTRY) },
  ];
}
