/** Facts of a guest that Cloud Hypervisor decides, and options that its model looks at. */
import type { GuestDescription, Setting } from '../../machine/machine';
import type { VmmOrigin } from '../../machine/origin';

export const NAME = 'cloud-hypervisor';

export function decidedBy(version: string, citation: string): VmmOrigin {
  return { kind: 'vmm', vmm: NAME, version, citation };
}

function setting(guest: GuestDescription, key: string): Setting | undefined {
  return guest.settings?.get(key)?.value;
}

/** The largest number that an option takes; a config with more is refused, and here as good as without. */
const LARGEST = {
  'cpus.max_phys_bits': 255,
  // KVM_MAX_VCPUS.
  'cpus.max_vcpus': 4096,
  'memory.hotplug_size': 2 ** 52,
  'debug_console.iobase': 0xffff,
  // MAX_NUM_PCI_SEGMENTS (vmm/src/config.rs).
  'platform.num_pci_segments': 96,
} as const;

/** An option that is a number; undefined where the config has none, or one that is none or too large in its place. */
export function numberOption(guest: GuestDescription, key: keyof typeof LARGEST): number | undefined {
  const value = setting(guest, key);
  return typeof value === 'bigint' && value >= 0n && value <= BigInt(LARGEST[key])
    ? Number(value)
    : undefined;
}

export function textOption(guest: GuestDescription, key: string): string | undefined {
  const value = setting(guest, key);
  return typeof value === 'string' ? value : undefined;
}

/** True where the config has the option or one below it, whatever it says. */
export function hasOption(guest: GuestDescription, key: string): boolean {
  const below = `${key}.`;
  return [...(guest.settings?.keys() ?? [])].some((path) => path === key || path.startsWith(below));
}
