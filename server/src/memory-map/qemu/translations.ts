/**
 * QEMU's `info tlb` on x86: one line a page of the page tables, with the flags of the leaf entry (target/i386/monitor.c,
 * print_pte). It is not the TLB. Neighbours with the same rights are joined. How large a page is follows from the flag `P`
 * and from where its neighbours are, since neither the size nor the paging mode is printed.
 */
import { GIB, MIB, PAGE } from '../../address/range';
import type { SourceText } from '../../text/sourceText';
import {
  MAX_ENTRIES,
  linearMap,
  nameMaps,
  tooLong,
  type Dialect,
  type MapProblem,
  type MapReading,
  type MappingEntry,
} from '../mapText';

const NAME = 'QEMU info tlb';
/** NX, global, page size, dirty, accessed, cache disabled, write through, user, writable. QEMU of before 2010 has no NX. */
const ROW =
  /(?<![\w-])(?:([0-9a-f]{16}): ([0-9a-f]{16})|([0-9a-f]{8}): ([0-9a-f]{8})) ([X-]?)[G-]([P-])[D-][A-][C-][T-]([U-])([W-])(?![\w-])/g;
/** Bits of a physical address. With PAE QEMU leaves NX, bit 63, in it (tlb_info_pae32). */
const PHYSICAL = (1n << 52n) - 1n;
/** Pages that are read: as many as map 4 GiB by 4 KiB. */
const MOST_PAGES = 1 << 20;

interface Page {
  readonly linear: bigint;
  readonly physical: bigint;
  /** A leaf of an upper level. */
  readonly large: boolean;
  readonly executable: boolean;
  readonly user: boolean;
  readonly writable: boolean;
  readonly from: number;
  readonly to: number;
}

function pageOf(match: RegExpExecArray): Page {
  const [whole, linear, physical, linear32, physical32, noExecute, size, user, writable] = match;
  return {
    linear: BigInt(`0x${linear ?? linear32}`),
    physical: BigInt(`0x${physical ?? physical32}`) & PHYSICAL,
    large: size === 'P',
    executable: noExecute !== 'X',
    user: user === 'U',
    writable: writable === 'W',
    from: match.index,
    to: match.index + whole.length,
  };
}

const isAligned = ({ linear, physical }: Page, size: bigint): boolean =>
  linear % size === 0n && physical % size === 0n;

/** Whether the second page is where the first one ends if it has this size, on both sides. */
function follows(low: Page, high: Page | undefined, size: bigint): boolean {
  return high !== undefined && high.linear - low.linear === size && high.physical - low.physical === size;
}

/** Pages of 4 MiB are of 32-bit paging without PAE: then all large pages are, and some two lie side by side. */
function are4MiB(pages: readonly Page[]): boolean {
  const size = 4n * MIB;
  let neighbours = false;
  for (const [index, page] of pages.entries()) {
    if (page.linear >= 4n * GIB || page.physical >= 4n * GIB || !page.executable) return false;
    if (!page.large) continue;
    if (!isAligned(page, size)) return false;
    neighbours ||= follows(page, pages[index + 1], size);
  }
  return neighbours;
}

/** The size of each page, or null where it may be 2 MiB or more. */
function sizesOf(pages: readonly Page[]): (bigint | null)[] {
  const of4MiB = are4MiB(pages);
  return pages.map((page, index) => {
    if (!page.large) return PAGE;
    if (of4MiB) return 4n * MIB;
    const [before, after] = [pages[index - 1], pages[index + 1]];
    if (!isAligned(page, GIB) || (after && after.linear - page.linear < GIB)) return 2n * MIB;
    const joins = follows(page, after, GIB) || (before?.large === true && follows(before, page, GIB));
    return joins ? GIB : null;
  });
}

function entriesOf(pages: readonly Page[]): MappingEntry[] {
  const sizes = sizesOf(pages);
  const entries: MappingEntry[] = [];
  for (const [index, { linear, physical, writable, user, executable, from, to }] of pages.entries()) {
    const pageSize = sizes[index]!;
    const end = linear + (pageSize ?? 2n * MIB);
    const last = entries.at(-1);
    if (
      last &&
      last.linear.end === linear &&
      last.physical! + (linear - last.linear.start) === physical &&
      last.pageSize === pageSize &&
      last.writable === writable &&
      last.user === user &&
      last.executable === executable
    )
      entries[entries.length - 1] = { ...last, linear: { start: last.linear.start, end }, to };
    else
      entries.push({
        linear: { start: linear, end },
        physical,
        pageSize,
        writable,
        user,
        executable,
        from,
        to,
      });
  }
  return entries;
}

function read({ text }: SourceText): MapReading {
  const problems: MapProblem[] = [];
  const outputs: Page[][] = [];
  let count = 0;
  for (const match of text.matchAll(ROW)) {
    const page = pageOf(match);
    if (count++ >= MOST_PAGES) {
      problems.push(tooLong(page.from, page.to, MOST_PAGES));
      break;
    }
    const output = outputs.at(-1);
    // One output has its pages in order.
    if (output && output.at(-1)!.linear < page.linear) output.push(page);
    else outputs.push([page]);
  }
  let room = MAX_ENTRIES;
  const maps = outputs.map((pages) => {
    const entries = entriesOf(pages);
    if (entries.length > room) problems.push(tooLong(entries[room]!.from, entries[room]!.to));
    const mappings = entries.slice(0, room);
    room -= mappings.length;
    return linearMap(NAME, pages[0]!, mappings);
  });
  return { maps: nameMaps(maps), problems };
}

export const translationsDialect: Dialect = { name: NAME, has: (text) => text.search(ROW) >= 0, read };
