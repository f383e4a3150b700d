/** The memory map that vmd tells the guest: through fw_cfg to a BIOS, in the boot arguments to an ELF kernel. */
import type { Machine } from '../../machine/machine';
import { E820_RAM, E820_RESERVED, e820OfRegions, type E820Entry } from '../e820';
import { createMemoryMap } from './layout';
import { isVmdSince, lowmemEnd, type VmdVersion } from './versions';

export interface GuestMemoryMap {
  readonly entries: readonly E820Entry[];
  /** The source that says so. */
  readonly citation: string;
}

/**
 * What a guest with `memory` bytes is told, or null where vmd passes no map: the BIOS of 2016 and 2018 reads the size
 * from the RTC's NVRAM and makes its own.
 */
export function guestMemoryMap(
  version: VmdVersion,
  memory: bigint,
  boot: 'bios' | 'elf',
): GuestMemoryMap | null {
  const ranges = createMemoryMap(version, memory);
  if (isVmdSince(version.id, '7.6')) {
    const citation =
      boot === 'bios'
        ? 'usr.sbin/vmd/fw_cfg.c rev 1.11 (2025-06-12), fw_cfg_init: file etc/e820'
        : 'usr.sbin/vmd/loadfile_elf.c rev 1.51 (2025-06-23), create_bios_memmap';
    return {
      entries: ranges.map(({ range, type }) => ({ range, type: type === 'ram' ? E820_RAM : E820_RESERVED })),
      citation,
    };
  }
  if (boot === 'bios') return null;
  // Until 2019 the map had no types: everything was RAM, cut at LOWMEM_KB below 1 MiB.
  const low = lowmemEnd(version.facts);
  const entries = ranges
    .filter(({ range }) => range.start === 0n || range.start >= 0x100000n)
    .map(({ range }) => ({
      range: range.start === 0n && range.end > low ? { start: 0n, end: low } : range,
      type: E820_RAM,
    }));
  return { entries, citation: 'usr.sbin/vmd/loadfile_elf.c rev 1.34 (2019), create_bios_memmap' };
}

/** What a machine's guest is told: of a config as vmd computes it, of a memory map what the map says. */
export function toldMap(
  { memory, regions }: Pick<Machine, 'memory' | 'regions'>,
  version: VmdVersion,
  boot: 'bios' | 'elf',
): GuestMemoryMap | null {
  const map = guestMemoryMap(version, memory?.value ?? 0n, boot);
  return map && memory === null ? { ...map, entries: e820OfRegions(regions) } : map;
}
