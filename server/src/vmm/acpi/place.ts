/** Gives ACPI tables their places: in guest memory by the VMM, or in files that a firmware puts into memory. */
import { acpiChecksum } from './header';
import type { AcpiTable } from './table';

export interface AcpiTableSet {
  readonly rsdp: AcpiTable;
  /** All others. */
  readonly tables: readonly AcpiTable[];
}

/** Offsets of the tables one after the other, each at its alignment, and the length of all. */
export function layOut(tables: readonly AcpiTable[]): {
  offsets: ReadonlyMap<AcpiTable, number>;
  length: number;
} {
  const offsets = new Map<AcpiTable, number>();
  let length = 0;
  for (const table of tables) {
    const at = Math.ceil(length / table.alignment) * table.alignment;
    offsets.set(table, at);
    length = at + table.bytes.length;
  }
  return { offsets, length };
}

/** Writes the RSDP to `rsdp` and the others from `tables` on, which are multiples of 64 below 4 GiB. */
export function placeTables(
  set: AcpiTableSet,
  at: { readonly rsdp: bigint; readonly tables: bigint },
  write: (address: bigint, bytes: Uint8Array) => boolean,
): void {
  const { offsets } = layOut(set.tables);
  const address = (table: AcpiTable) =>
    table === set.rsdp ? at.rsdp : at.tables + BigInt(offsets.get(table) ?? 0);
  writeTables([...set.tables, set.rsdp], address, write);
}

/** Writes tables in this order, each to its own address below 4 GiB; false where a byte of one is outside RAM. */
export function writeTables(
  tables: readonly AcpiTable[],
  address: (table: AcpiTable) => bigint,
  write: (address: bigint, bytes: Uint8Array) => boolean,
): boolean {
  return tables.map((table) => write(address(table), resolved(table, address))).every((written) => written);
}

function resolved(table: AcpiTable, address: (table: AcpiTable) => bigint): Uint8Array {
  const bytes = table.bytes.slice();
  for (const pointer of table.pointers) putPointer(bytes, pointer.offset, pointer.size, address(pointer.to));
  for (const { at, length } of table.checksums) bytes[at] = acpiChecksum(bytes.subarray(0, length));
  return bytes;
}

export function putPointer(bytes: Uint8Array, offset: number, size: 4 | 8, value: bigint): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (size === 4) view.setUint32(offset, Number(value), true);
  else view.setBigUint64(offset, value, true);
}
