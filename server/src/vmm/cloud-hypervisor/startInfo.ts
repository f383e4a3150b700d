/** What the guest finds of its boot: the PVH start information (configure_pvh) or Linux's boot_params, at their fixed addresses. */
import { BOOT_FLAG, HEADER_MAGIC, SETUP, type LinuxImage } from '../../machine/image/linuxImage';
import type { E820Entry } from '../e820';
import { addMachine, type Initrd } from '../loaders/linuxParameters';
import type { Placed } from '../placed';
import { moduleList, pvhMemoryMap, startInfo } from '../loaders/pvhStartInfo';
import {
  COMMAND_LINE,
  COMMAND_LINE_MAX,
  MEMORY_MAP,
  MODULE_LIST,
  PVH_INFO,
  RSDP,
  ZERO_PAGE,
} from './addresses';

export function startInfoParts(map: readonly E820Entry[], initrd: Initrd | null): Placed[] {
  const kind = 'boot-parameters';
  const info = startInfo({
    modules: initrd ? 1 : 0,
    moduleList: initrd ? MODULE_LIST : 0n,
    commandLine: COMMAND_LINE,
    rsdp: RSDP,
    memoryMap: MEMORY_MAP,
    memoryEntries: map.length,
  });
  return [
    ...(initrd ? [{ at: MODULE_LIST, bytes: moduleList([initrd]), kind, name: 'module list' } as const] : []),
    { at: MEMORY_MAP, bytes: pvhMemoryMap(map), kind, name: 'memory map' },
    { at: PVH_INFO, bytes: info, kind, name: 'start info' },
  ];
}

const PARAMETERS_SIZE = 4096;
const LOADER_OTHER = 0xff;
/** KERNEL_MIN_ALIGNMENT_BYTES, for a kernel that brings no header (v15.0). */
const ELF_ALIGNMENT = 0x1000000;
/** `struct setup_header` of linux-loader: 123 bytes from 0x1f1 on, whatever the image's own header says of its end. */
const SETUP_HEADER_SIZE = 123;

/** configure_32bit_entry, and configure_64bit_boot of v15.0; `image` null for an ELF kernel. A problem in words where it has no room. */
export function bootParameters(
  image: { readonly linux: LinuxImage; readonly file: Uint8Array } | null,
  load: bigint,
  map: readonly E820Entry[],
  initrd: Initrd | null,
): Placed | string {
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
  const problem = addMachine(page, { memoryMap: map, rsdp: RSDP });
  if (problem) return problem.problem;
  return { at: ZERO_PAGE, bytes: page, kind: 'boot-parameters', name: 'zero page' };
}
