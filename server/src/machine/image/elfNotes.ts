/** Notes of an ELF file: what a linker says about a program to whoever loads it (System V gABI, chapter 5, Note Section). */
import { hex } from '../../address/format';
import { parseElfHeader, PT_NOTE, type ElfHeader } from './elfHeader';
import { sectionHeaders, SHT_NOTE } from './elfSections';
import type { ImageProblem } from './problem';

export interface ElfNote {
  /** The name without its terminating zero: `Xen`, `GNU`. */
  readonly owner: string;
  readonly type: number;
  readonly descriptor: Uint8Array;
}

/** namesz, descsz, type: 4 bytes each in both classes. */
const HEADER_SIZE = 12;

/** The notes of the PT_NOTE segments, or where there are none of the SHT_NOTE sections, in the order of the table. */
export function elfNotes(bytes: Uint8Array): readonly ElfNote[] | ImageProblem {
  const header = parseElfHeader(bytes);
  if ('problem' in header) return header;
  const notes: ElfNote[] = [];
  for (const { name, offset, size, alignment } of noteAreas(bytes, header)) {
    if (offset + size > BigInt(bytes.length)) {
      return {
        problem: `${name}: notes from ${hex(offset)} to ${hex(offset + size)} end behind the file's ${hex(bytes.length)} bytes`,
      };
    }
    const area = bytes.subarray(Number(offset), Number(offset + size));
    // Everything is aligned to 4, and to 8 only where the table says so (gABI; .note.gnu.property on x86-64).
    const found = notesOf(area, alignment === 8n ? 8 : 4, name);
    if ('problem' in found) return found;
    notes.push(...found.list);
  }
  return notes;
}

interface NoteArea {
  /** For messages. */
  readonly name: string;
  readonly offset: bigint;
  readonly size: bigint;
  readonly alignment: bigint;
}

function noteAreas(bytes: Uint8Array, { programHeaders }: ElfHeader): NoteArea[] {
  const segments = programHeaders.filter(({ type }) => type === PT_NOTE);
  if (segments.length > 0) {
    return segments.map(({ index, offset, fileSize, alignment }) => ({
      name: `program header ${index}`,
      offset,
      size: fileSize,
      alignment,
    }));
  }
  // A loader does without sections: a table that lies is none.
  const sections = sectionHeaders(bytes);
  if ('problem' in sections) return [];
  return sections.list
    .filter(({ type }) => type === SHT_NOTE)
    .map(({ index, offset, size, alignment }) => ({
      name: `section header ${index}`,
      offset,
      size,
      alignment,
    }));
}

/** The notes of one segment or section; `name` is its, for messages. */
export function notesOf(
  area: Uint8Array,
  alignment: 4 | 8,
  name: string,
): { readonly list: readonly ElfNote[] } | ImageProblem {
  const list: ElfNote[] = [];
  const view = new DataView(area.buffer, area.byteOffset, area.byteLength);
  const aligned = (at: number) => Math.ceil(at / alignment) * alignment;
  let at = 0;
  // What is too short for a header is padding.
  while (at + HEADER_SIZE <= area.length) {
    const nameSize = view.getUint32(at, true);
    const descriptorSize = view.getUint32(at + 4, true);
    const descriptorAt = aligned(at + HEADER_SIZE + nameSize);
    const end = descriptorAt + descriptorSize;
    if (at + HEADER_SIZE + nameSize > area.length || (descriptorSize > 0 && end > area.length)) {
      return {
        problem: `${name}: the note at offset ${hex(at)} has n_namesz ${hex(nameSize)} and n_descsz ${hex(descriptorSize)}, more than the ${hex(area.length)} bytes of the notes`,
      };
    }
    list.push({
      owner: ownerText(area.subarray(at + HEADER_SIZE, at + HEADER_SIZE + nameSize)),
      type: view.getUint32(at + 8, true),
      descriptor: area.subarray(descriptorAt, end),
    });
    at = aligned(end);
  }
  return { list };
}

function ownerText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? Math.min(bytes.length, 64) : Math.min(end, 64)));
}
