/** The tables that lead to all others: RSDP, RSDT and XSDT (ACPI 6.5, 5.2.5, 5.2.7 and 5.2.8). */
import { putText, type AcpiMaker } from './header';
import { tableOf, type AcpiPointer, type AcpiTable } from './table';

const HEADER = 36;
const RSDP_LENGTH = 36;
/** The part of ACPI 1.0, which has a checksum of its own. */
const RSDP_FIRST_PART = 20;

/** Revision 2, with both pointers. */
export function rsdp(oem: string, rsdtTable: AcpiTable, xsdtTable: AcpiTable): AcpiTable {
  const bytes = new Uint8Array(RSDP_LENGTH);
  putText(bytes, 0, 'RSD PTR ');
  putText(bytes, 9, oem);
  bytes[15] = 2;
  new DataView(bytes.buffer).setUint32(20, RSDP_LENGTH, true);
  return {
    bytes,
    alignment: 16,
    pointers: [
      { offset: 16, size: 4, to: rsdtTable },
      { offset: 24, size: 8, to: xsdtTable },
    ],
    checksums: [
      { at: 8, length: RSDP_FIRST_PART },
      { at: 32, length: RSDP_LENGTH },
    ],
  };
}

export function rsdt(maker: AcpiMaker, tables: readonly AcpiTable[]): AcpiTable {
  return root('RSDT', maker, tables, 4);
}

export function xsdt(maker: AcpiMaker, tables: readonly AcpiTable[]): AcpiTable {
  return root('XSDT', maker, tables, 8);
}

function root(signature: string, maker: AcpiMaker, tables: readonly AcpiTable[], size: 4 | 8): AcpiTable {
  const pointers = tables.map((to, index): AcpiPointer => ({ offset: HEADER + size * index, size, to }));
  return tableOf(signature, 1, maker, HEADER + size * tables.length, () => undefined, pointers);
}
