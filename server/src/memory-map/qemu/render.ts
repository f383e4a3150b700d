/**
 * The address space that a tree of memory regions makes, as QEMU's render_memory_region does it (softmmu/memory.c of 7.2,
 * system/memory.c of 2025): a region is clipped by the one it is in, an alias shows a part of its target, what has a higher
 * priority hides what has a lower one, of one priority the one that was added last hides the others, and a region's own bytes
 * show where nothing inside it does. Then neighbours that continue each other are joined (flatview_simplify).
 */
import { intersection, type AddressRange } from '../../address/range';
import { answers, isReadOnlyAlias } from './kinds';
import type { Row } from './lines';
import type { Listing, TreeNode } from './tree';

/** A span of an address space that one memory region answers. */
export interface FlatRange {
  readonly range: AddressRange;
  readonly row: Row;
  /** Of the memory region that answers: an alias's target where the text does not show that. */
  readonly name: string;
  /** Where the span starts in the memory region, in bytes. */
  readonly offset: bigint;
  readonly readOnly: boolean;
  readonly nonvolatile: boolean;
  /** The innermost alias that shows it, if any. */
  readonly alias: Row | null;
}

interface Rendering {
  /** Sorted, none overlap. */
  readonly ranges: readonly FlatRange[];
  /** Aliases of what the text does not show, too large to be one region's own bytes. */
  readonly unknown: readonly Row[];
  /** False where the tree has more aliases of aliases than are followed. */
  readonly complete: boolean;
}

/** Regions visited an address space and in all of a listing, and aliases deep: no machine comes near; a made-up text may. */
const MOST_VISITS = 40_000;
const MOST_OF_A_LISTING = 400_000;
const DEEPEST = 64;
/** An alias of unknown registers of this size and more is of a container. */
const CONTAINER_SIZE = 1n << 32n;

/** What the aliases of a listing show: made once for all its address spaces. */
export class Targets {
  private readonly sections = new Map<string, TreeNode[]>();
  private readonly inTrees = new Map<string, TreeNode>();
  private readonly turns = new Map<Row, number>();
  private visits = 0;

  constructor({ sections }: Listing) {
    const met = new Map<string, number>();
    for (const { kind, names, roots } of sections) {
      if (kind === 'memory-region') this.section(names[0]!).push(...roots.slice(0, 1));
      for (const root of roots) this.index(root, met);
    }
  }

  private section(name: string): TreeNode[] {
    const known = this.sections.get(name) ?? [];
    this.sections.set(name, known);
    return known;
  }

  private index(root: TreeNode, met: Map<string, number>): void {
    for (const stack = [root]; stack.length > 0;) {
      const node = stack.pop()!;
      const { alias, name } = node.row;
      if (alias) {
        const turn = met.get(alias.name) ?? 0;
        this.turns.set(node.row, turn);
        met.set(alias.name, turn + 1);
      } else if (!this.inTrees.has(name)) this.inTrees.set(name, node);
      // The first child on top: in the order of the text.
      for (let index = node.children.length; index > 0;) stack.push(node.children[--index]!);
    }
  }

  /** Counts a region that an address space visits; false where there are too many. */
  visit(): boolean {
    return ++this.visits <= MOST_OF_A_LISTING;
  }

  /**
   * The region that an alias shows, or null where the text has none of that name. QEMU prints every target once, in the order
   * in which it meets them, and several may have one name: then the one that is as large as the alias needs, in turn. A
   * heading without a region is of one that is disabled.
   */
  of(row: Row): TreeNode | 'disabled' | null {
    const { name, offset } = row.alias!;
    const sections = this.sections.get(name);
    if (!sections) return this.inTrees.get(name) ?? null;
    if (sections.length < 2) return sections[0] ?? 'disabled';
    const needed = offset + row.last - row.start;
    const fitting = sections.filter(
      ({ row: target, range }) => target.type === row.type && range.end - range.start > needed,
    );
    return fitting[Math.min(this.turns.get(row)!, fitting.length - 1)] ?? sections[0]!;
  }
}

/** What an address space shows so far. */
class View {
  private ranges: FlatRange[] = [];

  /** Fills what is still free of a range. */
  fill(free: AddressRange, rangeFrom: (range: AddressRange) => FlatRange): void {
    let index = this.firstEndingAfter(free.start);
    const pieces: FlatRange[] = [];
    const from = index;
    let at = free.start;
    for (; index < this.ranges.length && this.ranges[index]!.range.start < free.end; index++) {
      const there = this.ranges[index]!;
      if (at < there.range.start) pieces.push(rangeFrom({ start: at, end: there.range.start }));
      pieces.push(there);
      at = there.range.end;
    }
    if (at < free.end) pieces.push(rangeFrom({ start: at, end: free.end }));
    this.ranges = this.ranges.slice(0, from).concat(pieces, this.ranges.slice(index));
  }

  private firstEndingAfter(address: bigint): number {
    let [low, high] = [0, this.ranges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ranges[middle]!.range.end <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Neighbours of one region that continue each other are one range. */
  joined(): FlatRange[] {
    const joined: FlatRange[] = [];
    for (const next of this.ranges) {
      const last = joined.at(-1);
      if (last && continues(last, next))
        joined[joined.length - 1] = { ...last, range: { start: last.range.start, end: next.range.end } };
      else joined.push(next);
    }
    return joined;
  }
}

function continues(low: FlatRange, high: FlatRange): boolean {
  return (
    low.range.end === high.range.start &&
    low.name === high.name &&
    low.row.type === high.row.type &&
    low.row.priority === high.row.priority &&
    low.offset + (low.range.end - low.range.start) === high.offset &&
    low.readOnly === high.readOnly &&
    low.nonvolatile === high.nonvolatile
  );
}

/** What a visit inherits from those above it. */
interface Above {
  /** Added to printed addresses: an alias shows its target elsewhere. */
  readonly shift: bigint;
  readonly clip: AddressRange;
  readonly readOnly: boolean;
  readonly nonvolatile: boolean;
  readonly alias: Row | null;
  readonly depth: number;
}

/**
 * The order in which siblings are rendered. The text has them by address; which one of a priority was added last it does not
 * say, except at one address, so the one that starts higher is taken to lie on the other.
 */
function inOrder(children: readonly TreeNode[]): TreeNode[] {
  return [...children].sort(
    (a, b) =>
      b.row.priority - a.row.priority ||
      (a.range.start < b.range.start ? 1 : a.range.start > b.range.start ? -1 : a.row.from - b.row.from),
  );
}

class Renderer {
  readonly view = new View();
  readonly unknown = new Set<Row>();
  private visits = 0;
  complete = true;

  constructor(private readonly targets: Targets) {}

  visit(node: TreeNode, above: Above): void {
    const { row } = node;
    if (row.disabled) return;
    if (++this.visits > MOST_VISITS || above.depth > DEEPEST || !this.targets.visit()) {
      this.complete = false;
      return;
    }
    const placed = { start: node.range.start + above.shift, end: node.range.end + above.shift };
    const clip = intersection(placed, above.clip);
    if (!clip) return;
    const inherited: Above = {
      ...above,
      clip,
      nonvolatile: above.nonvolatile || row.nonvolatile,
      depth: above.depth + 1,
    };
    if (row.alias) this.alias(row, placed.start, inherited);
    else this.region(node, placed.start, inherited);
  }

  private alias(row: Row, start: bigint, above: Above): void {
    const target = this.targets.of(row);
    const readOnly = above.readOnly || isReadOnlyAlias(row);
    const { name, offset } = row.alias!;
    if (target === 'disabled') return;
    if (target)
      this.visit(target, { ...above, readOnly, alias: row, shift: start - offset - target.range.start });
    else if (row.type === 'i/o' && row.last - row.start >= CONTAINER_SIZE) this.unknown.add(row);
    else this.fill(row, name, { ...above, readOnly, alias: row }, start - offset);
  }

  private region(node: TreeNode, start: bigint, above: Above): void {
    for (const child of inOrder(node.children)) this.visit(child, above);
    if (answers(node.row, node.children.length > 0)) this.fill(node.row, node.row.name, above, start);
  }

  /** @param base where the first byte of the memory region is, or would be */
  private fill(row: Row, name: string, above: Above, base: bigint): void {
    const { readOnly, nonvolatile, alias } = above;
    this.view.fill(above.clip, (range) => ({
      range,
      row,
      name,
      // A row of a flat view that was pasted without its heading has an offset of its own.
      offset: range.start - base + row.offset,
      readOnly,
      nonvolatile,
      alias,
    }));
  }
}

/** @param space what an address space can address: nothing beyond is shown */
export function render(targets: Targets, roots: readonly TreeNode[], space: AddressRange): Rendering {
  const renderer = new Renderer(targets);
  const above: Above = {
    shift: 0n,
    clip: space,
    readOnly: false,
    nonvolatile: false,
    alias: null,
    depth: 0,
  };
  for (const root of inOrder(roots)) renderer.visit(root, above);
  return { ranges: renderer.view.joined(), unknown: [...renderer.unknown], complete: renderer.complete };
}
