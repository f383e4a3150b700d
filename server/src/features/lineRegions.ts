/** Which regions of which machines a line of a text produced. */
import type { Document } from '../machine/language';
import type { Machine, Region } from '../machine/machine';

export interface LineRegions {
  readonly machine: Machine;
  /** Indices into `machine.regions`, ascending. */
  readonly indices: readonly number[];
}

const cache = new WeakMap<Document, ReadonlyMap<number, readonly LineRegions[]>>();

/** Regions by the zero-based line of the document's own text that they come from. Computed once per document. */
export function regionsByLine(document: Document): ReadonlyMap<number, readonly LineRegions[]> {
  const known = cache.get(document);
  if (known) return known;
  const byLine = new Map<number, { machine: Machine; indices: number[] }[]>();
  for (const machine of document.machines) {
    machine.regions.forEach((region, index) => {
      if (region.at?.uri !== document.source.uri) return;
      const line = region.at.range.start.line;
      const rows = byLine.get(line) ?? [];
      const row = rows.at(-1);
      if (row?.machine === machine) row.indices.push(index);
      else rows.push({ machine, indices: [index] });
      byLine.set(line, rows);
    });
  }
  cache.set(document, byLine);
  return byLine;
}

export function regionsOf({ machine, indices }: LineRegions): Region[] {
  return indices.map((index) => machine.regions[index]!);
}
