/** Raw firmware images: no header, the last byte sits right below 1 MiB and below 4 GiB. */
import { hex } from '../../address/format';
import { isBootSector } from './bootSector';
import type { ImageProblem } from './problem';
import { isElf } from './elf';

/** The reset vector's offset from the end: a shorter image does not reach it with a whole instruction. */
export const SMALLEST_ROM = 15;
const LARGEST_ROM = 16 * 1024 * 1024;

/** Sectors of flash chips: the size of a ROM is a multiple of it. */
const FLASH_SECTOR = 4096;
/** Half of what SeaBIOS had at first; QEMU's qboot and probes are that large. */
const SMALLEST_PC_ROM = 64 * 1024;

/** What may stand before the jump of a reset vector: NOP, CLI, CLD, WBINVD, MOV EAX, CR0, TEST AL, imm8. */
const BEFORE_JUMP: readonly (readonly [opcode: readonly number[], length: number])[] = [
  [[0x90], 1],
  [[0xfa], 1],
  [[0xfc], 1],
  [[0x0f, 0x09], 2],
  [[0x0f, 0x20, 0xc0], 3],
  [[0xa8], 2],
];
/** JMP rel16, JMP ptr16:16, JMP rel8, JZ rel8, JNZ rel8. */
const JUMPS: readonly number[] = [0xe9, 0xea, 0xeb, 0x74, 0x75];

/** True for what looks like the ROM of a PC: its size and its reset vector, and none of the marks of other images. */
export function isPcRom(bytes: Uint8Array): boolean {
  return checkPcRom(bytes) === null && !isBootSector(bytes) && jumpsAtReset(bytes);
}

/** As `checkRom`, with what a PC wants of a ROM's size. */
export function checkPcRom(bytes: Uint8Array): ImageProblem | null {
  const { length } = bytes;
  if (length > 0 && length < SMALLEST_PC_ROM) {
    return { problem: `the ROM has ${length} bytes, a PC takes ${SMALLEST_PC_ROM} (64 KiB) at least` };
  }
  if (length % FLASH_SECTOR !== 0) {
    return {
      problem: `the ROM has ${length} bytes, ${length % FLASH_SECTOR} more than a multiple of 4 KiB, the sector size of flash`,
    };
  }
  return checkRom(bytes);
}

function jumpsAtReset(bytes: Uint8Array): boolean {
  let at = bytes.length - 16;
  while (at < bytes.length) {
    const known = BEFORE_JUMP.find(([opcode]) => opcode.every((byte, index) => bytes[at + index] === byte));
    if (!known) return JUMPS.includes(bytes[at]!);
    at += known[1];
  }
  return false;
}

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
