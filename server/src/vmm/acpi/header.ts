/** The header that ACPI tables share, and their checksum (ACPI 6.5, 5.2.6). */

/** Who made a table, padded as it is written: OEM ID 6 characters, table ID 8, creator 4. */
export interface AcpiMaker {
  readonly oem: string;
  readonly table: string;
  readonly creator: string;
  /** 1 where a VMM says nothing else. */
  readonly creatorRevision?: number;
}

/** A table of `length` bytes with its header; other revisions are 1, the checksum is left to `seal`. */
export function acpiTable(signature: string, maker: AcpiMaker, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  putText(bytes, 0, signature);
  view.setUint32(4, length, true);
  bytes[8] = 1;
  putText(bytes, 10, maker.oem);
  putText(bytes, 16, maker.table);
  view.setUint32(24, 1, true);
  putText(bytes, 28, maker.creator);
  view.setUint32(32, maker.creatorRevision ?? 1, true);
  return bytes;
}

/** Sets the header's checksum. */
export function seal(bytes: Uint8Array): Uint8Array {
  bytes[9] = acpiChecksum(bytes);
  return bytes;
}

/** What makes the sum of all bytes 0, counting the checksum byte as it stands. */
export function acpiChecksum(bytes: Uint8Array): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}

export function putText(bytes: Uint8Array, at: number, text: string): void {
  bytes.set(new TextEncoder().encode(text), at);
}
