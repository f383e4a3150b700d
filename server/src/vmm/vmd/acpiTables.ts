/**
 * The ACPI tables that vmd writes into guest memory from x86_vm.c rev 1.19 on (`acpi.c` rev 1.3, acpi_init): RSDP, XSDT
 * and MADT. Without a DSDT file there is no FADT and no FACS.
 */
import { acpiChecksum, acpiTable, putText, seal, type AcpiMaker } from '../acpi/header';
import type { WriteMemory } from './firmwareLoad';

export const RSDP_ADDRESS = 0x9d000n;
/** The word in the BIOS data area that gives the segment of the EBDA. */
const EBDA_POINTER = 0x40en;
const LOCAL_APIC_BASE = 0xfee00000;
export const IOAPIC_BASE = 0xfec00000n;

const maker = (table: string): AcpiMaker => ({ oem: 'VMD   ', table, creator: 'VMD ' });

/** Where XSDT and MADT go: `acpi.h` of before and after the reserved ACPI area. */
export interface AcpiPlace {
  readonly xsdt: bigint;
  readonly madt: bigint;
}

function rsdp(place: AcpiPlace): Uint8Array {
  const bytes = new Uint8Array(36);
  const view = new DataView(bytes.buffer);
  putText(bytes, 0, 'RSD PTR ');
  putText(bytes, 9, 'VMD   ');
  bytes[15] = 2;
  view.setUint32(20, 36, true);
  view.setBigUint64(24, place.xsdt, true);
  bytes[8] = acpiChecksum(bytes.subarray(0, 20));
  bytes[32] = acpiChecksum(bytes);
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
  const bytes = acpiTable('APIC', maker('VMD MADT'), 44 + 12 + 8 * vcpus);
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
  const bytes = acpiTable('XSDT', maker('VMD XSDT'), 36 + 8 * tables.length);
  const view = new DataView(bytes.buffer);
  tables.forEach((table, index) => view.setBigUint64(36 + 8 * index, table, true));
  return seal(bytes);
}
