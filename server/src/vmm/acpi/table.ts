/** An ACPI table before it has a place in memory: its bytes, what they point to, and where its checksums are. */
import { acpiTable, type AcpiMaker } from './header';

export interface AcpiPointer {
  /** Of the field in the table that holds the address; its bytes are 0 until the tables are placed. */
  readonly offset: number;
  readonly size: 4 | 8;
  readonly to: AcpiTable;
}

/** The byte at `at` makes the sum of `length` bytes from the start 0. */
export interface AcpiChecksum {
  readonly at: number;
  readonly length: number;
}

export interface AcpiTable {
  readonly bytes: Uint8Array;
  readonly alignment: number;
  readonly pointers: readonly AcpiPointer[];
  /** In the order in which they are to be computed. */
  readonly checksums: readonly AcpiChecksum[];
}

const CHECKSUM = 9;
const ALIGNMENT = 16;

/** A table with the common header; `fill` writes what comes behind it. */
export function tableOf(
  signature: string,
  revision: number,
  maker: AcpiMaker,
  length: number,
  fill: (view: DataView, bytes: Uint8Array) => void,
  pointers: readonly AcpiPointer[] = [],
): AcpiTable {
  const bytes = acpiTable(signature, maker, length);
  bytes[8] = revision;
  fill(new DataView(bytes.buffer), bytes);
  return { bytes, alignment: ALIGNMENT, pointers, checksums: [{ at: CHECKSUM, length }] };
}
