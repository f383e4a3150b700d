/** The ELF side of a core: its header, its program headers and the memory that they hold (gABI, chapters 4 and 5). */
import { formatRange, hex } from '../../address/format';
import { isElf } from '../image/elf';
import type { CapturedMemory, CaptureProblem } from './capturedState';

const EM_386 = 3;
export const EM_X86_64 = 62;
const PT_LOAD = 1;
export const PT_NOTE = 4;
/** `e_phnum` where the number is `sh_info` of section 0 (gABI, PN_XNUM). */
const PN_XNUM = 0xffff;
/** Physical addresses have 52 bits at most (SDM vol. 3, 4.1.4). */
const PHYSICAL_END = 1n << 52n;
/** QEMU writes about ten; each becomes a slot of the emulator. */
const MOST_PIECES = 1000;

export interface CoreLayout {
  readonly view: DataView;
  readonly wide: boolean;
  readonly machine: number;
}

/** The file's class and machine; a problem for what is no core of an x86 guest. */
export function coreLayout(bytes: Uint8Array): CoreLayout | CaptureProblem {
  if (!isElf(bytes)) return { problem: 'the file does not start with 0x7f "ELF"' };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 64) return { problem: `the file has ${bytes.length} bytes, fewer than an ELF header` };
  const wide = bytes[4] === 2;
  if (!wide && bytes[4] !== 1) {
    return { problem: `EI_CLASS is ${bytes[4]!}, neither 1 (32-bit) nor 2 (64-bit)` };
  }
  if (bytes[5] !== 1) return { problem: `EI_DATA is ${bytes[5]!}, not 1 (little endian)` };
  const machine = view.getUint16(18, true);
  if (machine !== EM_386 && machine !== EM_X86_64) {
    return { problem: `e_machine is ${machine}, neither 3 (80386) nor 62 (x86-64): a dump of another guest` };
  }
  return { view, wide, machine };
}

export interface ProgramHeader {
  readonly index: number;
  readonly type: number;
  readonly offset: bigint;
  readonly virtual: bigint;
  readonly physical: bigint;
  readonly fileSize: bigint;
  readonly memorySize: bigint;
}

export function programHeaders(
  bytes: Uint8Array,
  { view, wide }: CoreLayout,
): { list: readonly ProgramHeader[] } | CaptureProblem {
  const word = (at: number) => (wide ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true)));
  const tableAt = word(wide ? 32 : 28);
  const size = wide ? 56 : 32;
  const given = view.getUint16(wide ? 54 : 42, true);
  if (given !== size)
    return { problem: `e_phentsize is ${given}, an ELF${wide ? 64 : 32} program header has ${size} bytes` };
  let count = view.getUint16(wide ? 56 : 44, true);
  if (count === PN_XNUM) {
    const sections = word(wide ? 40 : 32);
    const info = Number(sections) + (wide ? 44 : 28);
    if (sections === 0n || info + 4 > bytes.length) {
      return {
        problem: `e_phnum is 0xffff, and e_shoff ${hex(sections)} has no section 0 that tells the number`,
      };
    }
    count = view.getUint32(info, true);
  }
  const end = tableAt + BigInt(count * size);
  if (end > BigInt(bytes.length)) {
    return {
      problem: `e_phoff ${hex(tableAt)} with e_phnum ${count} ends at ${hex(end)}, behind the file's ${hex(bytes.length)} bytes`,
    };
  }
  const list = Array.from({ length: count }, (_, index) => {
    const at = Number(tableAt) + index * size;
    const field = (long: number, narrow: number) => word(at + (wide ? long : narrow));
    return {
      index,
      type: view.getUint32(at, true),
      offset: field(8, 4),
      virtual: field(16, 8),
      physical: field(24, 12),
      fileSize: field(32, 16),
      memorySize: field(40, 20),
    };
  });
  const wrong = list.find(
    ({ type, offset, fileSize }) =>
      (type === PT_LOAD || type === PT_NOTE) && offset + fileSize > BigInt(bytes.length),
  );
  if (wrong) {
    return {
      problem: `program header ${wrong.index}: p_offset ${hex(wrong.offset)} with p_filesz ${hex(wrong.fileSize)} ends behind the file's ${hex(bytes.length)} bytes: the dump is truncated`,
    };
  }
  return { list };
}

/** What the PT_LOAD headers hold, by physical address, sorted. */
export function coreMemory(
  bytes: Uint8Array,
  headers: readonly ProgramHeader[],
): { list: readonly CapturedMemory[] } | CaptureProblem {
  const loads = headers.filter(({ type }) => type === PT_LOAD);
  // Without paging QEMU writes the physical address into both fields, or none.
  const paged = loads.find(({ virtual, physical }) => virtual !== 0n && virtual !== physical);
  if (paged) {
    return {
      problem: `program header ${paged.index} has p_vaddr ${hex(paged.virtual)}: it is a dump with paging, which has only what was mapped; make one with \`dump-guest-memory FILE\` without -p`,
    };
  }
  const far = loads.find(({ physical, memorySize }) => physical + memorySize > PHYSICAL_END);
  if (far) {
    return {
      problem: `program header ${far.index}: p_paddr ${hex(far.physical)} with p_memsz ${hex(far.memorySize)} ends beyond 2^52, where no x86 CPU has memory`,
    };
  }
  if (loads.length > MOST_PIECES) {
    return { problem: `it has ${loads.length} PT_LOAD headers, more than the ${MOST_PIECES} that are read` };
  }
  if (loads.length === 0) return { problem: 'it has no PT_LOAD header: there is no memory in it' };
  const list = loads
    .map(({ physical, offset, fileSize, memorySize }) => ({
      range: { start: physical, end: physical + (memorySize > fileSize ? memorySize : fileSize) },
      bytes: bytes.subarray(Number(offset), Number(offset + fileSize)),
    }))
    .sort((a, b) => (a.range.start < b.range.start ? -1 : 1));
  for (let index = 1; index < list.length; index++) {
    const [before, after] = [list[index - 1]!.range, list[index]!.range];
    if (after.start < before.end) {
      return { problem: `two PT_LOAD headers overlap: ${formatRange(before)} and ${formatRange(after)}` };
    }
  }
  return { list };
}
