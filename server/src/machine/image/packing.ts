/** How an image is packed, by its magic number (boot.rst, payload_offset; lib/decompress.c of Linux; lzop's header). */

export type Packing = 'gzip' | 'LZ4' | 'xz' | 'zstd' | 'bzip2' | 'LZMA' | 'LZO';

interface Magic {
  readonly packing: Packing;
  readonly bytes: readonly number[];
  /** Too short to tell a file by; the payload of a kernel is one of these anyway. */
  readonly payloadOnly?: true;
}

const MAGICS: readonly Magic[] = [
  { packing: 'gzip', bytes: [0x1f, 0x8b] },
  { packing: 'LZ4', bytes: [0x02, 0x21, 0x4c, 0x18] },
  { packing: 'LZ4', bytes: [0x04, 0x22, 0x4d, 0x18] },
  { packing: 'xz', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { packing: 'zstd', bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { packing: 'bzip2', bytes: [0x42, 0x5a, 0x68] },
  { packing: 'LZO', bytes: [0x89, 0x4c, 0x5a, 0x4f] },
  { packing: 'LZMA', bytes: [0x5d, 0x00, 0x00], payloadOnly: true },
];

/** Null where the bytes begin with no known magic number. */
export function packingOf(bytes: Uint8Array, of: 'file' | 'payload'): Packing | null {
  const found = MAGICS.find(
    (magic) =>
      (of === 'payload' || magic.payloadOnly === undefined) &&
      magic.bytes.every((byte, index) => bytes[index] === byte),
  );
  return found?.packing ?? null;
}
