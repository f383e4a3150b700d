/** The memory map that Firecracker tells its guest, in the zero page and in PVH's start info alike. */
import type { Machine } from '../../machine/machine';
import { E820_RAM, E820_RESERVED, e820OfRegions, type E820Entry } from '../e820';
import { dramRanges, HIGH_MEMORY, SYSTEM_DATA } from './layout';
import type { FirecrackerFacts } from './versions';

/** In the order in which Firecracker adds the entries; it does not sort them. */
export function firecrackerMap(facts: FirecrackerFacts, memory: bigint): E820Entry[] {
  const { reservedEnd, pciConfiguration } = facts;
  const ram = dramRanges(facts, memory)
    .map(({ start, end }) => ({ start: start < HIGH_MEMORY ? HIGH_MEMORY : start, end }))
    .filter(({ start, end }) => end > start)
    .map((range) => ({ range, type: E820_RAM }));
  return [
    { range: { start: 0n, end: SYSTEM_DATA }, type: E820_RAM },
    ...(reservedEnd === null
      ? []
      : [{ range: { start: SYSTEM_DATA, end: reservedEnd }, type: E820_RESERVED }]),
    ...(pciConfiguration ? [{ range: pciConfiguration, type: E820_RESERVED }] : []),
    ...(facts.highFirst ? ram.reverse() : ram),
  ];
}

/** What a machine's guest is told: of a config as Firecracker computes it, of a memory map what the map says. */
export function toldMap({ memory, regions }: Machine, facts: FirecrackerFacts): E820Entry[] {
  if (memory) return firecrackerMap(facts, memory.value);
  return e820OfRegions(regions);
}
