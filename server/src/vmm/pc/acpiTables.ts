/** The ACPI tables of the plain PC. */
import { hpetCapabilities, PC_HPET } from '../../devices/hpet';
import {
  facs,
  fadt,
  FADT_FIX_RTC,
  FADT_PROC_C1,
  FADT_PWR_BUTTON,
  FADT_RESET_REG_SUP,
  FADT_SLP_BUTTON,
  FADT_WBINVD,
  HAS_8042,
  LEGACY_DEVICES,
  VGA_NOT_PRESENT,
} from '../acpi/fadt';
import { hpetTable } from '../acpi/hpetTable';
import { ACTIVE_HIGH_LEVEL, interruptOverride, ioApic, localApic, localNmi, madt } from '../acpi/madt';
import type { AcpiTableSet } from '../acpi/place';
import { rsdp, rsdt, xsdt } from '../acpi/roots';
import { dsdt } from './dsdt';
import { HPET_BASE, IOAPIC_BASE, LOCAL_APIC_BASE, pcMemory } from './layout';
import { pmPlace, SCI } from './powerManagement';

const MAKER = { oem: 'BOOTPT', table: 'PLAINPC ', creator: 'BTPT' } as const;
const MADT_REVISION = 2;
/** Ticks of 10 ns: periods below a microsecond are of no use. */
const HPET_MINIMUM_TICK = 100;
const CENTURY = 0x32;
/** A hard reset by the reset control register. */
const RESET = { port: 0xcf9, value: 0x06 } as const;

export interface PcAcpiOptions {
  readonly vcpus: number;
  readonly memory: bigint;
  /** First port of the PIIX4's power management registers. */
  readonly pmBase: number;
}

export function pcAcpiTables({ vcpus, memory, pmBase }: PcAcpiOptions): AcpiTableSet {
  const dsdtTable = dsdt(MAKER, pcMemory(memory).lowEnd);
  const facsTable = facs();
  const fadtTable = fadt(MAKER, {
    dsdt: dsdtTable,
    facs: facsTable,
    sci: SCI,
    ...pmPlace(pmBase),
    century: CENTURY,
    flags: FADT_WBINVD | FADT_PROC_C1 | FADT_PWR_BUTTON | FADT_SLP_BUTTON | FADT_FIX_RTC | FADT_RESET_REG_SUP,
    bootArchitecture: LEGACY_DEVICES | HAS_8042 | VGA_NOT_PRESENT,
    reset: RESET,
  });
  const madtTable = madt(MAKER, {
    revision: MADT_REVISION,
    localApic: LOCAL_APIC_BASE,
    pcAt: true,
    entries: [
      ...Array.from({ length: vcpus }, (_, id) => localApic(id, id)),
      ioApic(0, IOAPIC_BASE, 0),
      interruptOverride(0, 2, 0),
      interruptOverride(SCI, SCI, ACTIVE_HIGH_LEVEL),
      localNmi(1),
    ],
  });
  const block = Number(hpetCapabilities(PC_HPET) & 0xffffffffn);
  const listed = [fadtTable, madtTable, hpetTable(MAKER, HPET_BASE, block, HPET_MINIMUM_TICK)];
  const rsdtTable = rsdt(MAKER, listed);
  const xsdtTable = xsdt(MAKER, listed);
  return {
    rsdp: rsdp(MAKER.oem, rsdtTable, xsdtTable),
    tables: [facsTable, dsdtTable, ...listed, rsdtTable, xsdtTable],
  };
}
