/** Where vmd puts a raw BIOS image (`loadfile_bios`), by generation. */
import { formatSize, hex } from '../../address/format';
import { GIB, MIB } from '../../address/range';
import { checkRom, SMALLEST_ROM } from '../../machine/image/rom';
import type { VmdBehaviour } from './exits';
import { lowmemEnd, type VmdFacts } from './versions';

/** Writes guest memory; false where a byte is outside every range. */
export type WriteMemory = (address: bigint, bytes: Uint8Array) => boolean;

/**
 * Copies the image below 1 MiB and below 4 GiB as this generation does. Returns why vmd refuses to start the VM, or
 * null.
 */
export function loadFirmware(
  image: Uint8Array,
  facts: VmdFacts,
  behaviour: VmdBehaviour,
  write: WriteMemory,
): string | null {
  const wrong = checkRom(image);
  if (wrong && image.length >= SMALLEST_ROM) return wrong.problem;
  if (wrong)
    return behaviour.partialLowCopy ? `${wrong.problem}; vmd says "bios image too small"` : wrong.problem;
  const size = BigInt(image.length);
  const room = MIB - lowmemEnd(facts);
  if (behaviour.partialLowCopy && size > facts.firmwareSize) {
    return `the firmware has ${size} bytes; vmd says "bios image too large" beyond ${formatSize(facts.firmwareSize)}`;
  }
  if (!behaviour.partialLowCopy && size > MIB) {
    return `the firmware has ${size} bytes; this vmd puts all of it below 1 MiB, so it cannot be larger than that`;
  }
  const low = behaviour.partialLowCopy && size > room ? image.subarray(Number(size - room)) : image;
  if (facts.firmwareSize > 0n && !write(4n * GIB - size, image)) {
    return (
      `the firmware does not fit at ${hex(4n * GIB - size)} up to 4 GiB: ` +
      'no range of the VM covers all of it, so vmd fails to load it and does not start the VM'
    );
  }
  return write(MIB - BigInt(low.length), low) ? null : 'there is no guest memory below 1 MiB';
}
