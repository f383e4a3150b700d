/** What a kernel is handed: Linux's zero page, or PVH's start info with its lists (arch/x86_64/mod.rs, configure_64bit_boot and configure_pvh). */
import { BOOT_FLAG, HEADER_MAGIC, SETUP } from '../../machine/image/linuxImage';
import type { E820Entry } from '../e820';
import type { Placed } from '../placed';
import { addMachine, type Initrd } from '../loaders/linuxParameters';
import { moduleList, pvhMemoryMap, startInfo } from '../loaders/pvhStartInfo';
import { RSDP } from './layout';

export const PVH_INFO = 0x6000n;
const PVH_MODULES = 0x6040n;
const PVH_MAP = 0x7000n;
export const ZERO_PAGE = 0x7000n;
export const COMMAND_LINE = 0x20000n;

const PAGE_SIZE = 4096;
const LOADER_OTHER = 0xff;
const ELF_ALIGNMENT = 0x1000000;

export interface ParameterValues {
  readonly map: readonly E820Entry[];
  readonly initrd: Initrd | null;
  /** With its terminating zero. */
  readonly commandLineSize: number;
  readonly acpi: boolean;
  /** Of a bzImage, from 0x1f1 on; null for an ELF kernel. */
  readonly header: Uint8Array | null;
}

/** 4 KiB for 0x7000, with 128 entries at most. Of a bzImage's header code32_start is what the file says, where the kernel was loaded. */
export function zeroPage({ map, initrd, commandLineSize, acpi, header }: ParameterValues): Placed {
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
  addMachine(page, { memoryMap: map, rsdp: acpi ? RSDP : null });
  return { at: ZERO_PAGE, bytes: page, kind: 'boot-parameters', name: 'zero page' };
}

/** hvm_start_info, module list and memory map at their places. rsdp_paddr stays 0: the guest finds the RSDP by its signature. */
export function pvhStartInfo(map: readonly E820Entry[], initrd: Initrd | null): Placed[] {
  const info = startInfo({
    modules: initrd ? 1 : 0,
    moduleList: initrd ? PVH_MODULES : 0n,
    commandLine: COMMAND_LINE,
    rsdp: 0n,
    memoryMap: PVH_MAP,
    memoryEntries: map.length,
  });
  const kind = 'boot-parameters';
  return [
    { at: PVH_INFO, bytes: info, kind, name: 'start info' },
    { at: PVH_MODULES, bytes: moduleList(initrd ? [initrd] : []), kind, name: 'module list' },
    { at: PVH_MAP, bytes: pvhMemoryMap(map), kind, name: 'memory map' },
  ];
}
