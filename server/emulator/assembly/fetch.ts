/** From RIP to decoded instructions: the fetch TLB, blocks of the code pages, and single instructions that aren't kept. */
import {
  ARENA_END, ARENA_TOP, BLOCK_RIP, CODE_TABLE, CS, FETCH_BUFFER, MODE, RIP, SCRATCH_BLOCK, SEG_BASE, SEG_LIMIT,
  SEGMENT_SIZE, SEGMENTS, TLB_BITS, TLB_FETCH_ENTRIES, TLB_FETCH_SIZE, TLB_SET, WALK_TLB,
} from "./layout";
import { PAGE_MASK, canonical, onward } from "./access";
import { codePage, dropAllCode, markCode } from "./code";
import { decode, endsBlock } from "./decode";
import { Reason } from "./events";
import { GP, betweenBlocks, raise } from "./fault";
import { FETCH, translate } from "./mmu";
import { OP_END, OP_SIZE } from "./op";
import { hostOf, physicalRead, touch } from "./physical";
import { fetchTlb, fillFetch } from "./tlb";

/** Block header: count of ops u16, length in bytes u16. */
export const BLOCK_HEADER = 8;
const BLOCK_BYTES = 2;
const CODE_SEGMENT: usize = SEGMENTS + CS * SEGMENT_SIZE;
const MAX_OPS = 32;

/** The block at RIP, quickly where it is known; raises what the fetch raises. */
@inline export function nextBlock(): usize {
  const mode: u32 = load<u8>(MODE);
  const rip = load<u64>(RIP);
  const linear = mode == 2 ? rip : (load<u64>(CODE_SEGMENT, SEG_BASE) + rip) & 0xffffffff;
  const block = cached(linear, mode);
  if (block && (mode == 2 || rip + load<u16>(block, BLOCK_BYTES) - 1 <= <u64>load<u32>(CODE_SEGMENT, SEG_LIMIT))) return block;
  return fetchBlock();
}

@inline function cached(linear: u64, mode: u32): usize {
  const entry = fetchTlb + (<usize>(linear >> 12) & (TLB_FETCH_ENTRIES - 1)) * TLB_FETCH_SIZE;
  if (load<u64>(entry) != ((linear & PAGE_MASK) | mode)) return 0;
  return load<u32>(<usize>load<u32>(entry, 12) + ((<usize>linear & 0xfff) << 2), CODE_TABLE);
}

/** The block at RIP; raises what the fetch raises. */
export function fetchBlock(): usize {
  betweenBlocks();
  const mode: u32 = load<u8>(MODE);
  let rip = load<u64>(RIP);
  if (mode == 2) {
    const block = enter(rip, mode);
    return block ? block : single(rip, mode, ~(<u64>0));
  }
  if (mode == 1 && rip > 0xffffffff) {
    rip &= 0xffffffff;
    store<u64>(RIP, rip);
    store<u64>(BLOCK_RIP, rip);
  }
  const limit: u64 = load<u32>(CODE_SEGMENT, SEG_LIMIT);
  if (rip > limit) raise(GP, 0, Reason.FetchLimit, rip, limit);
  const linear = (load<u64>(CODE_SEGMENT, SEG_BASE) + rip) & 0xffffffff;
  const block = enter(linear, mode);
  if (block && rip + load<u16>(block, BLOCK_BYTES) - 1 <= limit) return block;
  return single(linear, mode, limit - rip + 1);
}

/**
 * Fills the fetch TLB and decodes a block; 0 where the first instruction can't be kept. What the TLB translates stays so,
 * decoded or not: else it would depend on what is decoded whether a stale translation is used.
 */
function enter(linear: u64, mode: u32): usize {
  if (mode == 2 && !canonical(linear)) raise(GP, 0, Reason.NonCanonicalTarget, linear);
  const index = <u32>(linear >> 12) & (TLB_FETCH_ENTRIES - 1);
  const entry = fetchTlb + index * TLB_FETCH_SIZE;
  const tag = (linear & PAGE_MASK) | mode;
  let gpa: u64;
  let bits: u32;
  if (load<u64>(entry) == tag) {
    const info = load<u64>(entry, 16);
    gpa = (info & PAGE_MASK) | (linear & 0xfff);
    bits = <u32>info & TLB_BITS;
  } else {
    gpa = translate(linear, FETCH, load<u32>(TLB_SET));
    bits = load<u32>(WALK_TLB);
  }
  const leaf = touch(gpa);
  if (!leaf) return 0;
  let page = codePage(leaf, mode);
  if (!page || load<u32>(ARENA_TOP) + BLOCK_HEADER + MAX_OPS * OP_SIZE > <u32>ARENA_END) {
    dropAllCode();
    page = codePage(leaf, mode);
  }
  fillFetch(fetchTlb, index, tag, hostOf(leaf), page, (gpa & PAGE_MASK) | bits);
  const offset = <u32>gpa & 0xfff;
  const known = load<u32>(page + CODE_TABLE + (offset << 2));
  if (known) return known;
  return build(leaf, page, gpa, offset, mode);
}

function build(leaf: usize, page: usize, gpa: u64, offset: u32, mode: u32): usize {
  const block: usize = load<u32>(ARENA_TOP);
  const host = hostOf(leaf);
  let op = block + BLOCK_HEADER;
  let count: u32 = 0;
  let at = offset;
  while (count < <u32>MAX_OPS && at < 0x1000) {
    const length = decode(op, host + at, 0x1000 - at, mode);
    if (!length) break;
    at += length;
    store<u16>(op, <u16>(at - offset), OP_END);
    op += OP_SIZE;
    count++;
    if (endsBlock) break;
  }
  if (!count) return 0;
  store<u16>(block, <u16>count);
  store<u16>(block, <u16>(at - offset), BLOCK_BYTES);
  store<u32>(ARENA_TOP, <u32>op);
  markCode(leaf, page, gpa, offset, at - offset);
  store<u32>(page + CODE_TABLE + (offset << 2), <u32>block);
  return block;
}

/**
 * Adds up to `count` bytes of the page at `gpa` behind the `have` bytes in the buffer and decodes: the length, 0 where more
 * bytes are needed. Device memory is read byte by byte, no further than the instruction needs.
 */
function gather(gpa: u64, have: u32, count: u32, mode: u32): u32 {
  const op: usize = SCRATCH_BLOCK + BLOCK_HEADER;
  const leaf = touch(gpa);
  if (leaf) {
    memory.copy(FETCH_BUFFER + have, hostOf(leaf) + (<u32>gpa & 0xfff), count);
    return decode(op, FETCH_BUFFER, have + count, mode);
  }
  let length: u32 = 0;
  for (let n: u32 = 0; n < count && !length; n++) {
    store<u8>(FETCH_BUFFER + have + n, physicalRead<u8>(gpa + n));
    length = decode(op, FETCH_BUFFER, have + n + 1, mode);
  }
  return length;
}

/** One instruction that isn't kept. `limit` bytes of the segment are left. */
function single(linear: u64, mode: u32, limit: u64): usize {
  if (mode == 2 && !canonical(linear)) raise(GP, 0, Reason.NonCanonicalTarget, linear);
  const set = load<u32>(TLB_SET);
  const inPage = 0x1000 - (<u32>linear & 0xfff);
  const allowed = <u32>min<u64>(limit, 15);
  const gpa = translate(linear, FETCH, set);
  const first = min<u32>(inPage, allowed);
  let length = gather(gpa, 0, first, mode);
  if (!length) {
    if (first == allowed) raise(GP, 0, Reason.FetchLimit, load<u64>(RIP), limit);
    const next = onward(linear, inPage);
    if (mode == 2 && !canonical(next)) raise(GP, 0, Reason.NonCanonicalTarget, next);
    length = gather(translate(next, FETCH, set), inPage, allowed - inPage, mode);
    if (!length) raise(GP, 0, Reason.FetchLimit, load<u64>(RIP), limit);
  }
  store<u16>(SCRATCH_BLOCK, 1);
  store<u16>(SCRATCH_BLOCK, <u16>length, BLOCK_BYTES);
  store<u16>(SCRATCH_BLOCK + BLOCK_HEADER, <u16>length, OP_END);
  return SCRATCH_BLOCK;
}
