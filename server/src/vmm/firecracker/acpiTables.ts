/** Firecracker's ACPI tables: hardware-reduced, one after the other behind the MP table (src/vmm/src/acpi, src/acpi-tables, 1.8 on). */
import {
  amlDevice,
  amlEisaId,
  amlMethod,
  amlNamed,
  amlResources,
  amlReturn,
  amlString,
  extendedInterrupt,
  ioPorts,
} from '../acpi/aml';
import { putText, type AcpiMaker } from '../acpi/header';
import { ioApic, localApic, madt } from '../acpi/madt';
import { placeTables } from '../acpi/place';
import { xsdt } from '../acpi/roots';
import { tableOf, type AcpiTable } from '../acpi/table';
import { KVM_IOAPIC_BASE } from '../kvm/irqchip';
import { SERIAL_PORTS } from './exits';
import { RSDP } from './layout';
import type { FirecrackerFacts } from './versions';

const LOCAL_APIC_BASE = 0xfee00000n;
const OEM = 'FIRECK';
const CREATOR_REVISION = 0x20240119;
const maker = (table: string): AcpiMaker => ({ oem: OEM, table, creator: 'FCAT' });
const REVISION = { dsdt: 2, fadt: 6, madt: 6, mcfg: 1 } as const;
const HEADER = 36;
const FADT_LENGTH = 276;
/** Hardware-reduced, no power button, no sleep button in fixed hardware. */
const FADT_FLAGS = (1 << 20) | (1 << 4) | (1 << 5);
const VGA_NOT_PRESENT = 1 << 2;
const FADT_MINOR = 5;
const MCFG_LENGTH = 60;
const CRS = '_CRS';

/** Interrupts of COM1 to COM4, and of the keyboard. */
const SERIAL_INTERRUPTS = [4, 3, 4, 3] as const;
const KEYBOARD_INTERRUPT = 1;
const byte = (value: number): number[] => [0x0a, value];

/** Firecracker's tables have OEM revision 0 and align to a byte. */
function own(table: AcpiTable): AcpiTable {
  const view = new DataView(table.bytes.buffer);
  view.setUint32(24, 0, true);
  view.setUint32(32, CREATOR_REVISION, true);
  return { ...table, alignment: 1 };
}

function dsdt(facts: FirecrackerFacts): AcpiTable {
  const serial = SERIAL_PORTS.slice(0, facts.sinkPorts ? 4 : 1).map((port, index) =>
    amlDevice(
      `_SB_.COM${index + 1}`,
      amlNamed('_HID', amlEisaId('PNP0501')),
      amlNamed('_UID', byte(index)),
      amlNamed('_DDN', amlString(`COM${index + 1}`)),
      amlNamed(CRS, amlResources(extendedInterrupt(SERIAL_INTERRUPTS[index]!), ioPorts(port, 8))),
    ),
  );
  const keyboard = amlDevice(
    '_SB_.PS2_',
    amlNamed('_HID', amlEisaId('PNP0303')),
    amlMethod('_STA', amlReturn(byte(0x0f))),
    amlNamed(CRS, amlResources(ioPorts(0x60, 1), ioPorts(0x64, 1), extendedInterrupt(KEYBOARD_INTERRUPT))),
  );
  const body = [...serial.flat(), ...keyboard];
  return tableOf('DSDT', REVISION.dsdt, maker('FCVMDSDT'), HEADER + body.length, (_view, bytes) =>
    bytes.set(body, HEADER),
  );
}

function fadt(dsdtTable: AcpiTable): AcpiTable {
  return tableOf(
    'FACP',
    REVISION.fadt,
    maker('FCVMFADT'),
    FADT_LENGTH,
    (view, bytes) => {
      view.setUint16(109, VGA_NOT_PRESENT, true);
      view.setUint32(112, FADT_FLAGS, true);
      bytes[131] = FADT_MINOR;
      putText(bytes, 268, 'FIRECKVM');
    },
    [{ offset: 140, size: 8, to: dsdtTable }],
  );
}

function mcfg(base: bigint): AcpiTable {
  return tableOf('MCFG', REVISION.mcfg, maker('FCMVMCFG'), MCFG_LENGTH, (view) =>
    // Segment 0, bus 0 to 0.
    view.setBigUint64(44, base, true),
  );
}

/** RSDP of revision 2 without an RSDT. */
function rsdp(xsdtTable: AcpiTable): AcpiTable {
  const bytes = new Uint8Array(36);
  putText(bytes, 0, 'RSD PTR ');
  putText(bytes, 9, OEM);
  bytes[15] = 2;
  new DataView(bytes.buffer).setUint32(20, bytes.length, true);
  return {
    bytes,
    alignment: 1,
    pointers: [{ offset: 24, size: 8, to: xsdtTable }],
    checksums: [
      { at: 8, length: 20 },
      { at: 32, length: bytes.length },
    ],
  };
}

/** Writes the tables from `at` on, and the RSDP to 0xe0000. */
export function writeAcpiTables(
  facts: FirecrackerFacts,
  vcpus: number,
  at: bigint,
  write: (address: bigint, bytes: Uint8Array) => boolean,
): void {
  const dsdtTable = own(dsdt(facts));
  const fadtTable = own(fadt(dsdtTable));
  const madtTable = own(
    madt(maker('FCVMMADT'), {
      revision: REVISION.madt,
      localApic: LOCAL_APIC_BASE,
      pcAt: false,
      entries: [
        ioApic(0, KVM_IOAPIC_BASE, 0),
        ...Array.from({ length: vcpus }, (_, id) => localApic(id, id)),
      ],
    }),
  );
  const listed = [fadtTable, madtTable];
  if (facts.mcfg && facts.pciConfiguration) listed.push(own(mcfg(facts.pciConfiguration.start)));
  const xsdtTable = own(xsdt(maker('FCMVXSDT'), listed));
  placeTables(
    { rsdp: rsdp(xsdtTable), tables: [dsdtTable, ...listed, xsdtTable] },
    { rsdp: RSDP, tables: at },
    write,
  );
}
