/**
 * What libkrun writes into low memory and into the registers of every vCPU before the first instruction of a kernel
 * (containers/libkrun src/arch/src/x86_64/{mod,regs,gdt}.rs and linux/regs.rs). A firmware boot sets no register.
 */
import { BOOT_FLAG, HEADER_MAGIC, SETUP } from '../../machine/image/linuxImage';
import type { VcpuState } from '../../x86/state';
import type { E820Entry } from '../e820';
import {
  ENTRY_GDT,
  entryTables,
  firstGibTables,
  longModeState,
  protectedModeState,
} from '../kvm/kernelEntry';
import type { Placed } from '../placed';
import { addMachine, type Initrd } from '../loaders/linuxParameters';
import { moduleList, pvhMemoryMap, startInfo } from '../loaders/pvhStartInfo';
import {
  BOOT_STACK_POINTER,
  COMMAND_LINE,
  GDT,
  IDT,
  PAGE_DIRECTORY,
  PDPT,
  PML4,
  PVH_INFO,
  PVH_MEMORY_MAP,
  PVH_MODULES,
  ZERO_PAGE,
} from './addresses';

const PLACES = { gdt: GDT, idt: IDT } as const;

export function descriptorTables(pvh: boolean): Placed[] {
  return entryTables(PLACES, pvh ? ENTRY_GDT.protected : ENTRY_GDT.long);
}

/** The first GiB in pages of 2 MiB (`compute_page_tables`); a PVH boot has none. */
export function pageTables(): Placed[] {
  return firstGibTables({ pml4: PML4, pdpt: PDPT, pageDirectory: PAGE_DIRECTORY });
}

export interface BootParameters {
  readonly memoryMap: readonly E820Entry[];
  /** Bytes of the command line with its NUL. */
  readonly commandLineSize: number;
  readonly initrd: Initrd | null;
}

/** KERNEL_LOADER_OTHER, KERNEL_MIN_ALIGNMENT_BYTES. */
const LOADER_OTHER = 0xff;
const KERNEL_ALIGNMENT = 0x1000000;

/** `boot_params`, a page (`configure_64bit_boot`). The initrd's address is cut to 32 bits, also where it lies above 4 GiB. */
export function zeroPage({ memoryMap, commandLineSize, initrd }: BootParameters): Placed {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  view.setUint16(SETUP.bootFlag, BOOT_FLAG, true);
  view.setUint32(SETUP.magic, HEADER_MAGIC, true);
  bytes[SETUP.typeOfLoader] = LOADER_OTHER;
  view.setUint32(SETUP.cmdLinePtr, Number(COMMAND_LINE), true);
  view.setUint32(SETUP.cmdlineSize, commandLineSize, true);
  view.setUint32(SETUP.kernelAlignment, KERNEL_ALIGNMENT, true);
  if (initrd) {
    view.setUint32(SETUP.ramdiskImage, Number(BigInt.asUintN(32, initrd.start)), true);
    view.setUint32(SETUP.ramdiskSize, initrd.size, true);
  }
  addMachine(bytes, { memoryMap, rsdp: null });
  return { at: ZERO_PAGE, bytes, kind: 'boot-parameters', name: 'zero page' };
}

/** hvm_start_info, the memory map, and one module for the initrd (`configure_pvh`). */
export function pvhStartInfo({ memoryMap, initrd }: BootParameters): Placed[] {
  const info = startInfo({
    modules: initrd ? 1 : 0,
    moduleList: initrd ? PVH_MODULES : 0n,
    commandLine: COMMAND_LINE,
    rsdp: 0n,
    memoryMap: PVH_MEMORY_MAP,
    memoryEntries: memoryMap.length,
  });
  const kind = 'boot-parameters';
  return [
    { at: PVH_INFO, bytes: info, kind, name: 'start info' },
    { at: PVH_MEMORY_MAP, bytes: pvhMemoryMap(memoryMap), kind, name: 'memory map' },
    ...(initrd ? [{ at: PVH_MODULES, bytes: moduleList([initrd]), kind, name: 'module list' } as const] : []),
  ];
}

/** PE and ET. */
const PVH_CR0 = 0x11n;

/** Every vCPU gets these, the application processors too; INIT resets those before they run. */
export function linux64State(entry: bigint): VcpuState {
  return longModeState(entry, { ...PLACES, pml4: PML4, stack: BOOT_STACK_POINTER, zeroPage: ZERO_PAGE });
}

export function pvhState(entry: bigint): VcpuState {
  return protectedModeState(entry, { ...PLACES, cr0: PVH_CR0, general: { rbx: PVH_INFO } });
}
