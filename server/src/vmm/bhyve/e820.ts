/** The memory maps that a guest of bhyve is told, by who tells it. */
import { isEmpty, KIB, MIB } from '../../address/range';
import { E820_RAM, type E820Entry } from '../e820';
import { bhyveMemory } from './layout';
import type { BhyveVersion } from './versions';

/** E820_VGA_MEM_BASE and E820_ROM_MEM_END of e820.c; grub2-bhyve has the same numbers. */
const HOLE = { start: 640n * KIB, end: MIB } as const;

/** RAM with the legacy hole cut out, at most three entries. */
export function ramMap(size: bigint): E820Entry[] {
  const { low, high } = bhyveMemory(size);
  return [
    { start: 0n, end: low.end < HOLE.start ? low.end : HOLE.start },
    { start: HOLE.end, end: low.end },
    high,
  ]
    .filter((range) => range.start < range.end && !isEmpty(range))
    .map((range) => ({ range, type: E820_RAM }));
}

/** File etc/e820 of fw_cfg (e820_init, e820_finalize); null where bhyve keeps no map. */
export function firmwareMap({ facts }: BhyveVersion, size: bigint): E820Entry[] | null {
  return facts.e820 ? ramMap(size) : null;
}
