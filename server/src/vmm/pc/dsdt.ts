/** The DSDT of the plain PC: soft off, the host bridge's windows, and the devices on the ISA bus. */
import { GIB } from '../../address/range';
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
  memory32,
  memoryWindow,
  type FixedDevice,
} from '../acpi/aml';
import type { AcpiMaker } from '../acpi/header';
import { tableOf, type AcpiTable } from '../acpi/table';
import { HPET_SIZE } from '../../devices/hpet';
import { HPET_BASE, IOAPIC_BASE } from './layout';
import { PM } from './powerManagement';

const HEADER = 36;
/** Integers of 32 bits. */
const REVISION = 1;
const CONFIG_ADDRESS = 0xcf8;

/** Name, hardware ID and resources of what is on the ISA bus. */
const ISA_DEVICES: readonly FixedDevice[] = [
  ['KBD', 'PNP0303', [ioPorts(0x60, 1), ioPorts(0x64, 1), irq(1)]],
  ['MOU', 'PNP0F13', [irq(12)]],
  ['COM1', 'PNP0501', [ioPorts(0x3f8, 8), irq(4)]],
  ['RTC', 'PNP0B00', [ioPorts(0x70, 2), irq(8)]],
];

/** `lowEnd`: where RAM below 4 GiB ends and the window of PCI begins. There is no _PRT: no PCI function interrupts. */
export function dsdt(maker: AcpiMaker, lowEnd: bigint): AcpiTable {
  const isa = ISA_DEVICES.map(amlFixedDevice);
  const bridge = amlDevice(
    'PCI0',
    amlNamed('_HID', amlEisaId('PNP0A03')),
    amlNamed('_UID', amlInteger(0)),
    amlNamed('_CRS', windows(lowEnd)),
    amlDevice('ISA', amlNamed('_ADR', amlInteger(0x00010000)), ...isa),
  );
  const hpet = amlFixedDevice(['HPET', 'PNP0103', [memory32(Number(HPET_BASE), Number(HPET_SIZE))]]);
  const off = amlInteger(PM.s5);
  const body = [
    ...amlNamed('\\_S5', amlPackage(off, off, amlInteger(0), amlInteger(0))),
    ...amlScope('\\_SB', bridge, hpet),
  ];
  return tableOf('DSDT', REVISION, maker, HEADER + body.length, (_, bytes) => bytes.set(body, HEADER));
}

function windows(lowEnd: bigint): number[] {
  const memory = lowEnd < 4n * GIB ? [memoryWindow(Number(lowEnd), Number(IOAPIC_BASE) - 1)] : [];
  return amlResources(
    busNumbers(0, 0),
    ioPorts(CONFIG_ADDRESS, 8),
    ioWindow(0, CONFIG_ADDRESS - 1),
    ioWindow(0x0d00, 0xffff),
    memoryWindow(0xa0000, 0xbffff),
    ...memory,
  );
}
