/** Makes ELF files with notes. */
import { elfFile } from '../simulation/elfFile';

export interface NoteFields {
  readonly owner: string;
  readonly type: number;
  readonly descriptor: Uint8Array;
}

/** A little-endian number of 4 or 8 bytes. */
export function number(value: bigint, size: 4 | 8): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

/** Notes as they stand in a segment, each part at a multiple of `alignment` bytes. */
export function noteBytes(notes: readonly NoteFields[], alignment = 4): Uint8Array {
  const bytes: number[] = [];
  const pad = () => {
    while (bytes.length % alignment !== 0) bytes.push(0);
  };
  for (const { owner, type, descriptor } of notes) {
    const name = new TextEncoder().encode(owner + '\0');
    bytes.push(
      ...number(BigInt(name.length), 4),
      ...number(BigInt(descriptor.length), 4),
      ...number(BigInt(type), 4),
    );
    bytes.push(...name);
    pad();
    bytes.push(...descriptor);
    pad();
  }
  return Uint8Array.from(bytes);
}

const CODE_AT = 0x100000n;

/**
 * A kernel of `code` at 1 MiB whose second segment holds the notes: as PT_NOTE, or with `sections` as an SHT_NOTE section
 * and no segment.
 */
export function noteFile(
  notes: Uint8Array,
  options: { bits?: 32 | 64; code?: Uint8Array; sections?: boolean; alignment?: bigint } = {},
): Uint8Array {
  const { bits = 64, code = Uint8Array.of(0xf4), sections = false, alignment = 4n } = options;
  const wide = bits === 64;
  const headerSize = wide ? 64 : 52;
  const entrySize = wide ? 56 : 32;
  const file = elfFile({
    bits,
    entry: CODE_AT,
    segments: [
      { physical: CODE_AT, virtual: CODE_AT, bytes: code },
      { physical: CODE_AT + 0x10000n, virtual: 0n, bytes: notes },
    ],
    patch: (view) => {
      const second = headerSize + entrySize;
      view.setUint32(second, sections ? 0 : 4, true);
      if (wide) view.setBigUint64(second + 48, alignment, true);
      else view.setUint32(second + 28, Number(alignment), true);
    },
  });
  return sections ? withNoteSection(file, file.length - notes.length, notes.length, wide) : file;
}

/** Appends a section header table with one note section. */
function withNoteSection(file: Uint8Array, offset: number, size: number, wide: boolean): Uint8Array {
  const entry = wide ? 64 : 40;
  const longer = new Uint8Array(file.length + entry);
  longer.set(file);
  const view = new DataView(longer.buffer);
  const word = (at: number, value: number) => {
    if (wide) view.setBigUint64(at, BigInt(value), true);
    else view.setUint32(at, value, true);
  };
  word(wide ? 40 : 32, file.length);
  view.setUint16(wide ? 58 : 46, entry, true);
  view.setUint16(wide ? 60 : 48, 1, true);
  view.setUint32(file.length + 4, 7, true);
  word(file.length + (wide ? 24 : 16), offset);
  word(file.length + (wide ? 32 : 20), size);
  return longer;
}
