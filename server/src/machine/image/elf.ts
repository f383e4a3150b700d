/** ELF32 and ELF64 executables for x86: the header and the segments to load (System V ABI, gABI chapters 4 and 5). */
import { formatRange, hex } from '../../address/format';
import type { ImageProblem } from './problem';

export interface ElfSegment {
  /** Index in the program header table, for messages. */
  readonly index: number;
  readonly physical: bigint;
  readonly virtual: bigint;
  /** The bytes from the file; the segment goes on with zeroes up to `memorySize`. */
  readonly bytes: Uint8Array;
  /** In bytes, at least `bytes.length`. */
  readonly memorySize: bigint;
  readonly executable: boolean;
}

export interface ElfImage {
  readonly bits: 32 | 64;
  /** `e_entry` as written: a physical or a virtual address, as the loader of the VMM takes it. */
  readonly entry: bigint;
  /** PT_LOAD segments with memory, in the order of the table. */
  readonly segments: readonly ElfSegment[];
}

const PT_LOAD = 1;
const EM_386 = 3;
const EM_X86_64 = 62;
/** No segment of a kernel is larger; a larger number is a lie. */
const LARGEST_SEGMENT = 1n << 36n;

/** True where the bytes start with the ELF magic, whatever follows. */
export function isElf(bytes: Uint8Array): boolean {
  return (
    bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46
  );
}

/** Reads an executable. Every field that lies gives a problem that names it; nothing is thrown. */
export function parseElf(bytes: Uint8Array): ElfImage | ImageProblem {
  if (!isElf(bytes)) return problem('the file does not start with 0x7f "ELF"');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bits = bytes[4] === 1 ? 32 : bytes[4] === 2 ? 64 : null;
  if (bits === null)
    return problem(`EI_CLASS is ${bytes[4] ?? 'missing'}, neither 1 (32-bit) nor 2 (64-bit)`);
  if (bytes[5] !== 1) return problem(`EI_DATA is ${bytes[5] ?? 'missing'}, not 1 (little endian)`);
  const headerSize = bits === 64 ? 64 : 52;
  if (bytes.length < headerSize) {
    return problem(`the file has ${bytes.length} bytes, the ELF${bits} header alone has ${headerSize}`);
  }
  const type = view.getUint16(16, true);
  if (type !== 2 && type !== 3)
    return problem(`e_type is ${type}, neither 2 (executable) nor 3 (shared object)`);
  const machine = view.getUint16(18, true);
  if (machine !== EM_386 && machine !== EM_X86_64) {
    return problem(`e_machine is ${machine}, neither 3 (80386) nor 62 (x86-64)`);
  }
  const word = (at: number) => (bits === 64 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true)));
  const entry = word(24);
  const tableAt = word(bits === 64 ? 32 : 28);
  const entrySize = view.getUint16(bits === 64 ? 54 : 42, true);
  const count = view.getUint16(bits === 64 ? 56 : 44, true);
  const expected = bits === 64 ? 56 : 32;
  if (count === 0) return problem('e_phnum is 0: there is nothing to load');
  if (entrySize !== expected) {
    return problem(`e_phentsize is ${entrySize}, an ELF${bits} program header has ${expected} bytes`);
  }
  if (tableAt + BigInt(count * expected) > BigInt(bytes.length)) {
    return problem(
      `e_phoff ${hex(tableAt)} with e_phnum ${count} ends at ${hex(tableAt + BigInt(count * expected))}, behind the file's ${hex(bytes.length)} bytes`,
    );
  }
  const segments: ElfSegment[] = [];
  for (let index = 0; index < count; index++) {
    const at = Number(tableAt) + index * expected;
    if (view.getUint32(at, true) !== PT_LOAD) continue;
    const segment = readSegment(bytes, view, at, index, bits);
    if ('problem' in segment) return segment;
    if (segment.memorySize > 0n) segments.push(segment);
  }
  const wrong = checkSegments(segments, entry);
  return wrong ?? { bits, entry, segments };
}

function readSegment(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  index: number,
  bits: 32 | 64,
): ElfSegment | ImageProblem {
  const wide = bits === 64;
  const word = (offset: number) =>
    wide ? view.getBigUint64(at + offset, true) : BigInt(view.getUint32(at + offset, true));
  const offset = word(wide ? 8 : 4);
  const virtual = word(wide ? 16 : 8);
  const physical = word(wide ? 24 : 12);
  const fileSize = word(wide ? 32 : 16);
  const memorySize = word(wide ? 40 : 20);
  const flags = view.getUint32(at + (wide ? 4 : 24), true);
  const name = `program header ${index}`;
  if (fileSize > memorySize) {
    return problem(`${name}: p_filesz ${hex(fileSize)} is larger than p_memsz ${hex(memorySize)}`);
  }
  if (memorySize > LARGEST_SEGMENT) {
    return problem(`${name}: p_memsz ${hex(memorySize)} is beyond ${hex(LARGEST_SEGMENT)} (64 GiB)`);
  }
  if (offset + fileSize > BigInt(bytes.length)) {
    return problem(
      `${name}: p_offset ${hex(offset)} with p_filesz ${hex(fileSize)} ends behind the file's ${hex(bytes.length)} bytes`,
    );
  }
  if (physical + memorySize > 1n << BigInt(bits)) {
    return problem(
      `${name}: p_paddr ${hex(physical)} with p_memsz ${hex(memorySize)} wraps around 2^${bits}`,
    );
  }
  return {
    index,
    physical,
    virtual,
    bytes: bytes.subarray(Number(offset), Number(offset + fileSize)),
    memorySize,
    executable: (flags & 1) !== 0,
  };
}

function checkSegments(segments: readonly ElfSegment[], entry: bigint): ImageProblem | null {
  if (segments.length === 0) return problem('no PT_LOAD segment has any memory: there is nothing to load');
  const sorted = [...segments].sort((a, b) => (a.physical < b.physical ? -1 : 1));
  for (let i = 1; i < sorted.length; i++) {
    const before = sorted[i - 1]!;
    const after = sorted[i]!;
    if (after.physical >= before.physical + before.memorySize) continue;
    return problem(
      `program headers ${before.index} and ${after.index} overlap in physical memory at ${hex(after.physical)}`,
    );
  }
  const inside = (start: bigint, size: bigint) => entry >= start && entry < start + size;
  if (!segments.some((s) => inside(s.virtual, s.memorySize) || inside(s.physical, s.memorySize))) {
    const first = sorted[0]!;
    const range = formatRange({ start: first.physical, end: first.physical + first.memorySize });
    return problem(`e_entry ${hex(entry)} is in no PT_LOAD segment; the first is ${range}`);
  }
  return null;
}

function problem(text: string): ImageProblem {
  return { problem: text };
}
