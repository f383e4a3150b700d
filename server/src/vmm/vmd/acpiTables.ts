/**
 * The ACPI tables that vmd writes into guest memory from x86_vm.c rev 1.19 on (`acpi.c` rev 1.3, acpi_init): RSDP, XSDT
 * and MADT. Without a DSDT file there is no FADT and no FACS.
 */
import { acpiChecksum, acpiTable, putText, seal, type AcpiMaker } from '../acpi/header';
import { ioApic, localApic, madt } from '../acpi/madt';
import type { WriteMemory } from './firmwareLoad';
import type { VmdFacts } from './versions';

const RSDP_ADDRESS = 0x9d000n;
/** The word in the BIOS data area that gives the segment of the EBDA. */
const EBDA_POINTER = 0x40en;
const LOCAL_APIC_BASE = 0xfee00000n;
export const IOAPIC_BASE = 0xfec00000n;

const maker = (table: string): AcpiMaker => ({ oem: 'VMD   ', table, creator: 'VMD ' });

/** Where XSDT and MADT go: `acpi.h` of before and after the reserved ACPI area. */
interface AcpiPlace {
  readonly xsdt: bigint;
  readonly madt: bigint;
}

/** `acpi.h`: behind the RSDP at first, in the reserved area below the MMIO window from rev 1.27. */
export function acpiPlace({ acpi }: VmdFacts): AcpiPlace {
  return acpi ? { xsdt: acpi.start, madt: acpi.start + 0x1000n } : { xsdt: 0x9e000n, madt: 0x9f000n };
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
  write(place.madt, vmdMadt(vcpus));
  write(place.xsdt, xsdt([place.madt]));
  write(RSDP_ADDRESS, rsdp(place));
  const segment = Number(RSDP_ADDRESS >> 4n);
  write(EBDA_POINTER, Uint8Array.of(segment & 0xff, segment >> 8));
}

/** MADT: one I/O APIC, then a local APIC for each vCPU. */
function vmdMadt(vcpus: number): Uint8Array {
  const table = madt(maker('VMD MADT'), {
    revision: 1,
    localApic: LOCAL_APIC_BASE,
    pcAt: true,
    entries: [
      ioApic(vcpus + 1, IOAPIC_BASE, 0),
      ...Array.from({ length: vcpus }, (_, id) => localApic(id, id)),
    ],
  });
  return seal(table.bytes);
}

function xsdt(tables: readonly bigint[]): Uint8Array {
  const bytes = acpiTable('XSDT', maker('VMD XSDT'), 36 + 8 * tables.length);
  const view = new DataView(bytes.buffer);
  tables.forEach((table, index) => view.setBigUint64(36 + 8 * index, table, true));
  return seal(bytes);
}
