/**
 * The inner loop: block after block of decoded instructions. What it needs from one instruction to the next lives in memory,
 * not in variables: around a switch of this size the engine keeps variables in stack slots and copies them at each turn.
 */
import { AT, ATTENTION, BLOCK_RIP, BUDGET, END, FIRST, NOW, RIP } from "./layout";
import { execute } from "./execute";
import { BLOCK_HEADER, nextBlock } from "./fetch";
import { OP_END, OP_SIZE } from "./op";

/** Runs until the clock reads `until`, or something needs attention; `alone`: one instruction. */
export function runUntil(until: u64, alone: bool): void {
  // Whoever moves the horizon asks for attention as well.
  let now = load<u64>(NOW);
  while (now < until) {
    const budget: u32 = alone ? 1 : <u32>min<u64>(until - now, 0x40000000);
    const block = nextBlock();
    const first = block + BLOCK_HEADER;
    store<u64>(BLOCK_RIP, load<u64>(RIP));
    store<u32>(FIRST, <u32>first);
    store<u32>(AT, <u32>first);
    store<u32>(BUDGET, budget);
    store<u32>(END, <u32>(first + min<u32>(load<u16>(block), budget) * OP_SIZE));
    do {
      const op: usize = load<u32>(AT);
      store<u64>(RIP, load<u64>(BLOCK_RIP) + load<u16>(op, OP_END));
      execute(op);
      store<u32>(AT, load<u32>(AT) + OP_SIZE);
    } while (load<u32>(AT) < load<u32>(END));
    now = load<u64>(NOW) + (load<u32>(AT) - load<u32>(FIRST)) / OP_SIZE;
    store<u64>(NOW, now);
    if (load<u32>(ATTENTION) | <u32>alone) break;
  }
  store<u32>(AT, 0);
  store<u32>(FIRST, 0);
}
