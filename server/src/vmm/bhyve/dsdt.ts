/**
 * The DSDT of bhyve with the devices that every guest has (acpi.c, basl_fwrite_dsdt; pci_emul.c, pci_bus_write_dsdt;
 * pci_lpc.c, pci_lpc_write_dsdt). bhyve writes source and lets iasl compile it, so the bytes here are not iasl's.
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
  memory32,
  memoryWindow,
  type FixedDevice,
} from '../acpi/aml';
import type { AcpiMaker } from '../acpi/header';
import { tableOf, type AcpiTable } from '../acpi/table';
import { HPET_SIZE } from '../../devices/hpet';
import { HPET_BASE } from './kernelDevices';
import { ECAM, IO_WINDOW, WINDOW_32 } from './layout';
import { S5 } from './powerManagement';

const HEADER = 36;
const REVISION = 2;
const CONFIG_ADDRESS = 0xcf8;
/** What bhyve leaves free behind the last BAR: BUSIO_ROUNDUP and BUSMEM32_ROUNDUP. */
const IO_SLOP = 32;
const MEMORY_SLOP = 0x100000;

const ISA: readonly FixedDevice[] = [
  ['PIC', 'PNP0000', [ioPorts(0x20, 2), ioPorts(0xa0, 2), irq(2)]],
  ['TIMR', 'PNP0100', [ioPorts(0x40, 4), irq(0)]],
  ['RTC', 'PNP0B00', [ioPorts(0x70, 2), irq(8)]],
  ['KBD', 'PNP0303', [ioPorts(0x60, 1), ioPorts(0x64, 1), irq(1)]],
  ['MOU', 'PNP0F13', [irq(12)]],
];

export interface DsdtOptions {
  /** The device number of the ISA bridge on bus 0, or null for none. */
  readonly lpc: number | null;
  /** Serial ports behind it: number from 1, first port, IRQ. */
  readonly serial: readonly { readonly number: number; readonly port: number; readonly irq: number }[];
}

export function bhyveDsdt(maker: AcpiMaker, { lpc, serial }: DsdtOptions): AcpiTable {
  const serialPorts = serial.map(({ number, port, irq: line }) =>
    amlDevice(
      `COM${number}`,
      amlNamed('_HID', amlEisaId('PNP0501')),
      amlNamed('_UID', amlInteger(number)),
      amlNamed('_CRS', amlResources(ioPorts(port, 8), irq(line))),
    ),
  );
  const isa = ISA.map(amlFixedDevice);
  const bridge =
    lpc === null
      ? []
      : [
          amlDevice(
            'ISA',
            amlNamed('_ADR', amlInteger(lpc << 16)),
            ...serialPorts,
            ...isa,
            systemResources(),
          ),
        ];
  const hpet = amlDevice(
    'HPET',
    amlNamed('_HID', amlEisaId('PNP0103')),
    amlNamed('_UID', amlInteger(0)),
    amlNamed('_CRS', amlResources(memory32(Number(HPET_BASE), Number(HPET_SIZE)))),
  );
  const bus = amlDevice(
    'PC00',
    amlNamed('_HID', amlEisaId('PNP0A03')),
    amlNamed('_BBN', amlInteger(0)),
    amlNamed('_CRS', windows()),
    ...bridge,
    hpet,
  );
  const body = [...amlNamed('\\_S5', amlPackage(amlInteger(S5), amlInteger(0))), ...amlScope('\\_SB', bus)];
  return tableOf('DSDT', REVISION, maker, HEADER + body.length, (_, bytes) => bytes.set(body, HEADER));
}

function windows(): number[] {
  const memory = Number(WINDOW_32.start);
  return amlResources(
    busNumbers(0, 0),
    ioPorts(CONFIG_ADDRESS, 8),
    ioWindow(0, CONFIG_ADDRESS - 1),
    ioWindow(0x0d00, IO_WINDOW.start - 1),
    ioWindow(IO_WINDOW.start, IO_WINDOW.start + IO_SLOP - 1),
    memoryWindow(memory, memory + MEMORY_SLOP - 1),
  );
}

/** Device SIO: ports and memory that no other device names (LPC_SYSRES and SYSRES_IO of the sources). */
function systemResources(): number[] {
  return amlDevice(
    'SIO',
    amlNamed('_HID', amlEisaId('PNP0C02')),
    amlNamed(
      '_CRS',
      amlResources(
        memory32(Number(ECAM.start), Number(ECAM.end - ECAM.start)),
        ioPorts(0x4d0, 2),
        ioPorts(0x61, 1),
        ioPorts(0x400, 8),
        ioPorts(0xb2, 1),
        ioPorts(0x84, 1),
        ioPorts(0x72, 6),
      ),
    ),
  );
}
