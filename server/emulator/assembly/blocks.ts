/**
 * The inner loop: block after block of decoded instructions. What it needs from one instruction to the next lives in memory,
 * not in variables: around a switch of this size the engine keeps variables in stack slots and copies them at each turn.
 */
import { AT, ATTENTION, BLOCK_RIP, BUDGET, END, FIRST, NOW, RIP } from "./layout";
import { execute } from "./execute";
import { BLOCK_HEADER, nextBlock } from "./fetch";
import { OP_END, OP_SIZE } from "./op";

/** Makes the block at RIP the running one, or as much of it as `budget` allows. */
@inline function begin(budget: u32): void {
  const block = nextBlock();
  const first = block + BLOCK_HEADER;
  store<u64>(BLOCK_RIP, load<u64>(RIP));
  store<u32>(FIRST, <u32>first);
  store<u32>(AT, <u32>first);
  store<u32>(BUDGET, budget);
  store<u32>(END, <u32>(first + min<u32>(load<u16>(block), budget) * OP_SIZE));
}
@inline function budgetOf(left: u64): u32 {
  return <u32>min<u64>(left, 0x40000000);
}

/** Runs until the clock reads `until`, or something needs attention; `alone`: one instruction. */
export function runUntil(until: u64, alone: bool): void {
  // Whoever moves the horizon asks for attention as well.
  let now = load<u64>(NOW);
  if (now >= until) return;
  begin(alone ? 1 : budgetOf(until - now));
  // One loop, not one in another: the engine would fill dozens of stack slots at each entry of an inner one.
  do {
    const op: usize = load<u32>(AT);
    store<u64>(RIP, load<u64>(BLOCK_RIP) + load<u16>(op, OP_END));
    execute(op);
    store<u32>(AT, load<u32>(AT) + OP_SIZE);
    if (load<u32>(AT) < load<u32>(END)) continue;
    now = load<u64>(NOW) + (load<u32>(AT) - load<u32>(FIRST)) / OP_SIZE;
    store<u64>(NOW, now);
    if (load<u32>(ATTENTION) | <u32>alone) break;
    if (now >= until) break;
    begin(budgetOf(until - now));
  } while (true);
  store<u32>(AT, 0);
  store<u32>(FIRST, 0);
}
