/**
 * The second-level page table of bhyve's kernel module on illumos, as `vmm_gpt.c` has it: a tree of tables with 512 entries,
 * four levels, 4 KiB pages only (no large ones). Read: illumos-gate `usr/src/uts/i86pc/io/vmm/vmm_gpt.c` of commit
 * 13ae1a203367 (half-open) and the draft with closed ranges in oxidecomputer/illumos-gate at f9313a54fe53; the counting
 * generation in `usr/src/uts/intel/io/vmm/vmm_gpt.c` of commit 50fe091cff3f. Operations are those of `vmm_gpt_*`.
 */
import { PAGE, type AddressRange } from '../../address/range';

/**
 * How the code takes a range: `closed` `[start, end]` as first integrated (issue 13932), `half-open` since issue 14042;
 * `counted` is half-open too, and each leaf knows how many of its entries belong to mapped regions.
 */
export type RangeConvention = 'closed' | 'half-open' | 'counted';

export interface GuestPageTableOptions {
  readonly ranges: RangeConvention;
  /** The kernel is built with DEBUG, which is what compiles ASSERT in. */
  readonly debug: boolean;
}

/** An ASSERT that did not hold: the kernel panics there. */
export interface FailedAssertion {
  /** As the panic has it. The value of the entry is left out: it holds a host address, which is not modelled. */
  readonly text: string;
  /** Which entry of the leaf table. */
  readonly index: number;
  /** Guest-physical address of the page that this entry maps. */
  readonly gpa: bigint;
}

/** A leaf table that was freed while it mapped pages, which a kernel without DEBUG does not notice. */
export interface LostTable {
  /** First guest-physical address that it covered; it covered 2 MiB. */
  readonly start: bigint;
  readonly entries: number;
}

export interface Vacated {
  readonly assertion: FailedAssertion | null;
  readonly lost: readonly LostTable[];
}

const ENTRIES = 512n;
/** What one leaf table covers. */
export const LEAF_SPAN = ENTRIES * PAGE;
/** Address bits below the index of a level, root (LEVEL4) first. */
const SHIFTS = [39n, 30n, 21n, 12n] as const;
const LEAF = SHIFTS.length - 1;

interface Node {
  readonly level: number;
  readonly index: number;
  readonly gpa: bigint;
  readonly parent: Node | null;
  readonly children: Map<number, Node>;
  /** Of a leaf: entries that are not 0, by index. */
  readonly entries: Map<number, bigint>;
  /** Child tables; of a leaf 0, or in the counting generation the entries that mapped regions cover. */
  references: number;
}

const indexAt = (gpa: bigint, level: number): number => Number((gpa >> SHIFTS[level]!) & (ENTRIES - 1n));
const baseAt = (gpa: bigint, bits: bigint): bigint => (gpa >> bits) << bits;

function node(level: number, index: number, gpa: bigint, parent: Node | null): Node {
  return { level, index, gpa, parent, children: new Map(), entries: new Map(), references: 0 };
}

export class GuestPageTable {
  private readonly root = node(0, 0, 0n, null);

  constructor(private readonly options: GuestPageTableOptions) {}

  /** Tables below the root. */
  get tables(): number {
    const below = (at: Node): number =>
      [...at.children.values()].reduce((sum, child) => sum + 1 + below(child), 0);
    return below(this.root);
  }

  /** Addresses of the pages that are mapped, ascending. */
  get mapped(): bigint[] {
    const pages: bigint[] = [];
    const visit = (at: Node): void => {
      for (const index of at.entries.keys()) pages.push(at.gpa + BigInt(index) * PAGE);
      for (const child of at.children.values()) visit(child);
    };
    visit(this.root);
    return pages.sort((a, b) => (a < b ? -1 : 1));
  }

  /** The entry of a page, 0 where nothing maps it. */
  lookup(gpa: bigint): bigint {
    return this.leafOf(gpa)?.entries.get(indexAt(gpa, LEAF)) ?? 0n;
  }

  /** References of the leaf table that covers the address, or null where there is none. */
  references(gpa: bigint): number | null {
    return this.leafOf(gpa)?.references ?? null;
  }

  /** Makes the tables for a range, so that its pages can be mapped. Maps nothing. */
  populateRegion(range: AddressRange): void {
    const { start, end } = this.span(range);
    for (let gpa = start; gpa < end; gpa = baseAt(gpa, SHIFTS[2]) + LEAF_SPAN) this.populate(gpa);
    if (this.options.ranges !== 'counted') return;
    for (const leaf of this.leavesIn(start, end)) leaf.references += covered(leaf, start, end);
  }

  /**
   * Maps a page, as a fault does; the tables are made where they lack, which the generations before `counted` do here
   * (`rvi_ops_map`, `ept_ops_map`). False where the page is mapped already.
   */
  map(gpa: bigint, entry: bigint): boolean {
    const leaf = this.populate(gpa);
    const index = indexAt(gpa, LEAF);
    if (leaf.entries.has(index)) return false;
    leaf.entries.set(index, entry);
    return true;
  }

  /** Clears the entries of a range. Returns how many pages were mapped. */
  unmapRegion(range: AddressRange): number {
    const { start, end } = this.span(range);
    let unmapped = 0;
    for (const leaf of this.leavesIn(start, end)) {
      for (const index of [...leaf.entries.keys()]) {
        const gpa = leaf.gpa + BigInt(index) * PAGE;
        if (gpa < start || gpa >= end) continue;
        leaf.entries.delete(index);
        unmapped++;
      }
    }
    return unmapped;
  }

  /**
   * Frees the tables of a range that are no longer needed. Before the counting generation a leaf is taken to be empty: each
   * of its 512 entries is asserted to be 0, also those outside the range, and only a DEBUG kernel looks.
   */
  vacateRegion(range: AddressRange): Vacated {
    const { start, end } = this.span(range);
    const lost: LostTable[] = [];
    for (const leaf of this.leavesIn(start, end)) {
      if (this.options.ranges === 'counted') leaf.references -= covered(leaf, start, end);
      else {
        const assertion = this.options.debug ? failedAssertion(leaf) : null;
        if (assertion) return { assertion, lost };
      }
      if (leaf.references > 0) continue;
      if (leaf.entries.size > 0) lost.push({ start: leaf.gpa, entries: leaf.entries.size });
      removeEmpty(leaf);
    }
    return { assertion: null, lost };
  }

  /** The pages that the code visits for a range, half-open: with closed ranges the one at `end` too. */
  private span({ start, end }: AddressRange): AddressRange {
    return { start, end: this.options.ranges === 'closed' ? end + PAGE : end };
  }

  private leafOf(gpa: bigint): Node | null {
    let at: Node | undefined = this.root;
    for (let level = 0; level < LEAF && at; level++) at = at.children.get(indexAt(gpa, level));
    return at ?? null;
  }

  /** The tables on the way to a page. Returns the leaf. */
  private populate(gpa: bigint): Node {
    let at = this.root;
    for (let level = 0; level < LEAF; level++) {
      const index = indexAt(gpa, level);
      let child = at.children.get(index);
      if (!child) {
        child = node(level + 1, index, baseAt(gpa, SHIFTS[level]!), at);
        at.children.set(index, child);
        at.references++;
      }
      at = child;
    }
    return at;
  }

  /** The leaves that hold a page of `[start, end)`, by address. */
  private leavesIn(start: bigint, end: bigint): Node[] {
    const found: Node[] = [];
    const visit = (at: Node): void => {
      if (at.level === LEAF) found.push(at);
      for (const child of at.children.values()) {
        const size = 1n << SHIFTS[at.level]!;
        if (child.gpa < end && child.gpa + size > start) visit(child);
      }
    };
    if (start < end) visit(this.root);
    return found.sort((a, b) => (a.gpa < b.gpa ? -1 : 1));
  }
}

/** How many entries of a leaf lie in `[start, end)`. */
function covered(leaf: Node, start: bigint, end: bigint): number {
  const first = start > leaf.gpa ? start : leaf.gpa;
  const last = end < leaf.gpa + LEAF_SPAN ? end : leaf.gpa + LEAF_SPAN;
  return last > first ? Number((last - first) / PAGE) : 0;
}

/** `ASSERT3U(ptes[i], ==, 0)` over the whole table: the first entry that is not 0. */
function failedAssertion(leaf: Node): FailedAssertion | null {
  if (leaf.entries.size === 0) return null;
  const index = Math.min(...leaf.entries.keys());
  return {
    text: 'assertion failed: ptes[i] == 0 (0x… == 0x0), file: …/vmm_gpt.c, line: 441',
    index,
    gpa: leaf.gpa + BigInt(index) * PAGE,
  };
}

/** Unlinks and frees a table, and those above it that are left without a child. The root stays. */
function removeEmpty(table: Node): void {
  for (let at = table; at.parent && at.references === 0; at = at.parent) {
    at.parent.children.delete(at.index);
    at.parent.references--;
  }
}
