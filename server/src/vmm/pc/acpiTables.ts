/** ACPI tables of the plain PC in the BIOS segment, where operating systems look for them: ACPI 1.0 layouts, as SeaBIOS leaves. */
import { acpiChecksum, acpiTable, putText, seal } from '../acpiTable';
import { BIOS_SEGMENT, IOAPIC_BASE, LOCAL_APIC_BASE } from './layout';
import type { WriteMemory } from '../loaders/loader';
import { PM_BASE, pmPlace, SCI } from './powerManagement';

const PM = pmPlace(PM_BASE);

const MAKER = { oem: 'BOOTPT', table: 'PLAINPC ', creator: 'BTPT' } as const;
/** The SCI is active high and level triggered at the I/O APIC. */
const ACTIVE_HIGH_LEVEL = 0xd;
/** WBINVD works, C1 on every processor, no fixed power button, sleep button or RTC wake. */
const FADT_FLAGS = 0x01 | 0x04 | 0x10 | 0x20 | 0x40;
/** AML of Name(\_S5_, Package() {0, 0, 0, 0}): SLP_TYP 0 turns off. */
const S5 = [0x08, 0x5c, 0x5f, 0x53, 0x35, 0x5f, 0x12, 0x06, 0x04, 0x00, 0x00, 0x00, 0x00];

export function writeAcpiTables(vcpus: number, write: WriteMemory): void {
  let next = BIOS_SEGMENT.start + 0x100n;
  const place = (bytes: Uint8Array): number => {
    // FACS wants 64 bytes.
    const at = (next + 63n) & ~63n;
    write(at, bytes);
    next = at + BigInt(bytes.length);
    return Number(at);
  };
  const dsdtAt = place(dsdt());
  const facsAt = place(facs());
  const tables = [place(fadt(facsAt, dsdtAt)), place(madt(vcpus))];
  write(BIOS_SEGMENT.start, rsdp(place(rsdt(tables))));
}

/** Revision 0, 20 bytes (ACPI 1.0b, 5.2.4). */
function rsdp(rsdtAt: number): Uint8Array {
  const bytes = new Uint8Array(20);
  putText(bytes, 0, 'RSD PTR ');
  putText(bytes, 9, 'BOOTPT');
  new DataView(bytes.buffer).setUint32(16, rsdtAt, true);
  bytes[8] = acpiChecksum(bytes);
  return bytes;
}

function rsdt(tables: readonly number[]): Uint8Array {
  const bytes = acpiTable('RSDT', MAKER, 36 + 4 * tables.length);
  const view = new DataView(bytes.buffer);
  tables.forEach((table, index) => view.setUint32(36 + 4 * index, table, true));
  return seal(bytes);
}

function dsdt(): Uint8Array {
  const bytes = acpiTable('DSDT', MAKER, 36 + S5.length);
  bytes.set(S5, 36);
  return seal(bytes);
}

function facs(): Uint8Array {
  const bytes = new Uint8Array(64);
  putText(bytes, 0, 'FACS');
  new DataView(bytes.buffer).setUint32(4, 64, true);
  return bytes;
}

/** ACPI 1.0b, 5.2.5. There is no SMI command port: SCI_EN is set from the start. */
function fadt(facsAt: number, dsdtAt: number): Uint8Array {
  const bytes = acpiTable('FACP', MAKER, 116);
  const view = new DataView(bytes.buffer);
  const words: readonly (readonly [offset: number, value: number])[] = [
    [36, facsAt],
    [40, dsdtAt],
    [56, PM.event],
    [64, PM.control],
    [76, PM.timer],
    [112, FADT_FLAGS],
  ];
  for (const [offset, value] of words) view.setUint32(offset, value, true);
  bytes[44] = 1; // INT_MODEL: APICs
  view.setUint16(46, SCI, true);
  bytes[88] = 4; // PM1_EVT_LEN
  bytes[89] = 2; // PM1_CNT_LEN
  bytes[91] = 4; // PM_TM_LEN
  view.setUint16(96, 0xfff, true); // no C2
  view.setUint16(98, 0xfff, true); // no C3
  bytes[108] = 0x32; // CMOS index of the century
  return seal(bytes);
}

/** Local APICs, the I/O APIC, IRQ 0 at its input 2, the SCI, and NMI at LINT1 of all (ACPI 6.5, 5.2.12). */
function madt(vcpus: number): Uint8Array {
  const entries = Array.from({ length: vcpus }, (_, id) => [0, 8, id, id, 1, 0, 0, 0]);
  const wide = (value: number) => [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
  entries.push([1, 12, 0, 0, ...wide(Number(IOAPIC_BASE)), ...wide(0)]);
  entries.push([2, 10, 0, 0, ...wide(2), 0, 0]);
  entries.push([2, 10, 0, SCI, ...wide(SCI), ACTIVE_HIGH_LEVEL, 0]);
  entries.push([4, 6, 0xff, 0, 0, 1]);
  const body = entries.flat();
  const bytes = acpiTable('APIC', MAKER, 44 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(36, Number(LOCAL_APIC_BASE), true);
  view.setUint32(40, 1, true); // PCAT_COMPAT: the 8259 pair is there
  bytes.set(body, 44);
  return seal(bytes);
}
