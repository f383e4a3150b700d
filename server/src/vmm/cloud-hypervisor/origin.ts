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

/** An option that is a number; undefined where the config has none, or something else in its place. */
export function numberOption(guest: GuestDescription, key: string): number | undefined {
  const value = setting(guest, key);
  return typeof value === 'bigint' ? Number(value) : undefined;
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
