/** Raw firmware images: no header, the last byte sits right below 1 MiB and below 4 GiB. */
import { hex } from '../../address/format';
import type { ImageProblem } from './problem';
import { isElf } from './elf';

/** The reset vector's offset from the end: a shorter image does not reach it with a whole instruction. */
export const SMALLEST_ROM = 15;
export const LARGEST_ROM = 16 * 1024 * 1024;

/** Checks what can be told of a raw image without running it; null where it can be used. */
export function checkRom(bytes: Uint8Array): ImageProblem | null {
  if (bytes.length === 0) return { problem: 'the firmware file is empty' };
  if (bytes.length < SMALLEST_ROM) {
    return {
      problem: `the firmware has ${bytes.length} bytes, fewer than the ${SMALLEST_ROM} up to the reset vector`,
    };
  }
  if (bytes.length > LARGEST_ROM) {
    return { problem: `the firmware has ${bytes.length} bytes, more than 16 MiB` };
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    return { problem: 'the firmware is compressed with gzip; a raw image is needed' };
  }
  if (isElf(bytes)) return { problem: 'the firmware is an ELF file; give it as the kernel image' };
  return resetVector(bytes);
}

/** The 16 bytes at the reset vector must hold something: erased flash or zeroes never start. */
function resetVector(bytes: Uint8Array): ImageProblem | null {
  const vector = bytes.subarray(Math.max(0, bytes.length - 16));
  const first = vector[0]!;
  if (first !== 0x00 && first !== 0xff) return null;
  if (!vector.every((byte) => byte === first)) return null;
  return {
    problem: `the 16 bytes at the reset vector are all ${hex(first)}: this is no firmware image, so it is not run here, although a VMM would not look`,
  };
}
