/** What a guest's config says beyond memory and vCPUs, by bhyve's own keys (bhyve_config(5)), with bhyve's defaults. */
import type { GuestDescription, Setting } from '../../machine/machine';
import { smallCount } from './config/numbers';
import type { BhyveFacts } from './versions';

type Guest = Pick<GuestDescription, 'settings'>;

const TRUE = ['true', 'on', 'yes'];
const FALSE = ['false', 'off', 'no'];

/** As config.c, _bool_value: of any case, and the digits; null for anything else, at which bhyve ends with status 4. */
export function booleanOf(value: Setting): boolean | null {
  if (typeof value === 'boolean') return value;
  const text = String(value);
  if (text === '1' || TRUE.includes(text.toLowerCase())) return true;
  return text === '0' || FALSE.includes(text.toLowerCase()) ? false : null;
}

export interface PciSlot {
  readonly bus: number;
  readonly slot: number;
  readonly function: number;
  /** The device's name: `virtio-blk`. */
  readonly device: string;
}

export interface BhyveSettings {
  readonly acpiTables: boolean;
  readonly mpTable: boolean;
  readonly strictIo: boolean;
  readonly strictMsr: boolean;
  readonly x2apic: boolean;
  readonly fwcfg: 'bhyve' | 'qemu';
  readonly cores: number;
  readonly threads: number;
  readonly pci: readonly PciSlot[];
  /** The config names no PCI device, so the usual two are assumed. */
  readonly pciAssumed: boolean;
  /** The serial ports with a backend, from 1. */
  readonly serial: readonly number[];
}

const USUAL_PCI: readonly PciSlot[] = [
  { bus: 0, slot: 0, function: 0, device: 'hostbridge' },
  { bus: 0, slot: 31, function: 0, device: 'lpc' },
];
const PCI_DEVICE = /^pci\.(\d+)\.(\d+)\.(\d+)\.device$/;
const SERIAL = /^lpc\.com([1-4])\.path$/;

export function bhyveSettings({ settings }: Guest, facts: BhyveFacts): BhyveSettings {
  const boolean = (key: string, otherwise: boolean) => {
    const value = settings?.get(key)?.value;
    return (value === undefined ? null : booleanOf(value)) ?? otherwise;
  };
  const count = (key: string) => {
    const value = smallCount(String(settings?.get(key)?.value ?? 1)) ?? 1;
    return value < 256 ? value : 1;
  };
  const keys = [...(settings ?? [])];
  const named = keys.flatMap(([key, { value }]): PciSlot[] => {
    const place = PCI_DEVICE.exec(key);
    if (!place) return [];
    const [bus, slot, fn] = place.slice(1).map(Number) as [number, number, number];
    return [{ bus, slot, function: fn, device: String(value) }];
  });
  const serial = keys.flatMap(([key]) => SERIAL.exec(key)?.[1] ?? []).map(Number);
  return {
    acpiTables: boolean('acpi_tables', facts.acpiTables),
    mpTable: boolean('x86.mptable', true),
    strictIo: boolean('x86.strictio', false),
    strictMsr: boolean('x86.strictmsr', true),
    x2apic: boolean('x86.x2apic', false),
    fwcfg: settings?.get('lpc.fwcfg')?.value === 'qemu' ? 'qemu' : 'bhyve',
    cores: count('cores'),
    threads: count('threads'),
    pci: named.length > 0 ? named : USUAL_PCI,
    pciAssumed: named.length === 0,
    serial,
  };
}

/** The ISA bridge, without which there are no serial ports and no boot ROM's interface. */
export function lpcOf({ pci }: BhyveSettings): PciSlot | undefined {
  return pci.find(({ device }) => device === 'lpc');
}
