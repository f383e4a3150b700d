/**
 * Where everything of an address space stands on a vertical picture, low addresses on top. The scale is piecewise:
 * every stretch between two boundaries gets a height that grows with the logarithm of its size, so that 4 KiB beside
 * a gap of terabytes stays legible. Pure numbers, no drawing: the panel adds its own interaction on the same boxes.
 */
import type { AddressRange } from '../address/range';
import type { PictureMachine, PictureRegion } from './pictureMachine';

/** A region as a rectangle. */
export interface Box {
  /** Index into the machine's regions. */
  readonly region: number;
  readonly y: number;
  readonly height: number;
  /** Overlapping regions stand side by side: this one is `lane` of `lanes`. What lies in another region stands right of it. */
  readonly lane: number;
  readonly lanes: number;
  /** Lanes that it fills: in a nested map what has nothing inside goes on to the right edge. */
  readonly span: number;
  /** Lanes are levels here: each region lies in the one left of it. */
  readonly nested: boolean;
}

/** A stretch that nothing covers. */
export interface Hole {
  readonly range: AddressRange;
  readonly y: number;
  readonly height: number;
}

/** Regions that are left out, above or below the shown ones. */
export interface Fold {
  readonly count: number;
  readonly range: AddressRange;
  readonly y: number;
  readonly height: number;
}

export interface AddressTick {
  readonly address: bigint;
  readonly y: number;
}

export interface AddressSpaceLayout {
  readonly boxes: readonly Box[];
  readonly holes: readonly Hole[];
  readonly folds: readonly Fold[];
  /** Every boundary, top down. */
  readonly ticks: readonly AddressTick[];
  /** From 0 to this: the height of the stack, without any header. */
  readonly height: number;
  /** The first and the last address that are drawn. */
  readonly extent: AddressRange;
  /** Where an address lies, in pixels from the top of the stack; clamped to the extent. */
  readonly yOf: (address: bigint) => number;
}

export interface LayoutOptions {
  /** Pixels that the stack should not exceed; pieces shrink down to what is still legible, not below. */
  readonly maxHeight?: number;
  /** Regions shown at most, those around `selected` first. */
  readonly maxRegions?: number;
  readonly selected?: readonly number[];
}

const PAGE_BITS = 12;
const COVERED = { least: 17, base: 25, most: 66, perDoubling: 2.1 };
const EMPTY = { least: 15, height: 24 };
const FOLD_HEIGHT = 22;
/** Regions that overlap more deeply share the last lane: such a map is broken, and the picture must stay quick. */
const MOST_LANES = 40;

/** Doublings above one page. */
function doublings(size: bigint): number {
  return Math.max(0, size.toString(2).length - 1 - PAGE_BITS);
}

interface Piece {
  readonly range: AddressRange;
  readonly covered: boolean;
  height: number;
}

/** The window of `count` regions around the selected ones. */
function shownRegions(
  machine: PictureMachine,
  options: LayoutOptions,
): { readonly from: number; readonly to: number } {
  const total = machine.regions.length;
  const count = Math.max(1, options.maxRegions ?? total);
  if (total <= count) return { from: 0, to: total };
  const selected = (options.selected ?? []).filter((index) => index >= 0 && index < total);
  const middle = selected.length > 0 ? Math.floor((Math.min(...selected) + Math.max(...selected)) / 2) : 0;
  const from = Math.max(0, Math.min(middle - Math.floor(count / 2), total - count));
  return { from, to: from + count };
}

/** Cuts at every boundary; a piece is covered where a region other than a printed gap claims it. */
function cut(ranges: readonly AddressRange[], solid: readonly AddressRange[], bottom: bigint): Piece[] {
  const bounds = new Set<bigint>([bottom]);
  for (const { start, end } of ranges) bounds.add(start).add(end);
  const sorted = [...bounds].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const pieces: Piece[] = [];
  const byStart = [...solid].sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  let next = 0;
  let reach = bottom;
  for (let i = 0; i + 1 < sorted.length; i++) {
    const range = { start: sorted[i]!, end: sorted[i + 1]! };
    while (next < byStart.length && byStart[next]!.start <= range.start) {
      if (byStart[next]!.end > reach) reach = byStart[next]!.end;
      next++;
    }
    const covered = reach > range.start;
    const height = covered
      ? Math.min(COVERED.most, COVERED.base + COVERED.perDoubling * doublings(range.end - range.start))
      : EMPTY.height;
    pieces.push({ range, covered, height });
  }
  return pieces;
}

/** Takes from every piece what it has above its least height, in proportion. */
function shrink(pieces: readonly Piece[], room: number): void {
  const least = (piece: Piece): number => (piece.covered ? COVERED.least : EMPTY.least);
  const total = pieces.reduce((sum, { height }) => sum + height, 0);
  const floor = pieces.reduce((sum, piece) => sum + least(piece), 0);
  if (total <= room || total <= floor) return;
  const kept = Math.max(0, (room - floor) / (total - floor));
  for (const piece of pieces) piece.height = least(piece) + (piece.height - least(piece)) * kept;
}

type Lane = Pick<Box, 'lane' | 'lanes' | 'span' | 'nested'>;
type Placed = Pick<PictureRegion, 'range' | 'level'>;

/** Greedy lanes: a region takes the first lane that is free at its start; a cluster shares its number of lanes. */
function assignLanes(regions: readonly Placed[]): readonly Lane[] {
  const result = regions.map(() => ({ lane: 0, lanes: 1, span: 1, nested: false }));
  let cluster: number[] = [];
  let ends: bigint[] = [];
  let reach = -1n;
  const close = (): void => {
    const lanes = ends.length;
    for (const index of cluster) result[index]!.lanes = lanes;
    // Where lanes are nothing but levels, what has no child is followed by a shallower region, so the rest is free.
    if (lanes > 1 && cluster.every((index) => result[index]!.lane === (regions[index]!.level ?? 0))) {
      cluster.forEach((index, place) => {
        const [own, next] = [result[index]!, result[cluster[place + 1] ?? -1]];
        own.nested = true;
        if (!next || next.lane <= own.lane) own.span = lanes - own.lane;
      });
    }
    cluster = [];
    ends = [];
  };
  regions.forEach(({ range: { start, end } }, index) => {
    if (start >= reach) close();
    const free = ends.findIndex((laneEnd) => laneEnd <= start);
    const lane = free < 0 ? Math.min(ends.length, MOST_LANES - 1) : free;
    ends[lane] = ends[lane] !== undefined && ends[lane] > end ? ends[lane] : end;
    result[index]!.lane = lane;
    cluster.push(index);
    if (end > reach) reach = end;
  });
  close();
  return result;
}

function reachOf(ranges: readonly AddressRange[]): bigint {
  return ranges.reduce((most, { end }) => (end > most ? end : most), 0n);
}

export function layoutAddressSpace(machine: PictureMachine, options: LayoutOptions = {}): AddressSpaceLayout {
  const { from, to } = shownRegions(machine, options);
  const all = machine.regions.map(({ range }) => range);
  const shown = all.slice(from, to);
  // Without a fold the picture starts at 0, so that a hole at the bottom of memory is seen.
  const bottom = from === 0 ? 0n : (shown[0]?.start ?? 0n);
  const solid = machine.regions.slice(from, to).filter(({ kind }) => kind !== 'hole');
  const pieces = cut(
    shown,
    solid.map(({ range }) => range),
    bottom,
  );
  // A gap that the map itself prints is a region: its box stands for the hole.
  const printed = new Set(
    machine.regions.filter(({ kind }) => kind === 'hole').map(({ range }) => range.start),
  );
  const before = from > 0 ? FOLD_HEIGHT : 0;
  const after = to < all.length ? FOLD_HEIGHT : 0;
  if (options.maxHeight !== undefined) shrink(pieces, options.maxHeight - before - after);

  const ticks: AddressTick[] = [];
  const holes: Hole[] = [];
  let y = before;
  for (const { range, covered, height } of pieces) {
    ticks.push({ address: range.start, y });
    if (!covered && !printed.has(range.start)) holes.push({ range, y, height });
    y += height;
  }
  const top = pieces.at(-1)?.range.end ?? bottom;
  ticks.push({ address: top, y });
  const yOf = interpolate(ticks);

  const lanes = assignLanes(machine.regions.slice(from, to));
  const boxes = shown.map((range, index): Box => {
    const start = yOf(range.start);
    return { region: from + index, y: start, height: yOf(range.end) - start, ...lanes[index]! };
  });
  const folds: Fold[] = [];
  if (before > 0)
    folds.push({
      count: from,
      range: { start: all[0]!.start, end: reachOf(all.slice(0, from)) },
      y: 0,
      height: before,
    });
  if (after > 0) {
    const rest = all.slice(to);
    folds.push({
      count: rest.length,
      range: { start: rest[0]!.start, end: reachOf(rest) },
      y,
      height: after,
    });
  }
  return { boxes, holes, folds, ticks, height: y + after, extent: { start: bottom, end: top }, yOf };
}

/** Linear between two ticks. */
function interpolate(ticks: readonly AddressTick[]): (address: bigint) => number {
  return (address) => {
    let low = 0;
    let high = ticks.length - 1;
    if (address <= ticks[low]!.address) return ticks[low]!.y;
    if (address >= ticks[high]!.address) return ticks[high]!.y;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (ticks[middle]!.address <= address) low = middle;
      else high = middle;
    }
    const [a, b] = [ticks[low]!, ticks[high]!];
    // A part in 2^20 is finer than a pixel, and safe as a number.
    const part = Number(((address - a.address) << 20n) / (b.address - a.address)) / 1_048_576;
    return a.y + (b.y - a.y) * part;
  };
}
