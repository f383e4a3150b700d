/** What a Multiboot header says to load, in the ways that both versions of the specification share. */
import { hex } from '../../address/format';
import { isElf, parseElf, physicalEntry } from './elf';
import type { ImageProblem } from './problem';

const FOUR_GIB = 1n << 32n;

export interface MultibootSegment {
  readonly physical: bigint;
  /** The bytes from the file; zeroes follow up to `memorySize`. */
  readonly bytes: Uint8Array;
  readonly memorySize: bigint;
}

export interface MultibootLoad {
  /** Physical address of the first instruction. */
  readonly entry: bigint;
  readonly segments: readonly MultibootSegment[];
}

/** The address fields by the names of the specification: physical addresses. */
export interface AddressFields {
  readonly header: number;
  readonly load: number;
  /** 0: up to the end of the file. */
  readonly loadEnd: number;
  /** 0: no bss. */
  readonly bssEnd: number;
  readonly entry: number;
}

/** Text and data in one piece of the file; `at` is the offset of the header. */
export function loadByAddresses(
  bytes: Uint8Array,
  at: number,
  { header, load, loadEnd, bssEnd, entry }: AddressFields,
): MultibootLoad | ImageProblem {
  if (load > header) return problem(`load_addr ${hex(load)} is above header_addr ${hex(header)}`);
  const offset = at - (header - load);
  if (offset < 0) {
    return problem(
      `load_addr ${hex(load)} lies ${hex(header - load)} below header_addr, but the header is at ${hex(at)} of the file`,
    );
  }
  if (loadEnd !== 0 && loadEnd < load)
    return problem(`load_end_addr ${hex(loadEnd)} is below load_addr ${hex(load)}`);
  const size = loadEnd === 0 ? bytes.length - offset : loadEnd - load;
  if (offset + size > bytes.length) {
    return problem(
      `load_end_addr ${hex(loadEnd)} is ${hex(offset + size - bytes.length)} bytes behind the file's end`,
    );
  }
  const end = load + size;
  if (bssEnd !== 0 && bssEnd < end)
    return problem(`bss_end_addr ${hex(bssEnd)} is below the end of data ${hex(end)}`);
  const memoryEnd = bssEnd === 0 ? end : bssEnd;
  if (entry < load || entry >= memoryEnd) {
    return problem(`entry_addr ${hex(entry)} is outside what is loaded, ${hex(load)} to ${hex(memoryEnd)}`);
  }
  const segment = {
    physical: BigInt(load),
    bytes: bytes.subarray(offset, offset + size),
    memorySize: BigInt(memoryEnd - load),
  };
  return { entry: BigInt(entry), segments: [segment] };
}

/** What an ELF file says; `otherwise` is the problem of a file that is none. */
export function loadElf(bytes: Uint8Array, otherwise: string): MultibootLoad | ImageProblem {
  if (!isElf(bytes)) return problem(otherwise);
  const elf = parseElf(bytes);
  if ('problem' in elf) return elf;
  for (const { index, physical, memorySize } of elf.segments) {
    if (physical + memorySize <= FOUR_GIB) continue;
    return problem(
      `program header ${index}: p_paddr ${hex(physical)} with p_memsz ${hex(memorySize)} ends above 4 GiB`,
    );
  }
  const entry = physicalEntry(elf);
  return entry < FOUR_GIB
    ? { entry, segments: elf.segments }
    : problem(`e_entry ${hex(entry)} is above 4 GiB`);
}

function problem(text: string): ImageProblem {
  return { problem: text };
}
