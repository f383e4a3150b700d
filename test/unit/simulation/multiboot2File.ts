/** Makes Multiboot2 kernels that need no ELF file: a header with an address tag and an entry address tag, then code. */

export interface HeaderTag {
  readonly type: number;
  readonly optional?: boolean;
  readonly words: readonly number[];
  /** A size that lies. */
  readonly size?: number;
}

export interface Multiboot2Fields {
  readonly architecture: number;
  /** Added to the right header length and checksum. */
  readonly lengthError: number;
  readonly checksumError: number;
  /** Further tags before the end tag. */
  readonly tags: readonly HeaderTag[];
  /** In place of the address and entry address tags. */
  readonly loadTags: readonly HeaderTag[];
  readonly endTag: boolean;
}

export const LOADED2 = 0x200000;
const MAGIC = 0xe85250d6;

/** Bytes of the header that `multiboot2File` makes without further tags: fixed part, address, entry address, end. */
export const HEADER2 = 16 + 24 + 16 + 8;
export const ENTRY2 = LOADED2 + HEADER2;

export const ADDRESS_TAGS: readonly HeaderTag[] = [
  { type: 2, words: [LOADED2, LOADED2, 0, 0] },
  { type: 3, words: [ENTRY2] },
];

function tagBytes({ type, optional = false, words, size }: HeaderTag): number[] {
  const length = 8 + 4 * words.length;
  const view = new DataView(new ArrayBuffer((length + 7) & ~7));
  view.setUint16(0, type, true);
  view.setUint16(2, optional ? 1 : 0, true);
  view.setUint32(4, size ?? length, true);
  words.forEach((word, index) => view.setUint32(8 + 4 * index, word >>> 0, true));
  return [...new Uint8Array(view.buffer)];
}

export function multiboot2File(
  code: Uint8Array,
  { architecture = 0, lengthError = 0, checksumError = 0, ...more }: Partial<Multiboot2Fields> = {},
  at = 0,
): Uint8Array {
  const { tags = [], loadTags = ADDRESS_TAGS, endTag = true } = more;
  const all = [...loadTags, ...tags, ...(endTag ? [{ type: 0, words: [] }] : [])].flatMap(tagBytes);
  const length = 16 + all.length + lengthError;
  const file = new Uint8Array(at + 16 + all.length + code.length);
  const view = new DataView(file.buffer);
  [MAGIC, architecture, length, -(MAGIC + architecture + length) + checksumError].forEach((word, index) =>
    view.setUint32(at + 4 * index, word >>> 0, true),
  );
  file.set(all, at + 16);
  file.set(code, at + 16 + all.length);
  return file;
}
