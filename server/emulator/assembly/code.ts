/**
 * Where decoded blocks are kept. A physical page that holds decoded code has a code page per code size (16, 32, 64 bit),
 * with a block pointer for each byte, and its write-TLB entries are marked: so a write to code always takes the slow path.
 */
import {
  ARENA, ARENA_TOP, CODE_BITMAP, CODE_MODE, CODE_NEXT, CODE_PAGE_COUNT, CODE_PAGE_SIZE, CODE_PAGES, CODE_TABLE, EMPTY_CODE_PAGE,
  END, MAX_CODE_PAGES, PAGE_COUNT, PAGES, TLB_FETCH, TLB_FETCH_ENTRIES, TLB_FETCH_SIZE, TLB_SET_SIZE, TLB_VCPU_SIZE, TLBS,
  VCPU_COUNT,
} from "./layout";
import { PAGE_CODE, leafOf } from "./physical";
import { noticeWrites } from "./tlb";

/** Forgets the blocks of one page and stops the running block after its present instruction. */
export function dropCode(leaf: usize): void {
  let page = load<u32>(leaf, 4);
  while (page) {
    memory.fill(page + CODE_TABLE, 0, 0x4000);
    store<u64>(page, 0, CODE_BITMAP);
    page = load<u32>(page, CODE_NEXT);
  }
  store<u32>(leaf, load<u32>(leaf) & ~PAGE_CODE);
  store<u32>(END, 0);
}

/** Forgets all decoded code. Only between blocks. */
export function dropAllCode(): void {
  store<u32>(ARENA_TOP, ARENA);
  store<u32>(CODE_PAGE_COUNT, 0);
  const count = load<u32>(PAGE_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const leaf = leafOf(load<u64>(PAGES + (i << 3)), false);
    store<u32>(leaf, load<u32>(leaf) & ~PAGE_CODE);
    store<u32>(leaf, 0, 4);
  }
  const vcpus = load<u32>(VCPU_COUNT);
  for (let v: u32 = 0; v < vcpus; v++)
    for (let set: u32 = 0; set < 3; set++)
      forgetCodePages(TLBS + v * TLB_VCPU_SIZE + set * TLB_SET_SIZE + TLB_FETCH);
}
/** The translations stay; only what was decoded is gone. */
function forgetCodePages(tlb: usize): void {
  for (let i: u32 = 0; i < <u32>TLB_FETCH_ENTRIES; i++) store<u32>(tlb + i * TLB_FETCH_SIZE, EMPTY_CODE_PAGE, 12);
}

/** The code page of a physical page for a code size, made if there is none. 0: the pool is used up. */
export function codePage(leaf: usize, mode: u32): usize {
  let page = load<u32>(leaf, 4);
  while (page) {
    if (load<u32>(page, CODE_MODE) == mode) return page;
    page = load<u32>(page, CODE_NEXT);
  }
  const count = load<u32>(CODE_PAGE_COUNT);
  if (count >= <u32>MAX_CODE_PAGES) return 0;
  store<u32>(CODE_PAGE_COUNT, count + 1);
  const fresh: usize = CODE_PAGES + count * CODE_PAGE_SIZE;
  memory.fill(fresh, 0, CODE_PAGE_SIZE);
  store<u32>(fresh, mode, CODE_MODE);
  store<u32>(fresh, load<u32>(leaf, 4), CODE_NEXT);
  store<u32>(leaf, <u32>fresh, 4);
  return fresh;
}

/** Notes that bytes `[offset, offset + size)` of the page are decoded: from now on writes there are seen. */
export function markCode(leaf: usize, page: usize, gpa: u64, offset: u32, size: u32): void {
  let bitmap = load<u64>(page, CODE_BITMAP);
  const last = min<u32>(offset + size - 1, 0xfff) >> 6;
  for (let chunk = offset >> 6; chunk <= last; chunk++) bitmap |= (<u64>1) << chunk;
  store<u64>(page, bitmap, CODE_BITMAP);
  if (!(load<u32>(leaf) & PAGE_CODE)) {
    store<u32>(leaf, load<u32>(leaf) | PAGE_CODE);
    noticeWrites(gpa & ~0xfff);
  }
}
