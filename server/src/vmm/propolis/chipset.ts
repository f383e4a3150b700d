/** The PCI functions that every machine of Propolis has (hw/chipset/i440fx.rs): configuration space as guests read it. */
import { pciFunction, type PciFunction } from '../../devices/pciConfig1';

/** PMBASE_DEFAULT, PMBASE_LEN: the ports never move. */
export const PM_PORTS = { start: 0xb000, end: 0xb040 } as const;
const SMBUS_BASE = 0xb100;

/** VENDOR_OXIDE (hw/ids.rs). */
const OXIDE = 0x01de;
const INTERRUPT_LINE = 0x3c;
const COMMAND = 0x04;

/** Bits of the command register that a guest may set: I/O, memory, bus master and interrupt disable (hw/pci/bits.rs, RegCmd). */
const COMMAND_WRITABLE = [0x07, 0x04] as const;

/** Host bridge at 0.0.0, ISA bridge at 0.1.0, power management at 0.1.3. */
export function propolisFunctions(): PciFunction[] {
  const hostBridge = standard(0, 0, { device: 0x1237, classCode: 0x060000, subsystem: 0xfffe });
  const isaBridge = standard(1, 0, { device: 0x7000, classCode: 0x060100, subsystem: 0xfffd });
  // Function 3 beside function 0 makes both tell of several functions.
  isaBridge.config[0x0e] = 0x80;
  // PIRQ routes: stored; what they would route is not there.
  for (let i = 0x60; i < 0x64; i++) isaBridge.writable[i] = 0xff;
  return [hostBridge, isaBridge, powerManagement()];
}

function standard(
  device: number,
  fn: number,
  identity: { readonly device: number; readonly classCode: number; readonly subsystem: number },
): PciFunction {
  const made = pciFunction(0, device, fn, { ...identity, vendor: 0x8086, subsystemVendor: OXIDE });
  made.writable[COMMAND] = COMMAND_WRITABLE[0];
  made.writable[COMMAND + 1] = COMMAND_WRITABLE[1];
  // Cache line size and latency timer read as zero.
  made.writable.fill(0, 0x0c, 0x0e);
  made.config[INTERRUPT_LINE] = 0xff;
  made.writable[INTERRUPT_LINE] = 0xff;
  return made;
}

/** Piix3PM: its own registers read as constants, and writes to them do nothing (pmcfg_read, pmcfg_write). */
function powerManagement(): PciFunction {
  const made = standard(1, 3, { device: 0x7113, classCode: 0x068000, subsystem: 0xfffc });
  const { config } = made;
  // Linux takes the timer for slow below revision 3.
  config[0x08] = 3;
  config[0x0e] = 0x80;
  // INTA, for the system control interrupt that nobody raises.
  config[0x3d] = 1;
  const view = new DataView(config.buffer, config.byteOffset);
  view.setUint32(0x40, PM_PORTS.start | 1, true);
  // DevResA, B and C: keyboard controller, floppy and serial ports are decoded.
  view.setUint32(0x5c, 1 << 28, true);
  view.setUint32(0x60, (1 << 30) | (1 << 29), true);
  view.setUint32(0x64, (1 << 31) | (1 << 28) | (1 << 27), true);
  config[0x80] = 1;
  view.setUint32(0x90, SMBUS_BASE | 1, true);
  return made;
}
