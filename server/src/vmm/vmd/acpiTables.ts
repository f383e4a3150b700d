/**
 * The ACPI tables that vmd writes into guest memory from x86_vm.c rev 1.19 on (`acpi.c` rev 1.3, acpi_init): RSDP, XSDT
 * and MADT. Without a DSDT file there is no FADT and no FACS.
 */
import type { WriteMemory } from './firmwareLoad';

export const RSDP_ADDRESS = 0x9d000n;
/** The word in the BIOS data area that gives the segment of the EBDA. */
const EBDA_POINTER = 0x40en;
const LOCAL_APIC_BASE = 0xfee00000;
export const IOAPIC_BASE = 0xfec00000n;

/** Where XSDT and MADT go: `acpi.h` of before and after the reserved ACPI area. */
export interface AcpiPlace {
  readonly xsdt: bigint;
  readonly madt: bigint;
}

function rsdp(place: AcpiPlace): Uint8Array {
  const bytes = new Uint8Array(36);
  const view = new DataView(bytes.buffer);
  put(bytes, 0, 'RSD PTR ');
  put(bytes, 9, 'VMD   ');
  bytes[15] = 2;
  view.setUint32(20, 36, true);
  view.setBigUint64(24, place.xsdt, true);
  bytes[8] = checksum(bytes.subarray(0, 20));
  bytes[32] = checksum(bytes);
  return bytes;
}

/** Writes RSDP, XSDT and MADT, and the EBDA pointer that leads to the RSDP. */
export function writeAcpiTables(vcpus: number, place: AcpiPlace, write: WriteMemory): void {
  write(place.madt, madt(vcpus));
  write(place.xsdt, xsdt([place.madt]));
  write(RSDP_ADDRESS, rsdp(place));
  const segment = Number(RSDP_ADDRESS >> 4n);
  write(EBDA_POINTER, Uint8Array.of(segment & 0xff, segment >> 8));
}

/** MADT: one I/O APIC, then a local APIC for each vCPU (ACPI 6.5, 5.2.12). */
function madt(vcpus: number): Uint8Array {
  const bytes = header('APIC', 'VMD MADT', 44 + 12 + 8 * vcpus);
  const view = new DataView(bytes.buffer);
  view.setUint32(36, LOCAL_APIC_BASE, true);
  view.setUint32(40, 1, true);
  bytes.set([1, 12, vcpus + 1, 0], 44);
  view.setUint32(48, Number(IOAPIC_BASE), true);
  view.setUint32(52, 0, true);
  for (let i = 0; i < vcpus; i++) bytes.set([0, 8, i, i, 1, 0, 0, 0], 56 + 8 * i);
  return seal(bytes);
}

function xsdt(tables: readonly bigint[]): Uint8Array {
  const bytes = header('XSDT', 'VMD XSDT', 36 + 8 * tables.length);
  const view = new DataView(bytes.buffer);
  tables.forEach((table, index) => view.setBigUint64(36 + 8 * index, table, true));
  return seal(bytes);
}

function header(signature: string, tableId: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  put(bytes, 0, signature);
  view.setUint32(4, length, true);
  bytes[8] = 1;
  put(bytes, 10, 'VMD   ');
  put(bytes, 16, tableId);
  view.setUint32(24, 1, true);
  put(bytes, 28, 'VMD ');
  view.setUint32(32, 1, true);
  return bytes;
}

function seal(bytes: Uint8Array): Uint8Array {
  bytes[9] = checksum(bytes);
  return bytes;
}

/** What makes the sum of all bytes 0, counting the checksum byte as it stands. */
function checksum(bytes: Uint8Array): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}

function put(bytes: Uint8Array, at: number, text: string): void {
  bytes.set(new TextEncoder().encode(text), at);
}
