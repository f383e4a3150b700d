/** Puts a Multiboot kernel, its modules and its information structure into memory (Multiboot Specification 0.6.96, 3.2 and 3.3). */
import { hex } from '../../address/format';
import { KIB, MIB, PAGE, overlaps, sizeOf } from '../../address/range';
import type { MultibootImage } from '../../machine/image/multiboot';
import { GENERAL_REGISTERS, type GeneralRegister, type SegmentState, type VcpuState } from '../../x86/state';
import type { DirectBoot } from '../model';
import { EBDA, isRam, pcMemory, pcMemoryMap } from './layout';

/** Writes guest memory; false where a byte is outside RAM. */
export type WriteMemory = (address: bigint, bytes: Uint8Array) => boolean;

/** EAX of the first instruction. */
const LOADER_MAGIC = 0x2badb002n;
/** The structure goes to the first free page from here on, above the BIOS data area and what a boot sector uses. */
const FIRST_INFO = 0x9000n;
const INFO_SIZE = 88;
/** mem_*, cmdline, mods_*, mmap_*, boot_loader_name. */
const INFO_FLAGS = 0x1 | 0x4 | 0x8 | 0x40 | 0x200;
const LOADER_NAME = 'bootpath';

interface Placed {
  readonly start: bigint;
  readonly end: bigint;
  readonly line: string;
}

/** Loads everything; gives the first state, or why the kernel cannot be started. */
export function loadMultiboot(
  image: MultibootImage,
  boot: DirectBoot,
  memory: bigint,
  write: WriteMemory,
): VcpuState | string {
  let kernelEnd = MIB;
  for (const [index, { physical, bytes, memorySize }] of image.segments.entries()) {
    const end = physical + memorySize;
    // Memory is zero at first, so what follows the bytes of the file need not be written.
    if (!isRam({ start: physical, end }, memory) || !write(physical, bytes)) {
      return `segment ${index} of the kernel goes to ${hex(physical)} up to ${hex(end)}, which is not all RAM`;
    }
    if (end > kernelEnd) kernelEnd = end;
  }
  const { lowEnd } = pcMemory(memory);
  const modules = placeModules(boot, kernelEnd);
  const last = modules.at(-1)?.end ?? kernelEnd;
  if (last > lowEnd) return `the modules end at ${hex(last)}, RAM below 4 GiB at ${hex(lowEnd)}`;
  modules.forEach(({ start }, index) => write(start, boot.modules[index]!.bytes));
  const room = (at: bigint) => new Information(at, memory, boot.commandLine, modules).bytes;
  const size = BigInt(room(0n).length);
  const at = placeInformation(image, size, last);
  if (!write(at, room(at))) return `there is no room for ${hex(size)} bytes of Multiboot information`;
  return entryState(image.entry, at);
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

/** Low memory where the kernel leaves room there, else behind everything. */
function placeInformation({ segments }: MultibootImage, size: bigint, last: bigint): bigint {
  for (let start = FIRST_INFO; start + size <= EBDA.start; start += PAGE) {
    const range = { start, end: start + size };
    if (
      !segments.some(({ physical, memorySize }) =>
        overlaps(range, { start: physical, end: physical + memorySize }),
      )
    ) {
      return start;
    }
  }
  return pageUp(last);
}

function pageUp(address: bigint): bigint {
  return ((address + PAGE - 1n) / PAGE) * PAGE;
}

/** The structure with everything that it points to behind it. */
class Information {
  readonly bytes: Uint8Array;

  constructor(
    private readonly at: bigint,
    memory: bigint,
    commandLine: string,
    modules: readonly Placed[],
  ) {
    const map = memoryMapBytes(memory);
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
    const { lowEnd } = pcMemory(memory);
    const fields: readonly (readonly [offset: number, value: number])[] = [
      [0, INFO_FLAGS],
      [4, Number(EBDA.start / KIB)],
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
function memoryMapBytes(memory: bigint): Uint8Array {
  const entries = pcMemoryMap(memory);
  const bytes = new Uint8Array(entries.length * 24);
  const view = new DataView(bytes.buffer);
  entries.forEach(({ range, type }, index) => {
    view.setUint32(index * 24, 20, true);
    view.setBigUint64(index * 24 + 4, range.start, true);
    view.setBigUint64(index * 24 + 12, sizeOf(range), true);
    view.setUint32(index * 24 + 20, type, true);
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

function terminated(text: string): Uint8Array {
  return new TextEncoder().encode(text + '\0');
}

const ZERO = Object.fromEntries(GENERAL_REGISTERS.map((name) => [name, 0n])) as Record<
  GeneralRegister,
  bigint
>;
const flat = (selector: number, attributes: number): SegmentState => ({
  selector,
  base: 0n,
  limit: 0xffffffff,
  attributes,
});
const CODE = flat(0x08, 0xc09b);
const DATA = flat(0x10, 0xc093);

/** 3.2: 32-bit protected mode, paging and interrupts off, flat segments; the tables and ESP are the kernel's to set up. */
export function entryState(entry: bigint, information: bigint): VcpuState {
  return {
    general: { ...ZERO, rax: LOADER_MAGIC, rbx: information },
    rip: entry,
    rflags: 2n,
    cr0: 0x11n,
    cr2: 0n,
    cr3: 0n,
    cr4: 0n,
    cr8: 0n,
    efer: 0n,
    segments: {
      es: DATA,
      cs: CODE,
      ss: DATA,
      ds: DATA,
      fs: DATA,
      gs: DATA,
      ldtr: { selector: 0, base: 0n, limit: 0xffff, attributes: 0x0082 },
      tr: { selector: 0, base: 0n, limit: 0xffff, attributes: 0x008b },
    },
    gdtr: { base: 0n, limit: 0 },
    idtr: { base: 0n, limit: 0x3ff },
    dr: [0n, 0n, 0n, 0n, 0xffff0ff0n, 0x400n],
  };
}
