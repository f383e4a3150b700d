/** What Propolis tells the firmware of the memory: etc/e820 from fw_cfg, and bytes of CMOS. */
import { KIB, MIB, sizeOf } from '../../address/range';
import type { Machine } from '../../machine/machine';
import { E820_RAM, E820_RESERVED, type E820Entry } from '../e820';
import { physicalMap, splitMemory } from './layout';
import type { PropolisVersion } from './versions';

/** How much memory a machine has: as its config says, else what its memory map has of RAM. */
export function memoryOf({ memory, regions }: Pick<Machine, 'memory' | 'regions'>): bigint {
  if (memory) return memory.value;
  const ram = regions.filter(({ kind }) => kind === 'ram');
  return ram.reduce((sum, { range }) => sum + sizeOf(range), 0n);
}

/** The map of a machine that is run on regions of its own: what generate_e820 would make of them. */
export function regionsE820(regions: Machine['regions']): E820Entry[] {
  return regions
    .filter(({ kind }) => kind === 'ram' || kind === 'rom')
    .map(({ range, kind }) => ({ range, type: kind === 'ram' ? E820_RAM : E820_RESERVED }));
}

/**
 * generate_e820: an entry for each region of the map in its order, memory as RAM and all else as reserved. EDK2 reads only
 * entries from 4 GiB on; what lies below it learns from CMOS. Null for versions without it.
 */
export function guestE820(version: PropolisVersion, memory: bigint): E820Entry[] | null {
  if (!version.facts.e820) return null;
  return physicalMap(version, memory).map(({ range, kind }) => ({
    range,
    type: kind === 'ram' ? E820_RAM : E820_RESERVED,
  }));
}

const CHUNK = 64n * KIB;

/**
 * BhyveRtc::memsize_to_nvram (hw/bhyve/rtc.rs): sizes at QEMU's indexes. They are cut to the width of their place, not limited
 * to its largest value: base memory (0x15) is 0 for every multiple of 64 MiB, and high memory (0x5b to 0x5d, in 64 KiB) wraps at
 * 1 TiB. The commit of 2025-06-24 means to limit the latter, but to 2^32 - 1, which nothing reaches; so it wraps still.
 */
export function cmosBytes(memory: bigint): Record<number, number> {
  const { low, high } = splitMemory(memory);
  const bytes: Record<number, number> = {};
  const put = (index: number, value: bigint, count: number) => {
    for (let i = 0; i < count; i++) bytes[index + i] = Number((value >> BigInt(8 * i)) & 0xffn);
  };
  const base = (low.end / KIB) & 0xffffn;
  put(0x15, base < 640n ? base : 640n, 2);
  if (low.end > MIB) {
    const extended = (low.end - MIB) / KIB;
    put(0x17, extended, 2);
    put(0x30, extended, 2);
  }
  if (low.end > 16n * MIB) put(0x34, (low.end - 16n * MIB) / CHUNK, 2);
  if (high) put(0x5b, sizeOf(high) / CHUNK, 3);
  return bytes;
}
