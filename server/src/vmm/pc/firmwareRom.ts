/** A firmware ROM on the plain PC: all of it below 4 GiB, and its end below 1 MiB too, where real mode reaches it. */
import { GIB, KIB, MIB, type AddressRange } from '../../address/range';
import { checkPcRom } from '../../machine/image/rom';
import type { WriteMemory } from '../loaders/loader';

/** The ISA BIOS area: how much of the ROM's end is below 1 MiB too, as on QEMU's machine type pc. */
const LOW_SIZE = 128n * KIB;

/** Where the ROM lies below 4 GiB. */
export function romRange(rom: Uint8Array): AddressRange {
  return { start: 4n * GIB - BigInt(rom.length), end: 4n * GIB };
}

/**
 * Fills the ROM and the BIOS area. The latter is shadow RAM from the start: what the firmware copies there is what it finds.
 * Returns why the ROM cannot be used, or null.
 */
export function loadRom(rom: Uint8Array, write: WriteMemory): string | null {
  const wrong = checkPcRom(rom);
  if (wrong) return wrong.problem;
  const size = BigInt(rom.length);
  const low = size > LOW_SIZE ? rom.subarray(Number(size - LOW_SIZE)) : rom;
  write(romRange(rom).start, rom);
  write(MIB - BigInt(low.length), low);
  return null;
}
