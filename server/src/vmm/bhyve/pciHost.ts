/**
 * PCI as bhyve has it: configuration mechanism 1 and, at 0xE0000000, the enhanced one (pci_emul.c, pci_emul_ecfg_handler and
 * pci_cfgrw); host bridge and ISA bridge (pci_hostbridge.c, pci_lpc.c).
 */
import type { Device, DeviceState } from '../../devices/device';
import { pciFunction, type PciFunction, type PciIdentity } from '../../devices/pciConfig1';
import { allOnes } from '../../devices/openBus';
import { ECAM } from './layout';
import type { PciSlot } from './settings';

const identity = (vendor: number, device: number, classCode: number): PciIdentity => ({
  vendor,
  device,
  classCode,
  subsystemVendor: 0,
  subsystem: 0,
});

/** The devices that the model has, by their names in a config. */
const DEVICES: ReadonlyMap<string, PciIdentity> = new Map([
  ['hostbridge', identity(0x1275, 0x1275, 0x060000)],
  ['amd_hostbridge', identity(0x1022, 0x7432, 0x060000)],
  ['lpc', identity(0x8086, 0x7000, 0x060100)],
]);
/** PIRQ routing of the ISA bridge can be written. */
const PIRQ = [0x60, 0x61, 0x62, 0x63, 0x68, 0x69, 0x6a, 0x6b] as const;
const PIRQ_DISABLED = 0x80;
const PIRQ_WRITABLE = 0x8f;
/** Configuration space of mechanism 1; behind it is the first extended capability, which there is none of. */
const LEGACY_SPACE = 256;

export function pciFunctions(slots: readonly PciSlot[]): PciFunction[] {
  return slots.flatMap(({ bus, slot, function: fn, device }) => {
    const known = DEVICES.get(device);
    if (!known) return [];
    const made = pciFunction(bus, slot, fn, known);
    if (device === 'lpc') {
      for (const register of PIRQ) {
        made.config[register] = PIRQ_DISABLED;
        made.writable[register] = PIRQ_WRITABLE;
      }
    }
    return [made];
  });
}

/** Names of devices that a config has and the model does not. */
export function missingDevices(slots: readonly PciSlot[]): string[] {
  return slots
    .filter(({ device }) => !DEVICES.has(device))
    .map(({ bus, slot, function: fn, device }) => `${device} at ${bus}:${slot}:${fn}`);
}

/** The functions are those of the mechanism 1 device, which saves and resets them. */
export class EnhancedConfiguration implements Device {
  readonly name = 'PCI enhanced configuration';
  readonly mmio = [ECAM];

  constructor(private readonly functions: readonly PciFunction[]) {}

  readMmio(address: bigint, size: 1 | 2 | 4 | 8): bigint {
    const found = this.at(address);
    if (!found) return allOnes(size);
    const { config, register } = found;
    if (register >= LEGACY_SPACE) return register === LEGACY_SPACE ? 0n : allOnes(size);
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = value * 256n + BigInt(config.config[register + i] ?? 0);
    return value;
  }

  writeMmio(address: bigint, size: 1 | 2 | 4 | 8, value: bigint): void {
    const found = this.at(address);
    if (!found) return;
    const { config, writable } = found.config;
    for (let i = 0; i < size; i++) {
      const at = found.register + i;
      const mask = writable[at];
      if (mask === undefined) return;
      config[at] = (config[at]! & ~mask) | (Number((value >> BigInt(8 * i)) & 0xffn) & mask);
    }
  }

  private at(address: bigint): { config: PciFunction; register: number } | null {
    const offset = Number(address - ECAM.start);
    const config = this.functions.find(
      ({ bus, device, function: fn }) => offset >>> 12 === ((bus << 8) | (device << 3) | fn),
    );
    return config ? { config, register: offset & 0xfff } : null;
  }

  reset(): void {}

  save(): DeviceState {
    return {};
  }

  restore(): void {}
}
