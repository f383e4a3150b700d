/** Puts the memory of a board into a core, whatever sizes a config asked for. */
import { hex } from '../address/format';
import { PAGE } from '../address/range';
import type { Core } from '../../emulator/face';
import type { Board } from '../vmm/model';

type Slots = Board['slots'];

/** No x86-64 CPU has a wider physical address (MAXPHYADDR: SDM vol. 3A, 4.1.4; APM vol. 2, 5.1). */
const ADDRESSES_END = 1n << 52n;

/** Whole pages below 2^52, as far as the slots have any. Says what could not be mapped, or null. */
export function mapSlots(core: Core, slots: Slots): string | null {
  try {
    for (const { start, end, kind } of slots.map(addressable)) if (start < end) core.map(start, end, kind);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return `the emulator cannot hold its memory (${error.message}), so nothing is simulated`;
  }
  const beyond = slots.find(({ end }) => end > ADDRESSES_END);
  return beyond
    ? `its memory reaches ${hex(beyond.end)}, and a physical address has 52 bits at most, so nothing is simulated`
    : null;
}

function addressable({ start, end, kind }: Slots[number]): Slots[number] {
  const last = end < ADDRESSES_END ? end : ADDRESSES_END;
  return { start: ((start + PAGE - 1n) / PAGE) * PAGE, end: (last / PAGE) * PAGE, kind };
}
