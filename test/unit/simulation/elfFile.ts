/** Makes small ELF files, right or wrong. */

export interface ElfOptions {
  readonly bits?: 32 | 64;
  readonly entry: bigint;
  readonly segments: readonly {
    readonly physical: bigint;
    readonly virtual: bigint;
    readonly bytes: Uint8Array;
    readonly memorySize?: bigint;
  }[];
  /** The last touch, on the finished file. */
  readonly patch?: (file: DataView) => void;
}

export function elfFile({ bits = 64, entry, segments, patch }: ElfOptions): Uint8Array {
  const wide = bits === 64;
  const headerSize = wide ? 64 : 52;
  const entrySize = wide ? 56 : 32;
  const dataAt = headerSize + entrySize * segments.length;
  const file = new Uint8Array(dataAt + segments.reduce((sum, { bytes }) => sum + bytes.length, 0));
  const view = new DataView(file.buffer);
  const word = (at: number, value: bigint | number) => {
    if (wide) view.setBigUint64(at, BigInt(value), true);
    else view.setUint32(at, Number(value), true);
  };
  file.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, wide ? 62 : 3, true);
  word(24, entry);
  word(wide ? 32 : 28, headerSize);
  view.setUint16(wide ? 54 : 42, entrySize, true);
  view.setUint16(wide ? 56 : 44, segments.length, true);
  let at = dataAt;
  segments.forEach(({ physical, virtual, bytes, memorySize }, index) => {
    const header = headerSize + index * entrySize;
    view.setUint32(header, 1, true);
    view.setUint32(header + (wide ? 4 : 24), 5, true);
    const fields = [at, virtual, physical, bytes.length, memorySize ?? bytes.length];
    fields.forEach((value, field) => word(header + (wide ? 8 + field * 8 : 4 + field * 4), value));
    file.set(bytes, at);
    at += bytes.length;
  });
  patch?.(view);
  return file;
}
