/** What a PVH kernel is handed: start information, module list and memory map (Xen, start_info.h, version 1). */
import { e820Bytes, type E820Entry } from '../e820';

const MAGIC = 0x336ec578;
const VERSION = 1;
const START_INFO_SIZE = 56;
const MODULE_SIZE = 32;
/** Base, length, type, and four reserved bytes. */
const MEMORY_ENTRY_SIZE = 24;

/** Physical addresses; 0n for what there is none of. */
export interface StartInfo {
  readonly modules: number;
  readonly moduleList: bigint;
  readonly commandLine: bigint;
  readonly rsdp: bigint;
  readonly memoryMap: bigint;
  readonly memoryEntries: number;
}

/** `struct hvm_start_info`, whose address a kernel finds in RBX. */
export function startInfo({
  modules,
  moduleList,
  commandLine,
  rsdp,
  memoryMap,
  memoryEntries,
}: StartInfo): Uint8Array {
  const view = new DataView(new ArrayBuffer(START_INFO_SIZE));
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  view.setUint32(12, modules, true);
  view.setBigUint64(16, moduleList, true);
  view.setBigUint64(24, commandLine, true);
  view.setBigUint64(32, rsdp, true);
  view.setBigUint64(40, memoryMap, true);
  view.setUint32(48, memoryEntries, true);
  return new Uint8Array(view.buffer);
}

/** A module that lies in memory. */
export interface StartModule {
  readonly start: bigint;
  /** Bytes. */
  readonly size: number;
  /** Physical address of its command line; none where it is left out. */
  readonly line?: bigint;
}

/** `struct hvm_modlist_entry`, one behind the other. */
export function moduleList(modules: readonly StartModule[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(modules.length * MODULE_SIZE));
  modules.forEach(({ start, size, line = 0n }, index) => {
    const at = index * MODULE_SIZE;
    view.setBigUint64(at, start, true);
    view.setBigUint64(at + 8, BigInt(size), true);
    view.setBigUint64(at + 16, line, true);
  });
  return new Uint8Array(view.buffer);
}

/** `struct hvm_memmap_table_entry`, one behind the other. */
export function pvhMemoryMap(entries: readonly E820Entry[]): Uint8Array {
  return e820Bytes(entries, MEMORY_ENTRY_SIZE);
}
