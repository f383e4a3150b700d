/** What the guest is told of its memory (src/arch/src/x86_64/mod.rs, configure_64bit_boot and configure_pvh). */
import { fromLength } from '../../address/range';
import { E820_RAM, E820_RESERVED, type E820Entry } from '../e820';
import { FOUR_GIB, HIGH_MEMORY, MMIO_START, MP_TABLE, RSDP } from './addresses';

/**
 * The entries in libkrun's order. `end` is the exclusive end of RAM, which libkrun takes for its last byte: the entry that
 * ends there is one byte too long. A 64-bit boot has RAM only; PVH says that the MP table is reserved.
 */
export function libkrunMemoryMap(end: bigint, pvh: boolean): E820Entry[] {
  const entry = (start: bigint, length: bigint, type = E820_RAM): E820Entry => ({
    range: fromLength(start, length),
    type,
  });
  const entries = [entry(0n, MP_TABLE)];
  if (pvh) entries.push(entry(MP_TABLE, RSDP - MP_TABLE, E820_RESERVED));
  if (end < MMIO_START) return [...entries, entry(HIGH_MEMORY, end - HIGH_MEMORY + 1n)];
  entries.push(entry(HIGH_MEMORY, MMIO_START - HIGH_MEMORY));
  if (end > FOUR_GIB) entries.push(entry(FOUR_GIB, end - FOUR_GIB + 1n));
  return entries;
}

/** The exclusive end of RAM as the regions of a machine have it, or 0 without RAM. */
export function endOfRam(ranges: readonly { readonly end: bigint }[]): bigint {
  return ranges.reduce((last, { end }) => (end > last ? end : last), 0n);
}
