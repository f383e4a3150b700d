/** Kernels with a PVH entry: an ELF file whose Xen note says where to start (Xen, "x86/HVM direct boot ABI"). */
import { hex } from '../../address/format';
import { parseElf, type ElfImage } from './elf';
import { elfNotes, type ElfNote } from './elfNotes';
import type { ImageProblem } from './problem';

export interface PvhImage {
  /** Physical address of the first instruction, below 4 GiB. */
  readonly entry: bigint;
  readonly elf: ElfImage;
}

const OWNER = 'Xen';
/** XEN_ELFNOTE_PHYS32_ENTRY. */
const PHYS32_ENTRY = 18;
const FOUR_GIB = 1n << 32n;

/** True where the file has the entry's note, whatever it says. */
export function isPvh(bytes: Uint8Array): boolean {
  const notes = elfNotes(bytes);
  return !('problem' in notes) && notes.some(isEntryNote);
}

/** Reads a kernel. Every field that lies gives a problem that names it; nothing is thrown. */
export function parsePvh(bytes: Uint8Array): PvhImage | ImageProblem {
  const notes = elfNotes(bytes);
  if ('problem' in notes) return notes;
  const note = notes.find(isEntryNote);
  if (!note)
    return { problem: `the ELF file has no note of ${OWNER} with type ${PHYS32_ENTRY} (PHYS32_ENTRY)` };
  const entry = numberOf(note.descriptor);
  if (entry === null) {
    return {
      problem: `the PHYS32_ENTRY note has n_descsz ${note.descriptor.length}, neither 4 nor 8`,
    };
  }
  const elf = parseElf(bytes);
  if ('problem' in elf) return elf;
  if (entry >= FOUR_GIB) return { problem: `PHYS32_ENTRY ${hex(entry)} is above 4 GiB` };
  if (!elf.segments.some((s) => entry >= s.physical && entry < s.physical + BigInt(s.bytes.length))) {
    return { problem: `PHYS32_ENTRY ${hex(entry)} is in the bytes of no PT_LOAD segment` };
  }
  return { entry, elf };
}

function isEntryNote({ owner, type }: ElfNote): boolean {
  return owner === OWNER && type === PHYS32_ENTRY;
}

function numberOf(bytes: Uint8Array): bigint | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 4) return BigInt(view.getUint32(0, true));
  return bytes.length === 8 ? view.getBigUint64(0, true) : null;
}
