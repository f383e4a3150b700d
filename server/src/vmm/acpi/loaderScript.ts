/**
 * ACPI tables as fw_cfg files with the script by which a firmware puts them into memory: QEMU's table loader, commands of 128
 * bytes that SeaBIOS and OVMF run (SeaBIOS src/fw/romfile_loader.h; OVMF AcpiPlatformDxe, QemuLoader.h).
 */
import { putText } from './header';
import { layOut, putPointer, type AcpiTableSet } from './place';
import type { AcpiTable } from './table';

const RSDP_FILE = 'etc/acpi/rsdp';
const TABLES_FILE = 'etc/acpi/tables';
const SCRIPT_FILE = 'etc/table-loader';
const COMMAND_LENGTH = 128;
const ALLOCATE = 1;
const ADD_POINTER = 2;
const ADD_CHECKSUM = 3;
/** Anywhere below 4 GiB; in the F segment, where operating systems look for the RSDP. */
const ZONE_HIGH = 1;
const ZONE_F_SEGMENT = 2;
const FIRST_NAME = 4;
const SECOND_NAME = 60;

export interface LoaderFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Pointers in the files are offsets into the file that they point into; the script makes addresses of them. */
export function loaderFiles(set: AcpiTableSet): LoaderFile[] {
  const { offsets, length } = layOut(set.tables);
  const offsetOf = (table: AcpiTable) => offsets.get(table) ?? 0;
  const tables = new Uint8Array(length);
  for (const table of set.tables) tables.set(linked(table, offsetOf), offsetOf(table));
  const alignment = Math.max(...set.tables.map((table) => table.alignment));
  const places = [
    ...set.tables.map((table) => [table, TABLES_FILE] as const),
    [set.rsdp, RSDP_FILE] as const,
  ];
  const base = (table: AcpiTable) => (table === set.rsdp ? 0 : offsetOf(table));
  const commands = [
    allocate(RSDP_FILE, set.rsdp.alignment, ZONE_F_SEGMENT),
    allocate(TABLES_FILE, alignment, ZONE_HIGH),
    ...places.flatMap(([table, file]) =>
      table.pointers.map(({ offset, size }) => addPointer(file, base(table) + offset, size)),
    ),
    ...places.flatMap(([table, file]) =>
      table.checksums.map((sum) => addChecksum(file, base(table) + sum.at, base(table), sum.length)),
    ),
  ];
  const script = new Uint8Array(commands.length * COMMAND_LENGTH);
  commands.forEach((command, index) => script.set(command, index * COMMAND_LENGTH));
  return [
    { name: RSDP_FILE, bytes: linked(set.rsdp, offsetOf) },
    { name: TABLES_FILE, bytes: tables },
    { name: SCRIPT_FILE, bytes: script },
  ];
}

function linked(table: AcpiTable, offsetOf: (table: AcpiTable) => number): Uint8Array {
  const bytes = table.bytes.slice();
  for (const { offset, size, to } of table.pointers) putPointer(bytes, offset, size, BigInt(offsetOf(to)));
  return bytes;
}

function command(code: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(COMMAND_LENGTH);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, code, true);
  return { bytes, view };
}

function allocate(file: string, alignment: number, zone: number): Uint8Array {
  const { bytes, view } = command(ALLOCATE);
  putText(bytes, FIRST_NAME, file);
  view.setUint32(60, alignment, true);
  bytes[64] = zone;
  return bytes;
}

/** Every pointer is to something in the file of the tables. */
function addPointer(file: string, offset: number, size: number): Uint8Array {
  const { bytes, view } = command(ADD_POINTER);
  putText(bytes, FIRST_NAME, file);
  putText(bytes, SECOND_NAME, TABLES_FILE);
  view.setUint32(116, offset, true);
  bytes[120] = size;
  return bytes;
}

function addChecksum(file: string, at: number, start: number, length: number): Uint8Array {
  const { bytes, view } = command(ADD_CHECKSUM);
  putText(bytes, FIRST_NAME, file);
  view.setUint32(60, at, true);
  view.setUint32(64, start, true);
  view.setUint32(68, length, true);
  return bytes;
}
