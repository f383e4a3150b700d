/** Puts a Multiboot kernel, its modules and its information structure into memory (Multiboot Specification 0.6.96, 3.2 and 3.3). */
import { hex } from '../../address/format';
import { KIB, MIB } from '../../address/range';
import { isMultiboot, parseMultiboot, type MultibootImage } from '../../machine/image/multiboot';
import type { ImageProblem } from '../../machine/image/problem';
import type { VcpuState } from '../../x86/state';
import { e820Bytes, E820_ENTRY_SIZE, type E820Entry } from '../e820';
import type { DirectBoot } from '../model';
import { terminated } from './commandLine';
import { loadSegments } from './elfSegments';
import { flatProtected32 } from './entryState';
import { FreePages, pageUp } from './freePages';
import type { BootProtocol, LoadTarget } from './loader';

/** EAX of the first instruction. */
const LOADER_MAGIC = 0x2badb002n;
const INFO_SIZE = 88;
/** mem_*, cmdline, mods_*, mmap_*, boot_loader_name. */
const INFO_FLAGS = 0x1 | 0x4 | 0x8 | 0x40 | 0x200;
const LOADER_NAME = 'bootpath';

interface Placed {
  readonly start: bigint;
  readonly end: bigint;
  readonly line: string;
}

export const MULTIBOOT: BootProtocol = {
  name: 'multiboot',
  title: 'Multiboot 0.6.96',
  recognises: isMultiboot,
  load: (bytes, boot, target) => {
    const image = parseMultiboot(bytes);
    if ('problem' in image) return image;
    const commandLine = [boot.imageName, boot.commandLine].filter((part) => part !== '').join(' ');
    return load(image, { ...boot, commandLine }, target);
  },
};

function load(image: MultibootImage, boot: DirectBoot, target: LoadTarget): VcpuState | ImageProblem {
  const { lowEnd, write } = target;
  const kernel = loadSegments(image.segments, target);
  if ('problem' in kernel) return kernel;
  const kernelEnd = kernel.reduce((last, { end }) => (end > last ? end : last), MIB);
  const modules = placeModules(boot, kernelEnd);
  const last = modules.at(-1)?.end ?? kernelEnd;
  if (last > lowEnd) return { problem: `the modules end at ${hex(last)}, RAM below 4 GiB at ${hex(lowEnd)}` };
  modules.forEach(({ start }, index) => write(start, boot.modules[index]!.bytes));
  const information = (at: bigint) => new Information(at, target, boot.commandLine, modules).bytes;
  const size = information(0n).length;
  const at = new FreePages(target, [...kernel, ...modules]).low(size);
  if (at === null || !write(at, information(at)))
    return { problem: `there is no room for ${hex(size)} bytes of Multiboot information` };
  return flatProtected32(image.entry, { rax: LOADER_MAGIC, rbx: at });
}

/** One after the other behind the kernel, each at a page of its own: flag bit 0 asks for that, and nobody minds. */
function placeModules({ modules }: DirectBoot, after: bigint): Placed[] {
  let next = after;
  return modules.map(({ bytes, commandLine }) => {
    const start = pageUp(next);
    next = start + BigInt(bytes.length);
    return { start, end: next, line: commandLine };
  });
}

/** The structure with everything that it points to behind it. */
class Information {
  readonly bytes: Uint8Array;

  constructor(
    private readonly at: bigint,
    { memoryMap, conventionalEnd, lowEnd }: LoadTarget,
    commandLine: string,
    modules: readonly Placed[],
  ) {
    const map = memoryMapBytes(memoryMap);
    const parts: Uint8Array[] = [map];
    let size = INFO_SIZE + map.length;
    const append = (part: Uint8Array): number => {
      const address = this.address(size);
      parts.push(part);
      size += part.length;
      return address;
    };
    const text = append(terminated(commandLine));
    const name = append(terminated(LOADER_NAME));
    const lines = modules.map(({ line }) => append(terminated(line)));
    append(new Uint8Array(-size & 3));
    const list = append(moduleBytes(modules, lines));
    const info = new DataView(new ArrayBuffer(INFO_SIZE));
    const fields: readonly (readonly [offset: number, value: number])[] = [
      [0, INFO_FLAGS],
      [4, Number(conventionalEnd / KIB)],
      [8, Number((lowEnd - MIB) / KIB)],
      [16, text],
      [20, modules.length],
      [24, list],
      [44, map.length],
      [48, this.address(INFO_SIZE)],
      [64, name],
    ];
    for (const [offset, value] of fields) info.setUint32(offset, value, true);
    this.bytes = new Uint8Array(size);
    this.bytes.set(new Uint8Array(info.buffer));
    let offset = INFO_SIZE;
    for (const part of parts) {
      this.bytes.set(part, offset);
      offset += part.length;
    }
  }

  private address(offset: number): number {
    return Number(this.at) + offset;
  }
}

/** Entries of {size, base, length, type}, where `size` does not count itself. */
function memoryMapBytes(entries: readonly E820Entry[]): Uint8Array {
  const stride = E820_ENTRY_SIZE + 4;
  const bytes = new Uint8Array(entries.length * stride);
  const view = new DataView(bytes.buffer);
  const packed = e820Bytes(entries);
  entries.forEach((_, index) => {
    const at = index * E820_ENTRY_SIZE;
    view.setUint32(index * stride, E820_ENTRY_SIZE, true);
    bytes.set(packed.subarray(at, at + E820_ENTRY_SIZE), index * stride + 4);
  });
  return bytes;
}

function moduleBytes(modules: readonly Placed[], lines: readonly number[]): Uint8Array {
  const words = modules.flatMap(({ start, end }, index) => [Number(start), Number(end), lines[index]!, 0]);
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => view.setUint32(index * 4, word, true));
  return bytes;
}
