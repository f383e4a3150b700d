/** Layouts as `layout` prints them: JSON and the differences of two machines. The drawing is `picture/`. */
import { hex } from '../address/format';
import { levelOf, vmmLabel, type Machine, type Region } from '../machine/machine';
import { mappingJson } from './mappings';
import { placeJson, type PathOf } from './place';

function regionJson(region: Region, pathOf: PathOf): object {
  const { file, line, column } = placeJson(region.at, pathOf);
  return {
    start: hex(region.range.start),
    end: hex(region.range.end),
    kind: region.kind,
    name: region.name,
    permissions: region.permissions,
    reason: region.reason,
    ...(region.approximate ? { approximate: true } : {}),
    ...(levelOf(region) > 0 ? { level: levelOf(region) } : {}),
    file,
    line,
    column,
  };
}

export function layoutJson(machines: readonly Machine[], pathOf: PathOf): object {
  return {
    machines: machines.map((machine) => ({
      name: machine.name,
      vmm: vmmLabel(machine),
      regions: machine.regions.map((region) => regionJson(region, pathOf)),
      ...(machine.mappings && machine.mappings.length > 0
        ? { mappings: machine.mappings.map((mapping) => mappingJson(mapping, pathOf)) }
        : {}),
    })),
  };
}

export interface LayoutDifference {
  readonly start: bigint;
  readonly end: bigint;
  /** Kind and name on each side; null where nothing is mapped. */
  readonly left: string | null;
  readonly right: string | null;
}

/** Where two layouts say different things, in ascending order; spans with the same pair of answers are joined. */
export function layoutDifferences(left: Machine, right: Machine): LayoutDifference[] {
  const edges = [...left.regions, ...right.regions].flatMap(({ range }) => [range.start, range.end]);
  const bounds = [...new Set(edges)].sort((a, b) => (a < b ? -1 : 1));
  const leftAt = cursor(left.regions.filter(isThere));
  const rightAt = cursor(right.regions.filter(isThere));
  const differences: { start: bigint; end: bigint; left: string | null; right: string | null }[] = [];
  for (let i = 0; i + 1 < bounds.length; i++) {
    const start = bounds[i]!;
    const end = bounds[i + 1]!;
    const ours = leftAt(start);
    const theirs = rightAt(start);
    if (ours === theirs) continue;
    const last = differences.at(-1);
    if (last && last.end === start && last.left === ours && last.right === theirs) last.end = end;
    else differences.push({ start, end, left: ours, right: theirs });
  }
  return differences;
}

const isThere = ({ kind }: Region): boolean => kind !== 'hole';

/**
 * Answers ascending look-ups in a sorted region list in linear time altogether; the earliest region wins an overlap, so the outermost
 * one of a nested map. A gap that a map prints is nothing, like one that it leaves out.
 */
function cursor(regions: readonly Region[]): (address: bigint) => string | null {
  let next = 0;
  let open: Region[] = [];
  return (address) => {
    while (next < regions.length && regions[next]!.range.start <= address) open.push(regions[next++]!);
    open = open.filter((region) => region.range.end > address);
    return open[0]?.kind ?? null;
  };
}

export function differencesJson(differences: readonly LayoutDifference[]): object {
  return {
    differences: differences.map(({ start, end, left, right }) => ({
      start: hex(start),
      end: hex(end),
      left,
      right,
    })),
  };
}
