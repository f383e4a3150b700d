/** Puts a Multiboot2 kernel, its modules and its boot information into memory (Multiboot2 Specification 2.0, 3.3 and 3.6). */
import { formatRange, hex } from '../../address/format';
import { sizeOf, type AddressRange } from '../../address/range';
import { isMultiboot2, parseMultiboot2, type Multiboot2Image } from '../../machine/image/multiboot2';
import type { MultibootSegment } from '../../machine/image/multibootLoad';
import type { ImageProblem } from '../../machine/image/problem';
import type { VcpuState } from '../../x86/state';
import { E820_RAM } from '../e820';
import type { DirectBoot } from '../model';
import { loadSegments } from './elfSegments';
import { flatProtected32 } from './entryState';
import { FreePages } from './freePages';
import type { BootProtocol, LoadTarget } from './loader';
import { multiboot2Information, type PlacedModule } from './multiboot2Information';
import { placeSections } from './multiboot2Sections';

/** EAX of the first instruction. */
const LOADER_MAGIC = 0x36d76289n;
const FOUR_GIB = 1n << 32n;

export const MULTIBOOT2: BootProtocol = {
  name: 'multiboot2',
  title: 'Multiboot2 2.0',
  recognises: isMultiboot2,
  load: (bytes, boot, target) => {
    const image = parseMultiboot2(bytes);
    return 'problem' in image ? image : load(bytes, image, boot, target);
  },
};

function load(
  bytes: Uint8Array,
  image: Multiboot2Image,
  boot: DirectBoot,
  target: LoadTarget,
): VcpuState | ImageProblem {
  const linked = spanOf(image.segments);
  const base = loadBase(image, linked, target);
  if (typeof base !== 'bigint') return base;
  const delta = base - linked.start;
  const segments = image.segments.map((segment) => ({ ...segment, physical: segment.physical + delta }));
  const ranges = loadSegments(segments, target);
  if ('problem' in ranges) return ranges;
  const pages = new FreePages(target, ranges);
  const modules: PlacedModule[] = [];
  for (const [index, { bytes: module, commandLine }] of boot.modules.entries()) {
    const start = pages.high(module.length, FOUR_GIB - 1n);
    if (start === null || !target.write(start, module)) {
      return {
        problem: `there is no room below 4 GiB for the ${hex(module.length)} bytes of module ${index}`,
      };
    }
    modules.push({ start, end: start + BigInt(module.length), commandLine });
  }
  const information = multiboot2Information({
    target,
    commandLine: [boot.imageName, boot.commandLine].filter((part) => part !== '').join(' '),
    modules,
    loadBase: image.relocation ? base : null,
    sections: placeSections(bytes, pages, target),
  });
  const at = pages.place(information);
  if (at === null) {
    return { problem: `there is no room for ${hex(information.length)} bytes of Multiboot2 information` };
  }
  return flatProtected32(image.entry + delta, { rax: LOADER_MAGIC, rbx: at });
}

function spanOf(segments: readonly MultibootSegment[]): AddressRange {
  const starts = segments.map(({ physical }) => physical);
  const ends = segments.map(({ physical, memorySize }) => physical + memorySize);
  const least = (values: readonly bigint[]) => values.reduce((a, b) => (b < a ? b : a));
  const most = (values: readonly bigint[]) => values.reduce((a, b) => (b > a ? b : a));
  return { start: least(starts), end: most(ends) };
}

/** Where the image starts: where it was linked to, or where its relocatable tag wants it. */
function loadBase(
  { relocation }: Multiboot2Image,
  linked: AddressRange,
  target: LoadTarget,
): bigint | ImageProblem {
  if (!relocation) return linked.start;
  const { lowest, end, alignment, preference } = relocation;
  const size = sizeOf(linked);
  const fits = (start: bigint) =>
    start % alignment === 0n &&
    start >= lowest &&
    start + size <= end &&
    target.isRam({ start, end: start + size });
  if (preference === 'none' && fits(linked.start)) return linked.start;
  const ram = target.memoryMap
    .filter(({ range, type }) => type === E820_RAM && range.end <= FOUR_GIB)
    .map(({ range }) => range);
  const candidates = ram.flatMap((range) => {
    const start = range.start > lowest ? range.start : lowest;
    const limit = (range.end < end ? range.end : end) - size;
    if (limit < start) return [];
    const low = ((start + alignment - 1n) / alignment) * alignment;
    return [low, (limit / alignment) * alignment].filter(fits);
  });
  // Conventional memory is the BIOS's and the loader's, unless there is nothing else.
  const high = candidates.filter((start) => start >= 1n << 20n);
  const usable = (high.length > 0 ? high : candidates).sort((a, b) => (a < b ? -1 : 1));
  const chosen = preference === 'high' ? usable.at(-1) : usable[0];
  return (
    chosen ?? {
      problem: `no RAM for the relocatable image: ${hex(size)} bytes aligned to ${hex(alignment)} within ${formatRange({ start: lowest, end })}`,
    }
  );
}
