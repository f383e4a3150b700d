/** How libkrun cuts a guest's memory (src/arch/src/x86_64/mod.rs, arch_memory_regions; src/vmm/src/device_manager/shm.rs). */
import { fromLength, GIB, PAGE, type AddressRange } from '../../address/range';
import { FOUR_GIB, MMIO_START } from './addresses';
import type { LibkrunFacts } from './versions';

/** A kernel that is mapped into the guest and so lies in a hole of its memory. */
export type KernelHole = AddressRange;

export interface LibkrunMemory {
  /** What is allocated, in libkrun's order; the kernel's hole lies between the first two. */
  readonly ram: readonly AddressRange[];
  /** `ram_last_addr`: exclusive, although configure_system adds 1 to it as if it were a last byte. */
  readonly end: bigint;
  /** `ram_below_gap` and `ram_above_gap`, which CMOS tells. */
  readonly belowGap: bigint;
  readonly aboveGap: bigint;
  /** `shm_start_addr`. */
  readonly sharedStart: bigint;
}

/** Null where libkrun panics: the kernel does not fit in RAM. `size` in bytes. */
export function libkrunMemory(size: bigint, hole: KernelHole | null): LibkrunMemory | null {
  const asked = ((size + PAGE - 1n) / PAGE) * PAGE;
  if (asked <= MMIO_START) {
    if (hole && asked < hole.end) return null;
    // With a hole the whole size comes behind it, so the guest has the memory below the kernel besides.
    const end = hole ? hole.end + asked : asked;
    return {
      ram: hole
        ? [
            { start: 0n, end: hole.start },
            { start: hole.end, end },
          ]
        : [{ start: 0n, end }],
      end,
      belowGap: asked,
      aboveGap: 0n,
      sharedStart: FOUR_GIB,
    };
  }
  const above = asked - MMIO_START;
  const end = FOUR_GIB + above;
  const below = hole
    ? [
        { start: 0n, end: hole.start },
        { start: hole.end, end: MMIO_START },
      ]
    : [{ start: 0n, end: MMIO_START }];
  return {
    ram: [...below, { start: FOUR_GIB, end }],
    end,
    belowGap: MMIO_START,
    aboveGap: above,
    sharedStart: (end / GIB + 1n) * GIB,
  };
}

/** MMIO_SHM_SIZE of the versions with one window for all. */
const FIXED_WINDOW = 8n * GIB;

/** The windows of virtio-fs, one behind the other. `sizes` in bytes. */
export function sharedWindows(
  memory: LibkrunMemory,
  sizes: readonly bigint[],
  facts: LibkrunFacts,
): AddressRange[] {
  if (facts.sharedMemory === 'fixed') return [fromLength(memory.sharedStart, FIXED_WINDOW)];
  let start = memory.sharedStart;
  return sizes.map((size) => {
    const window = fromLength(start, ((size + PAGE - 1n) / PAGE) * PAGE);
    start = window.end;
    return window;
  });
}
