/** Makes Multiboot kernels that need no ELF file: the header with address fields, then code. */

export interface MultibootFields {
  readonly flags: number;
  readonly checksum: number;
  readonly header: number;
  readonly load: number;
  readonly loadEnd: number;
  readonly bssEnd: number;
  readonly entry: number;
}

/** Where the file is loaded by default. */
export const LOADED = 0x100000;
const MAGIC = 0x1badb002;
const HEADER_SIZE = 32;
export const ENTRY = LOADED + HEADER_SIZE;

/** A kernel of `code` behind a right header at the start of the file, but for the fields that are given. */
export function multibootFile(code: Uint8Array, fields: Partial<MultibootFields> = {}, at = 0): Uint8Array {
  const flags = fields.flags ?? 0x10000;
  const file = new Uint8Array(at + HEADER_SIZE + code.length);
  const view = new DataView(file.buffer);
  [
    MAGIC,
    flags,
    fields.checksum ?? -(MAGIC + flags),
    fields.header ?? LOADED + at,
    fields.load ?? LOADED,
    fields.loadEnd ?? 0,
    fields.bssEnd ?? 0,
    fields.entry ?? ENTRY + at,
  ].forEach((value, index) => view.setUint32(at + 4 * index, value >>> 0, true));
  file.set(code, at + HEADER_SIZE);
  return file;
}
