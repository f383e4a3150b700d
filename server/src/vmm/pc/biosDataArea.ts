/**
 * The words of the BIOS data area that boot code asks without a BIOS: the first serial port, and where conventional memory
 * ends, twice (IBM BIOS Interface Technical Reference, BIOS data area; Xen puts its trampoline below it).
 */
import { KIB } from '../../address/range';
import { EBDA } from './layout';
import type { WriteMemory } from '../loaders/loader';

const SERIAL_PORTS = 0x400n;
/** Segment of the extended BIOS data area. */
const EBDA_SEGMENT = 0x40en;
/** KiB below the extended BIOS data area. */
const BASE_MEMORY = 0x413n;

export function writeBiosDataArea(write: WriteMemory): void {
  const words: readonly (readonly [address: bigint, value: number])[] = [
    [SERIAL_PORTS, 0x3f8],
    [EBDA_SEGMENT, Number(EBDA.start >> 4n)],
    [BASE_MEMORY, Number(EBDA.start / KIB)],
  ];
  for (const [address, value] of words) write(address, Uint8Array.of(value & 0xff, value >> 8));
  // The first byte of the extended area is its length in KiB.
  write(EBDA.start, Uint8Array.of(Number((EBDA.end - EBDA.start) / KIB)));
}
