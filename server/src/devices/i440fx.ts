/**
 * The PCI functions of a PC with the 440FX chip set, as configuration space: the 82441FX host bridge (Intel 290549), function
 * 0 of the 82371SB PIIX3 (Intel 290550) and function 3, power management, of the 82371AB PIIX4 (Intel 290562), which QEMU's
 * machine pc puts behind the PIIX3. Registers are storage: what they do, if anything, is the board's.
 */
import { pciFunction, type PciFunction } from './pciConfig1';

/** Default and writable bits of the byte at an offset. */
type Register = readonly [offset: number, value: number, writable: number];

const repeat = (first: number, count: number, value: number, writable: number): Register[] =>
  Array.from({ length: count }, (_, index) => [first + index, value, writable] as const);

export const PAM0 = 0x59;
const PAM_REGISTERS = 7;
/** Read and write enable of the two halves of a segment; PAM0 has the upper half only. */
const PAM_WRITABLE = 0x33;
export const SMRAM = 0x72;

const HOST_BRIDGE: readonly Register[] = [
  // Memory and bus master are always on; parity and SERR# can be switched.
  [0x04, 0x06, 0x40],
  [0x05, 0x00, 0x01],
  [0x06, 0x80, 0x00],
  [0x07, 0x02, 0x00],
  [0x08, 0x02, 0x00],
  [0x0c, 0x00, 0x00],
  [0x0d, 0x00, 0xf8],
  [0x3c, 0x00, 0x00],
  [PAM0, 0x00, 0x30],
  ...repeat(PAM0 + 1, PAM_REGISTERS - 1, 0x00, PAM_WRITABLE),
  // Open, close, lock, enable; the segment is always 0xA0000.
  [SMRAM, 0x02, 0x78],
];

const PIRQ_ROUTES = 0x60;
/** Not routed to an IRQ. */
const NOT_ROUTED = 0x80;

const ISA_BRIDGE: readonly Register[] = [
  // I/O, memory and bus master are always on.
  [0x04, 0x07, 0x00],
  [0x05, 0x00, 0x01],
  [0x06, 0x80, 0x00],
  [0x07, 0x02, 0x00],
  [0x0c, 0x00, 0x00],
  [0x0d, 0x00, 0x00],
  // The device has further functions.
  [0x0e, 0x80, 0x00],
  [0x3c, 0x00, 0x00],
  // ISA I/O recovery, X-bus chip selects.
  [0x4c, 0x4d, 0xff],
  [0x4e, 0x03, 0xff],
  [0x4f, 0x00, 0x01],
  ...repeat(PIRQ_ROUTES, 4, NOT_ROUTED, 0x8f),
  // Top of memory of ISA masters.
  [0x69, 0x02, 0xfe],
];

export const PM_BASE = 0x40;
const PM_ENABLE = 0x80;
const PM_BASE_MASK = 0xffc0;

const POWER_MANAGEMENT: readonly Register[] = [
  [0x04, 0x00, 0x01],
  [0x05, 0x00, 0x00],
  [0x06, 0x80, 0x00],
  [0x07, 0x02, 0x00],
  [0x08, 0x03, 0x00],
  [0x0c, 0x00, 0x00],
  [0x0d, 0x00, 0x00],
  [0x3d, 0x01, 0x00],
  // The base of the power management registers: 64 ports, bit 0 says that these are ports.
  [PM_BASE, 0x01, 0xc0],
  [PM_BASE + 1, 0x00, 0xff],
  ...repeat(0x58, 3, 0x00, 0xff),
  // The APM control port raises SMIs, so that a firmware takes system management mode for set up: QEMU's way without SMM.
  [0x5b, 0x02, 0xff],
  [PM_ENABLE, 0x00, 0x01],
  // The SMBus host controller: its base and its switch can be set, and nothing is behind them.
  [0x90, 0x01, 0xf0],
  [0x91, 0x00, 0xff],
  [0xd2, 0x00, 0x0f],
];

export interface I440fxFunctions {
  readonly hostBridge: PciFunction;
  readonly isaBridge: PciFunction;
  readonly powerManagement: PciFunction;
}

/** Bus 0: the host bridge is device 0, the PIIX device 1. */
export function i440fxFunctions(subsystemVendor: number, subsystem: number): I440fxFunctions {
  const identity = (device: number, classCode: number) => ({
    vendor: 0x8086,
    device,
    classCode,
    subsystemVendor,
    subsystem,
  });
  return {
    hostBridge: withRegisters(pciFunction(0, 0, 0, identity(0x1237, 0x060000)), HOST_BRIDGE),
    isaBridge: withRegisters(pciFunction(0, 1, 0, identity(0x7000, 0x060100)), ISA_BRIDGE),
    powerManagement: withRegisters(pciFunction(0, 1, 3, identity(0x7113, 0x068000)), POWER_MANAGEMENT),
  };
}

/** Where the power management registers are, or null while they are switched off. */
export function powerManagementBase({ config }: PciFunction): number | null {
  if ((config[PM_ENABLE]! & 1) === 0) return null;
  return (config[PM_BASE]! | (config[PM_BASE + 1]! << 8)) & PM_BASE_MASK;
}

/** What SeaBIOS leaves in the registers: shadow RAM open, PCI interrupts at IRQ 10 and 11, power management at `base`. */
export function programAsFirmware(
  { hostBridge, isaBridge, powerManagement }: I440fxFunctions,
  base: number,
): void {
  hostBridge.config[PAM0] = 0x30;
  hostBridge.config.fill(PAM_WRITABLE, PAM0 + 1, PAM0 + PAM_REGISTERS);
  isaBridge.config.set([10, 10, 11, 11], PIRQ_ROUTES);
  powerManagement.config.set([(base & 0xff) | 1, base >> 8], PM_BASE);
  powerManagement.config[PM_ENABLE] = 1;
  powerManagement.config[0x04] = 0x01;
  powerManagement.config[0x3c] = 9;
}

function withRegisters(fn: PciFunction, registers: readonly Register[]): PciFunction {
  for (const [offset, value, writable] of registers) {
    fn.config[offset] = value;
    fn.writable[offset] = writable;
  }
  return fn;
}
