/**
 * The devices of the DSDT that are the same whatever is plugged (vmm/src/device_manager.rs and pci_segment.rs, to_aml_bytes): the
 * host bridge with its windows, motherboard resources, COM1, S5 and the power button.
 */
import type { GuestDescription } from '../../machine/machine';
import type { CpuVendor } from '../../x86/cpuid/answers';
import {
  amlDevice,
  amlEisaId,
  amlInteger,
  amlNamed,
  amlPackage,
  amlResources,
  amlString,
  busNumbers,
  extendedInterrupt,
  ioPorts,
  ioWindow,
  memory32,
  memoryWindow64,
} from '../acpi/aml';
import { DEVICES_32, ECAM, ECAM_PER_SEGMENT } from './addresses';
import { memoryLayout } from './memory';
import { textOption } from './origin';
import type { CloudHypervisorVersion } from './versions';

/** What the model's DSDT leaves out, in words. */
export const DSDT_GAPS =
  'DSDT: the methods of CPU, memory and PCI hotplug, the generic event device, the 32 PCI slots with their interrupts, processors and further PCI segments are left out, so the tables behind it lie at lower addresses than on the real VMM';

const COM1_PORT = 0x3f8;
const COM1_IRQ = 4;
const S5 = 5;

export function dsdtBody(
  version: CloudHypervisorVersion,
  guest: GuestDescription,
  vendor: CpuVendor,
): Uint8Array {
  const { devices } = memoryLayout(version, guest, vendor);
  const ecam = version.facts.pciSegments ? ECAM_PER_SEGMENT : ECAM.end - ECAM.start;
  const reserved = version.facts.reservesSegmentsAlone ? ECAM_PER_SEGMENT : ECAM.end - ECAM.start;
  const bridge = amlDevice(
    '_SB_.PC00',
    amlNamed('_HID', amlEisaId('PNP0A08')),
    amlNamed('_CID', amlEisaId('PNP0A03')),
    amlNamed('_ADR', amlInteger(0)),
    amlNamed('_SEG', amlInteger(0)),
    amlNamed('_UID', amlInteger(0)),
    amlNamed('_CCA', amlInteger(1)),
    amlNamed('SUPP', amlInteger(0)),
    amlNamed(
      '_CRS',
      amlResources(
        busNumbers(0, 0),
        ioPorts(0xcf8, 8),
        memory32(Number(ECAM.start), Number(ecam)),
        memoryWindow64(DEVICES_32.start, DEVICES_32.end - 1n),
        memoryWindow64(devices.start, devices.end - 1n),
        ioWindow(0, 0x0cf7),
        ioWindow(0x0d00, 0xffff),
      ),
    ),
  );
  const board = amlDevice(
    '_SB_.MBRD',
    amlNamed('_HID', amlEisaId('PNP0C02')),
    amlNamed('_UID', amlInteger(0)),
    amlNamed('_CRS', amlResources(memory32(Number(ECAM.start), Number(reserved)))),
  );
  const button = amlDevice(
    '_SB_.PWRB',
    amlNamed('_HID', amlEisaId('PNP0C0C')),
    amlNamed('_UID', amlInteger(0)),
  );
  const off = amlInteger(S5);
  const body = [
    ...bridge,
    ...board,
    ...(textOption(guest, 'serial.mode') === 'Off' ? [] : serialPort()),
    ...amlNamed('_S5_', amlPackage(off, off, amlInteger(0), amlInteger(0))),
    ...button,
  ];
  return Uint8Array.from(body);
}

function serialPort(): number[] {
  return amlDevice(
    '_SB_.COM1',
    amlNamed('_HID', amlEisaId('PNP0501')),
    amlNamed('_UID', amlInteger(0)),
    amlNamed('_DDN', amlString('COM1')),
    amlNamed('_CRS', amlResources(extendedInterrupt(COM1_IRQ), ioPorts(COM1_PORT, 8, 0))),
  );
}
