/** The memory map that the guest is told, in Cloud Hypervisor's order: the reserved ECAM comes last, below what stands before it. */
import type { Machine } from '../../machine/machine';
import { E820_RAM, E820_RESERVED, e820OfRegions, type E820Entry } from '../e820';
import { EBDA, ECAM, HIGH_RAM } from './addresses';
import { ramRanges } from './memory';

/**
 * arch/src/x86_64/mod.rs, configure_pvh with generate_ram_ranges; configure_32bit_entry and, to v15.0, configure_64bit_boot make
 * the same entries. Memory that may be plugged is not told.
 */
export function guestMemoryMap(machine: Machine): E820Entry[] {
  if (machine.memory === null) return e820OfRegions(machine.regions);
  const [low, high] = ramRanges(machine.memory.value);
  const entries: E820Entry[] = [{ range: { start: 0n, end: EBDA }, type: E820_RAM }];
  if (low) entries.push({ range: { start: HIGH_RAM, end: low.end }, type: E820_RAM });
  if (high) entries.push({ range: high, type: E820_RAM });
  entries.push({ range: ECAM, type: E820_RESERVED });
  return entries;
}
