/** The boot protocols of an image that no firmware loads. */
import type { BootProtocol } from './loader';
import { MULTIBOOT } from './multiboot';

/** An image that several know is booted by the first of them. */
export const BOOT_PROTOCOLS: readonly BootProtocol[] = [MULTIBOOT];

/** The protocol of that name, or without a name the first that recognises the image; null where there is none. */
export function protocolFor(image: Uint8Array, name: string | null): BootProtocol | null {
  const known = (protocol: BootProtocol) =>
    name === null ? protocol.recognises(image) : protocol.name === name;
  return BOOT_PROTOCOLS.find(known) ?? null;
}
