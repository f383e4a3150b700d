/** The kernel's command line: what the config says or Firecracker's own, and what Firecracker adds for each device. */
import { hex } from '../../address/format';
import { PAGE } from '../../address/range';
import type { GuestDescription } from '../../machine/machine';
import type { FirecrackerFacts } from './versions';

/** GSI_LEGACY_START: interrupts of devices in the order in which they are attached. */
const FIRST_INTERRUPT = 5;

/** Settings that the config reader makes of the devices. */
export const DEVICE_SETTINGS = {
  /** Number of virtio devices. */
  count: 'virtio-devices',
  /** `root=…` with `ro` or `rw`, and the number of the device before which it is added. */
  root: 'root-arguments',
  rootIndex: 'root-device',
} as const;

/** Firecracker's order (build_microvm_for_boot). What follows ` -- ` goes to init and stays last. */
export function firecrackerCommandLine(
  given: string | null,
  { settings }: Pick<GuestDescription, 'settings'>,
  facts: FirecrackerFacts,
): string {
  const number = (key: string) => Number(settings?.get(key)?.value ?? 0n);
  const root = settings?.get(DEVICE_SETTINGS.root)?.value;
  const [kernel, ...init] = (given ?? facts.commandLine).split(' -- ');
  const words = [kernel!];
  if (facts.addsPciOff) words.push('pci=off');
  let length = 0;
  // A line that is too long is refused anyway; another VMM's config may give any number of devices.
  for (let index = 0; index < number(DEVICE_SETTINGS.count) && length <= facts.commandLineMax; index++) {
    if (index === number(DEVICE_SETTINGS.rootIndex) && typeof root === 'string') words.push(root);
    const address = facts.firstDevice + BigInt(index) * PAGE;
    const word = `virtio_mmio.device=4K@${hex(address)}:${FIRST_INTERRUPT + index}`;
    words.push(word);
    length += word.length + 1;
  }
  return [words.filter((word) => word !== '').join(' '), ...init].join(' -- ');
}
