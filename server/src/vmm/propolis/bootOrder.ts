/** The fw_cfg file bootorder (main.rs, generate_bootorder; hw/qemu/fwcfg.rs, formats::BootOrder), and PCI paths. */
import type { GuestDescription } from '../../machine/machine';

/** Bus, device and function of `0.4.0`: three decimal numbers, within their limits; null for anything else. */
export function parseBdf(text: string): readonly [bus: number, device: number, fn: number] | null {
  // Each is a usize for `from_str`, which takes a plus sign and any number of zeros.
  const match = /^\+?0*(\d{1,3})\.\+?0*(\d{1,3})\.\+?0*(\d{1,3})$/.exec(text);
  if (!match) return null;
  const [bus, device, fn] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return bus <= 255 && device < 32 && fn < 8 ? [bus, device, fn] : null;
}

/** What the chipset itself has on the bus (lib/propolis/src/hw/chipset/i440fx.rs, DEFAULT_HB_BDF and its neighbours). */
export const CHIPSET_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ['0.0.0', 'host bridge'],
  ['0.1.0', 'LPC bridge'],
  ['0.1.3', 'power management'],
]);

const OPEN_FIRMWARE_NODES: Readonly<Record<string, (place: string) => string>> = {
  'pci-virtio-block': (place) => `/pci@i0cf8/scsi@${place}/disk@0,0`,
  // OVMF knows NVMe devices by QEMU's identifiers.
  'pci-nvme': (place) => `/pci@i0cf8/pci8086,5845@${place}/namespace@1,0`,
};

/** The devices of main.boot_order in OVMF's words, then HALT; null where the config gives no order. */
export function bootOrderFile({ settings }: GuestDescription): Uint8Array | null {
  if (!settings?.has('main.boot_order.0')) return null;
  const nodes: string[] = [];
  for (let index = 0; ; index++) {
    const name = settings.get(`main.boot_order.${index}`)?.value;
    if (name === undefined) break;
    const driver = settings.get(`dev.${String(name)}.driver`)?.value;
    const path = settings.get(`dev.${String(name)}.pci-path`)?.value;
    const bdf = typeof path === 'string' ? parseBdf(path) : null;
    // Propolis ends for a device that is not there or is no PCI device.
    if (typeof driver !== 'string' || !driver.startsWith('pci-') || !bdf) continue;
    const place = `${bdf[1].toString(16)},${bdf[2].toString(16)}`;
    nodes.push(OPEN_FIRMWARE_NODES[driver]?.(place) ?? `/pci@i0cf8/device@${place}`);
  }
  return new TextEncoder().encode([...nodes, 'HALT\0'].join('\n'));
}
