/**
 * The ACPI tables that Propolis gives to the firmware by fw_cfg since 2026-06 (lib/propolis/src/firmware/acpi, variant V0: those
 * of OVMF of 2021). FADT and MADT have its values; the DSDT has its
 * window, ports and soft-off.
 */
import {
  amlDevice,
  amlEisaId,
  amlFixedDevice,
  amlInteger,
  amlNamed,
  amlPackage,
  amlResources,
  amlScope,
  busNumbers,
  ioPorts,
  ioWindow,
  irq,
  memoryWindow,
} from '../acpi/aml';
import { facs, fadt, FADT_PROC_C1, FADT_RESET_REG_SUP, FADT_SLP_BUTTON, FADT_WBINVD } from '../acpi/fadt';
import { ACTIVE_HIGH_LEVEL, interruptOverride, ioApic, localApic, localNmi, madt } from '../acpi/madt';
import type { AcpiTableSet } from '../acpi/place';
import { rsdp, rsdt, xsdt } from '../acpi/roots';
import { tableOf, type AcpiTable } from '../acpi/table';
import { IOAPIC_BASE, LOCAL_APIC_BASE } from '../bhyve/kernelDevices';
import { PM_PORTS } from './chipset';
import { PCI_WINDOW_LAST, splitMemory } from './layout';

const MAKER = { oem: 'OVMF', table: 'OVMFEDK2', creator: 'RVAT' } as const;
const HEADER = 36;
const DSDT_REVISION = 1;
const MADT_REVISION = 1;
const IO_APIC_ID = 2;
/** PCI_LINK_IRQS; the second is the system control interrupt. */
const LINK_IRQS = [5, 9, 10, 11] as const;
const SCI = 9;
/** RTC_S4 and TMR_VAL_EXT (ACPI 6.5, table 5.10). */
const FADT_RTC_S4 = 1 << 7;
const FADT_TMR_VAL_EXT = 1 << 8;
/** The register that no device of Propolis has: a byte written to 0xCF9 is dropped by the PCI configuration decoder. */
const RESET = { port: 0xcf9, value: 0x06 } as const;
/** Propolis has no device at these either; OVMF turns ACPI mode on by SCI_EN itself. */
const SMI = { port: 0xb2, enable: 0xf1, disable: 0xf0 } as const;
const GPE0 = 0xafe0;
const FADT_REVISION = 3;
const SOFT_OFF = 0;

const SERIAL_PORTS = [
  ['COM1', 0x3f8, 4],
  ['COM2', 0x2f8, 3],
  ['COM3', 0x3e8, 4],
  ['COM4', 0x2e8, 3],
] as const;

export function propolisAcpiTables(vcpus: number, memory: bigint): AcpiTableSet {
  const dsdtTable = dsdt(splitMemory(memory).low.end);
  const facsTable = facs();
  const fadtTable = fadt(MAKER, {
    dsdt: dsdtTable,
    facs: facsTable,
    sci: SCI,
    event: PM_PORTS.start,
    control: PM_PORTS.start + 4,
    timer: PM_PORTS.start + 8,
    century: 0,
    flags: FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_RTC_S4 | FADT_TMR_VAL_EXT | FADT_RESET_REG_SUP,
    bootArchitecture: 0,
    reset: RESET,
    revision: FADT_REVISION,
    smi: SMI,
    gpe0: GPE0,
  });
  const madtTable = madt(MAKER, {
    revision: MADT_REVISION,
    localApic: LOCAL_APIC_BASE,
    pcAt: true,
    entries: [
      ...Array.from({ length: vcpus }, (_, id) => localApic(id, id)),
      ioApic(IO_APIC_ID, IOAPIC_BASE, 0),
      interruptOverride(0, 2, 0),
      ...LINK_IRQS.map((line) => interruptOverride(line, line, ACTIVE_HIGH_LEVEL)),
      localNmi(1),
    ],
  });
  const listed = [fadtTable, madtTable];
  const rsdtTable = rsdt(MAKER, listed);
  const xsdtTable = xsdt(MAKER, listed);
  return {
    rsdp: rsdp(MAKER.oem, rsdtTable, xsdtTable),
    tables: [facsTable, dsdtTable, ...listed, rsdtTable, xsdtTable],
  };
}

function dsdt(lowEnd: bigint): AcpiTable {
  const windows = amlResources(
    busNumbers(0, 0xff),
    ioPorts(0xcf8, 8),
    ioWindow(0, 0xcf7),
    ioWindow(0x0d00, 0xffff),
    memoryWindow(0xa0000, 0xbffff),
    memoryWindow(Number(lowEnd), Number(PCI_WINDOW_LAST)),
  );
  const serial = SERIAL_PORTS.map(([name, port, line], index) =>
    amlDevice(
      name,
      amlNamed('_HID', amlEisaId('PNP0501')),
      amlNamed('_UID', amlInteger(index + 1)),
      amlNamed('_CRS', amlResources(ioPorts(port, 8), irq(line))),
    ),
  );
  const keyboard = amlFixedDevice(['PS2K', 'PNP0303', [ioPorts(0x60, 1), ioPorts(0x64, 1), irq(1)]]);
  const clock = amlFixedDevice(['RTC', 'PNP0B00', [ioPorts(0x70, 2), irq(8)]]);
  const bridge = amlDevice(
    'PCI0',
    amlNamed('_HID', amlEisaId('PNP0A03')),
    amlNamed('_UID', amlInteger(0)),
    amlNamed('_CRS', windows),
    amlDevice('LPC', amlNamed('_ADR', amlInteger(0x00010000)), clock, keyboard, ...serial),
  );
  const off = amlInteger(SOFT_OFF);
  const body = [
    ...amlNamed('\\_S5', amlPackage(off, off, amlInteger(0), amlInteger(0))),
    ...amlScope('\\_SB', bridge),
  ];
  return tableOf('DSDT', DSDT_REVISION, MAKER, HEADER + body.length, (_, bytes) => bytes.set(body, HEADER));
}
