/** ELF32 and ELF64 executables for x86: the segments to load (System V ABI, gABI chapter 5). */
import { formatRange, hex } from '../../address/format';
import { parseElfHeader, PT_LOAD, type ProgramHeader } from './elfHeader';
import type { ImageProblem } from './problem';

export { isElf } from './elfHeader';

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

/** No segment of a kernel is larger; a larger number is a lie. */
const LARGEST_SEGMENT = 1n << 36n;

/** Reads an executable. Every field that lies gives a problem that names it; nothing is thrown. */
export function parseElf(bytes: Uint8Array): ElfImage | ImageProblem {
  const header = parseElfHeader(bytes);
  if ('problem' in header) return header;
  const { bits, entry } = header;
  const segments: ElfSegment[] = [];
  for (const program of header.programHeaders) {
    if (program.type !== PT_LOAD) continue;
    const segment = readSegment(bytes, program, bits);
    if ('problem' in segment) return segment;
    if (segment.memorySize > 0n) segments.push(segment);
  }
  return checkSegments(segments, entry) ?? { bits, entry, segments };
}

/** `e_entry` may be a virtual address; where it lies in an executable segment its physical one counts, as loaders do it. */
export function physicalEntry({ entry, segments }: ElfImage): bigint {
  const inside = segments.find(
    (s) => s.executable && entry >= s.virtual && entry < s.virtual + BigInt(s.bytes.length),
  );
  return inside ? entry - inside.virtual + inside.physical : entry;
}

function readSegment(bytes: Uint8Array, program: ProgramHeader, bits: 32 | 64): ElfSegment | ImageProblem {
  const { index, offset, virtual, physical, fileSize, memorySize, flags } = program;
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
