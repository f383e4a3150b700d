/** The trees of `info mtree`: address spaces with the memory regions in them, and the targets of their aliases. */
import type { AddressRange } from '../../address/range';
import { MAX_ENTRIES } from '../mapText';
import { linesOf, rangeOf, type Heading, type Row } from './lines';

/** A memory region with those inside it, in the order of the text. */
export interface TreeNode {
  readonly row: Row;
  /** Where it lies if nothing moves what it is printed under. */
  readonly range: AddressRange;
  readonly children: readonly TreeNode[];
}

/** A tree under one or more headings: address spaces that share a root are named one after the other. */
export interface Section {
  readonly kind: 'address-space' | 'memory-region';
  readonly names: readonly string[];
  /** Of the first heading, or of the first row where there is none. */
  readonly from: number;
  readonly to: number;
  readonly roots: readonly TreeNode[];
}

/** What one `info mtree` printed. */
export interface Listing {
  readonly sections: readonly Section[];
}

interface OpenNode extends TreeNode {
  readonly children: OpenNode[];
}

interface OpenSection extends Omit<Section, 'roots'> {
  readonly names: string[];
  readonly rows: Row[];
}

/** Columns of an address: of a tree's root, and how much further each level stands. */
interface Indentation {
  readonly root: number;
  readonly step: number;
}

function indentationOf(sections: readonly OpenSection[]): Indentation {
  const columns = [...new Set(sections.flatMap(({ rows }) => rows.map(({ column }) => column)))].sort(
    (a, b) => a - b,
  );
  const steps = columns.slice(1).map((column, index) => column - columns[index]!);
  return { root: columns[0] ?? 0, step: steps.reduce((least, step) => Math.min(least, step), Infinity) };
}

/**
 * The regions of a section as a tree. QEMU leaves out the line of a disabled region and still prints those inside it, one
 * level too deep under the line before (mtree_print_mr): they are not there, so they are left out.
 */
function rootsOf({ rows }: OpenSection, { root, step }: Indentation): TreeNode[] {
  const roots: OpenNode[] = [];
  const path: { readonly node: OpenNode; readonly shown: boolean }[] = [];
  for (const row of rows) {
    while ((path.at(-1)?.node.row.column ?? -1) >= row.column) path.pop();
    const parent = path.at(-1);
    const node: OpenNode = { row, range: rangeOf(row, parent?.node.range.start ?? 0n), children: [] };
    const shown = row.column <= (parent ? parent.node.row.column + step : root);
    if (shown) (parent?.node.children ?? roots).push(node);
    path.push({ node, shown });
  }
  return roots;
}

class TreeReader {
  readonly listings: OpenSection[][] = [];
  /** The first row that was not read. */
  excess: Row | null = null;
  private listing: OpenSection[] | null = null;
  private section: OpenSection | null = null;
  /** False inside the output of `-f`. */
  private inTree = true;
  /** True between `address-space shared N times:` and its rows. */
  private sharing = false;
  private count = 0;

  run(text: string): void {
    for (const line of linesOf(text)) {
      if (line.kind !== 'row') this.heading(line);
      else if (this.inTree) {
        if (this.count++ >= MAX_ENTRIES) {
          this.excess = line;
          return;
        }
        // Rows without a heading are a part of a tree that was cut out.
        (this.section ?? this.open('address-space', [], line.from, line.to)).rows.push(line);
      }
    }
  }

  private heading(heading: Heading): void {
    const { kind, name, from, to } = heading;
    if (kind === 'member') {
      if (this.sharing && this.section?.rows.length === 0) this.section.names.push(name);
      return;
    }
    this.sharing = kind === 'shared';
    this.inTree = kind !== 'flat-view' && kind !== 'view-of';
    if (kind === 'prompt' || !this.inTree) {
      this.listing = this.section = null;
      return;
    }
    const { section } = this;
    // Address spaces come first, then the targets of aliases: another address space after those starts over.
    if (kind !== 'memory-region' && section?.kind === 'memory-region') this.listing = null;
    if (kind === 'shared') this.open('address-space', [], from, to);
    else if (kind === 'address-space' && section?.kind === 'address-space' && section.rows.length === 0)
      section.names.push(name);
    else this.open(kind as Section['kind'], [name], from, to);
  }

  private open(kind: Section['kind'], names: string[], from: number, to: number): OpenSection {
    if (!this.listing) this.listings.push((this.listing = []));
    const section: OpenSection = { kind, names, from, to, rows: [] };
    this.listing.push(section);
    return (this.section = section);
  }
}

/** @returns the listings of the text, and the first row beyond what is read */
export function readTrees(text: string): {
  readonly listings: readonly Listing[];
  readonly excess: Row | null;
} {
  const reader = new TreeReader();
  reader.run(text);
  const listings = reader.listings.map((sections) => {
    const indentation = indentationOf(sections);
    return {
      sections: sections.map((section) => ({ ...section, roots: rootsOf(section, indentation) })),
    };
  });
  return { listings, excess: reader.excess };
}
