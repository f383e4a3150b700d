/** The ACPI tables that bhyve writes at 0xF2400 (acpi.c and basl.c), where Linux and bhyve's own firmware look for the RSDP. */
import { hpetCapabilities } from '../../devices/hpet';
import { hpetTable } from '../acpi/hpetTable';
import type { AcpiMaker } from '../acpi/header';
import { interruptOverride, ioApic, localApic, madt } from '../acpi/madt';
import { layOut, writeTables } from '../acpi/place';
import { rsdp, rsdt, xsdt } from '../acpi/roots';
import { tableOf, type AcpiTable } from '../acpi/table';
import type { WriteMemory } from '../loaders/loader';
import { bhyveDsdt, type DsdtOptions } from './dsdt';
import { bhyveFacs, bhyveFadt } from './fadt';
import { HPET_BASE, IOAPIC_BASE, LOCAL_APIC_BASE, VHPET } from './kernelDevices';
import { ECAM } from './layout';
import { SCI } from './powerManagement';
import type { BhyveFacts } from './versions';

const ACPI_BASE = 0xf2400n;

/** acpi.c before basl.c: the BIOS area from ACPI_BASE on. */
const FIXED = {
  RSDT: 0x040n,
  XSDT: 0x080n,
  APIC: 0x100n,
  FACP: 0x200n,
  HPET: 0x340n,
  MCFG: 0x380n,
  FACS: 0x3c0n,
  DSDT: 0x400n,
} as const;
/** ID in the table's header, before and with basl.c, which cuts it one character short. */
const TABLE_IDS: Readonly<Record<string, string>> = { APIC: 'BVMADT  ' };
/** iasl of 2020 and later writes its own version, which is the host's. */
const IASL = { creator: 'INTL', creatorRevision: 0x20200925 } as const;
const BASL = { creator: 'BASL', creatorRevision: 0x20220504 } as const;
const OEM = 'BHYVE ';

const ACTIVE_HIGH_EDGE = 0x05;
const ACTIVE_LOW_LEVEL = 0x0f;
/** Every processor's LINT1, active high and edge triggered. */
const LOCAL_NMI = [4, 6, 0xff, ACTIVE_HIGH_EDGE, 0, 1] as const;
/** HPET registers have a 4 KiB page of their own. */
const PAGE_PROTECTION_4K = 1;
const LAST_BUS = 0xff;

export interface BhyveAcpi extends DsdtOptions {
  readonly facts: BhyveFacts;
  readonly vcpus: number;
}

/** False where a byte of them is outside RAM. */
export function writeBhyveAcpi(options: BhyveAcpi, write: WriteMemory): boolean {
  const { facts, vcpus } = options;
  const fixed = facts.acpiPlaces === 'fixed';
  const maker = (signature: string): AcpiMaker => ({
    oem: OEM,
    table: fixed ? (TABLE_IDS[signature] ?? `BV${signature}  `) : `BV${signature} \0`,
    ...(fixed ? IASL : BASL),
  });
  const facs = bhyveFacs();
  const dsdt = bhyveDsdt({ oem: OEM, table: 'BVDSDT  ', ...IASL }, options);
  const fadt = bhyveFadt(maker('FACP'), { dsdt, facs, gpe0: facts.gpe0 });
  const madtTable = madt(maker('APIC'), {
    revision: 1,
    localApic: LOCAL_APIC_BASE,
    pcAt: true,
    entries: [
      ...Array.from({ length: vcpus }, (_, id) => localApic(id, id)),
      ioApic(0, IOAPIC_BASE, 0),
      interruptOverride(0, 2, ACTIVE_HIGH_EDGE),
      interruptOverride(SCI, SCI, ACTIVE_LOW_LEVEL),
      LOCAL_NMI,
    ],
  });
  const block = Number(hpetCapabilities(VHPET) & 0xffffffffn);
  const hpet = hpetTable(maker('HPET'), HPET_BASE, block, 0);
  hpet.bytes[55] = PAGE_PROTECTION_4K;
  const mcfg = mcfgTable(maker('MCFG'));
  if (fixed) {
    const listed = [madtTable, fadt, hpet, mcfg];
    const roots = { rsdt: rsdt(maker('RSDT'), listed), xsdt: xsdt(maker('XSDT'), listed) };
    const pointer = rsdp(OEM, roots.rsdt, roots.xsdt);
    const places = new Map<AcpiTable, bigint>([
      [pointer, 0n],
      [roots.rsdt, FIXED.RSDT],
      [roots.xsdt, FIXED.XSDT],
      [madtTable, FIXED.APIC],
      [fadt, FIXED.FACP],
      [hpet, FIXED.HPET],
      [mcfg, FIXED.MCFG],
      [facs, FIXED.FACS],
      [dsdt, FIXED.DSDT],
    ]);
    return writeTables([...places.keys()], (table) => ACPI_BASE + places.get(table)!, write);
  }
  const spcr = facts.spcr ? [spcrTable(maker('SPCR'))] : [];
  const listed = [fadt, madtTable, hpet, mcfg, ...spcr];
  const roots = { rsdt: rsdt(maker('RSDT'), listed), xsdt: xsdt(maker('XSDT'), listed) };
  const pointer = rsdp(OEM, roots.rsdt, roots.xsdt);
  const tables = [roots.rsdt, roots.xsdt, pointer, fadt, madtTable, hpet, mcfg, facs, ...spcr, dsdt];
  const { offsets } = layOut(tables);
  return writeTables(tables, (table) => ACPI_BASE + BigInt(offsets.get(table)!), write);
}

/** Enhanced configuration space of buses 0 to 255 (PCI Firmware Specification 3.0, 4.1.2). */
function mcfgTable(maker: AcpiMaker): AcpiTable {
  return tableOf('MCFG', 1, maker, 60, (view, bytes) => {
    view.setBigUint64(44, ECAM.start, true);
    bytes[55] = LAST_BUS;
  });
}

/** build_spcr: COM1 behind the 8259, 115200 baud, 8N1, RTS/CTS and DCD, VT-UTF8. */
function spcrTable(maker: AcpiMaker): AcpiTable {
  return tableOf('SPCR', 1, maker, 80, (view, bytes) => {
    bytes.set([0x01, 8, 0, 0], 40);
    view.setBigUint64(44, 0x3f8n, true);
    bytes[52] = 1;
    bytes[53] = 4;
    bytes.set([7, 0, 1, 3, 2], 58);
  });
}
