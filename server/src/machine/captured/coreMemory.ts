/** The memory in a core: what its PT_LOAD headers hold, by physical address (gABI, chapter 5). */
import { formatRange, hex } from '../../address/format';
import { PT_LOAD, PT_NOTE, type ProgramHeader } from '../image/elfHeader';
import type { CapturedMemory, CaptureProblem } from './capturedState';

/** Physical addresses have 52 bits at most (SDM vol. 3, 4.1.4). */
const PHYSICAL_END = 1n << 52n;
/** QEMU writes about ten; each becomes a slot of the emulator. */
const MOST_PIECES = 1000;

/** A problem where a header that is read leads out of the file, or null. */
export function truncation(bytes: Uint8Array, headers: readonly ProgramHeader[]): CaptureProblem | null {
  const wrong = headers.find(
    ({ type, offset, fileSize }) =>
      (type === PT_LOAD || type === PT_NOTE) && offset + fileSize > BigInt(bytes.length),
  );
  return wrong
    ? {
        problem: `program header ${wrong.index}: p_offset ${hex(wrong.offset)} with p_filesz ${hex(wrong.fileSize)} ends behind the file's ${hex(bytes.length)} bytes: the dump is truncated`,
      }
    : null;
}

/** Sorted. */
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
