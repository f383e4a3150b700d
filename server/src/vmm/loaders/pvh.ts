/** Starts a kernel by its PVH entry (Xen, "x86/HVM direct boot ABI"; start_info.h, version 1). */
import { isPvh, parsePvh, type PvhImage } from '../../machine/image/pvh';
import { hex } from '../../address/format';
import type { ImageProblem } from '../../machine/image/problem';
import type { VcpuState } from '../../x86/state';
import type { DirectBoot } from '../model';
import { terminated } from './commandLine';
import { loadSegments } from './elfSegments';
import { flatProtected32 } from './entryState';
import { FreePages } from './freePages';
import type { BootProtocol, LoadTarget } from './loader';
import { moduleList, pvhMemoryMap, startInfo, type StartModule } from './pvhStartInfo';

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

function load({ entry, elf }: PvhImage, boot: DirectBoot, target: LoadTarget): VcpuState | ImageProblem {
  const occupied = loadSegments(elf.segments, target);
  if ('problem' in occupied) return occupied;
  const pages = new FreePages(target, occupied);
  const modules: StartModule[] = [];
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
  const map = pages.place(pvhMemoryMap(target.memoryMap));
  const list = modules.length === 0 ? 0n : pages.place(moduleList(modules));
  if (line === null || map === null || list === null) return NO_ROOM;
  const info = startInfo({
    modules: modules.length,
    moduleList: list,
    commandLine: line,
    rsdp: target.rsdp ?? 0n,
    memoryMap: map,
    memoryEntries: target.memoryMap.length,
  });
  const at = pages.place(info);
  if (at === null) return NO_ROOM;
  const state = flatProtected32(entry, { rbx: at });
  const tr = { ...state.segments.tr, limit: TSS_LIMIT };
  return { ...state, segments: { ...state.segments, tr } };
}

const NO_ROOM: ImageProblem = { problem: 'there is no RAM left for the PVH start information' };
