/** Starts a kernel by its PVH entry (Xen, "x86/HVM direct boot ABI"; start_info.h, version 1). */
import { isPvh, parsePvh, type PvhImage } from '../../machine/image/pvh';
import { hex } from '../../address/format';
import type { ImageProblem } from '../../machine/image/problem';
import type { VcpuState } from '../../x86/state';
import { e820Bytes } from '../e820';
import type { DirectBoot } from '../model';
import { terminated } from './commandLine';
import { loadSegments } from './elfSegments';
import { flatProtected32 } from './entryState';
import { FreePages } from './freePages';
import type { BootProtocol, LoadTarget } from './loader';

const MAGIC = 0x336ec578;
const VERSION = 1;
const START_INFO_SIZE = 56;
const MODULE_SIZE = 32;
const MEMORY_ENTRY_SIZE = 24;
/** A 32-bit TSS of the least size, busy. */
const TSS_LIMIT = 0x67;
const FOUR_GIB = 1n << 32n;

export const PVH: BootProtocol = {
  name: 'pvh',
  title: 'PVH (Xen’s 32-bit direct boot)',
  elfOnly: true,
  recognises: isPvh,
  load: (bytes, boot, target) => {
    const image = parsePvh(bytes);
    return 'problem' in image ? image : load(image, boot, target);
  },
};

interface PlacedModule {
  readonly start: bigint;
  readonly size: number;
  /** Physical address of its command line. */
  readonly line: bigint;
}

function load({ entry, elf }: PvhImage, boot: DirectBoot, target: LoadTarget): VcpuState | ImageProblem {
  const occupied = loadSegments(elf.segments, target);
  if ('problem' in occupied) return occupied;
  const pages = new FreePages(target, occupied);
  const modules: PlacedModule[] = [];
  for (const { bytes, commandLine } of boot.modules) {
    const start = pages.high(bytes.length, FOUR_GIB - 1n);
    const line = pages.place(terminated(commandLine));
    if (start === null || line === null || (bytes.length > 0 && !target.write(start, bytes))) {
      return {
        problem: `there is no room for module ${modules.length} of ${hex(bytes.length)} bytes below 4 GiB`,
      };
    }
    modules.push({ start, size: bytes.length, line });
  }
  const line = pages.place(terminated(boot.commandLine));
  const map = pages.place(e820Bytes(target.memoryMap, MEMORY_ENTRY_SIZE));
  const list = modules.length === 0 ? 0n : pages.place(moduleBytes(modules));
  if (line === null || map === null || list === null) return NO_ROOM;
  const info = new DataView(new ArrayBuffer(START_INFO_SIZE));
  info.setUint32(0, MAGIC, true);
  info.setUint32(4, VERSION, true);
  info.setUint32(12, modules.length, true);
  info.setBigUint64(16, list, true);
  info.setBigUint64(24, line, true);
  info.setBigUint64(32, target.rsdp ?? 0n, true);
  info.setBigUint64(40, map, true);
  info.setUint32(48, target.memoryMap.length, true);
  const at = pages.place(new Uint8Array(info.buffer));
  if (at === null) return NO_ROOM;
  const state = flatProtected32(entry, { rbx: at });
  const tr = { ...state.segments.tr, limit: TSS_LIMIT };
  return { ...state, segments: { ...state.segments, tr } };
}

const NO_ROOM: ImageProblem = { problem: 'there is no RAM left for the PVH start information' };

function moduleBytes(modules: readonly PlacedModule[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(modules.length * MODULE_SIZE));
  modules.forEach(({ start, size, line }, index) => {
    const at = index * MODULE_SIZE;
    view.setBigUint64(at, start, true);
    view.setBigUint64(at + 8, BigInt(size), true);
    view.setBigUint64(at + 16, line, true);
  });
  return new Uint8Array(view.buffer);
}
