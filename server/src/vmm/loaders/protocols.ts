/** The boot protocols of an image that no firmware loads. */
import { BOOT_SECTOR } from './bootSector';
import { ELF } from './elf';
import { LINUX_16, LINUX_32, LINUX_64 } from './linux';
import { LINUX_ELF_32, LINUX_ELF_64 } from './linuxElf';
import type { BootProtocol } from './loader';
import { MULTIBOOT } from './multiboot';
import { MULTIBOOT2 } from './multiboot2';
import { OPENBSD } from './openbsd';
import { PVH } from './pvh';

/** An image that several know is booted by the first of them. */
export const BOOT_PROTOCOLS: readonly BootProtocol[] = [
  BOOT_SECTOR,
  MULTIBOOT,
  MULTIBOOT2,
  PVH,
  LINUX_64,
  LINUX_32,
  LINUX_16,
  LINUX_ELF_64,
  LINUX_ELF_32,
  OPENBSD,
  ELF,
];

/** The protocol of that name, or without a name the first that recognises the image; null where there is none. */
export function protocolFor(image: Uint8Array, name: string | null): BootProtocol | null {
  const known = (protocol: BootProtocol) =>
    name === null ? protocol.recognises(image) : protocol.name === name;
  return BOOT_PROTOCOLS.find(known) ?? null;
}
