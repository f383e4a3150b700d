/** Which of QEMU's address spaces are guest physical address space, and how their maps are told apart. */
import { formatSize, hex } from '../../address/format';
import { tooLong, type MapEntry, type MapProblem, type OpenMap } from '../mapText';
import { backingOf } from './kinds';
import type { Row } from './lines';
import type { FlatRange } from './render';

/** Port space: numbers of another kind. */
const PORTS = 'I/O';
/** `memory`, and what a vCPU sees (`cpu-memory-0`, `cpu-smm-0`); the others are what a device reaches. */
const OF_A_CPU = /^(?:memory|cpu-.*)$/;

/** One map under all the names that share it. */
export interface NamedMap {
  readonly names: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly entries: MapEntry[];
}

/** `memory`, or the first name and how many more there are. */
function titleOf(names: readonly string[]): string {
  if (names.length === 0) return 'rows';
  if (names.includes('memory')) return 'memory';
  return names.length === 1 ? names[0]! : `${names[0]} and ${names.length - 1} more`;
}

/** Whether a map is the same as another in all but the lines that it comes from. */
function fingerprint(entries: readonly MapEntry[]): string {
  return entries
    .map(
      ({ range, kind, name, backingOffset }) =>
        `${range.start} ${range.end} ${kind} ${name} ${backingOffset}`,
    )
    .join('\n');
}

/**
 * The maps that are of guest physical address space: those of CPUs, or where none is, those of devices. Equal ones, as the
 * SMM spaces of many vCPUs, are one.
 */
export function guestMaps(maps: readonly NamedMap[], suffix: string): OpenMap[] {
  const memory = maps.filter(({ names, entries }) => entries.length > 0 && !names.includes(PORTS));
  const ofCpus = memory.filter(
    ({ names }) => names.length === 0 || names.some((name) => OF_A_CPU.test(name)),
  );
  const byContent = new Map<string, NamedMap>();
  for (const map of ofCpus.length > 0 ? ofCpus : memory) {
    const key = fingerprint(map.entries);
    const known = byContent.get(key);
    if (known && !known.names.some((name) => map.names.includes(name)))
      byContent.set(key, { ...known, names: [...known.names, ...map.names] });
    else byContent.set(known ? `${key} ${map.from}` : key, map);
  }
  return [...byContent.values()].map(({ names, from, to, entries }) => ({
    name: `QEMU ${titleOf(names)}${suffix}`,
    nameFrom: from,
    nameTo: to,
    entries,
    amendments: [],
  }));
}

/** The entry of one span of an address space. */
export function entryOf({ range, row, name, offset, readOnly, nonvolatile, alias }: FlatRange): MapEntry {
  const { kind, permissions, words } = backingOf(row, readOnly, nonvolatile);
  const from = offset === 0n ? '' : `, from offset ${hex(offset)} of it`;
  const through = alias ? `, through the alias ${alias.name}` : '';
  const owner = row.owner === null ? '' : ` Its owner is ${row.owner}.`;
  return {
    range,
    kind,
    name,
    permissions,
    reason: `QEMU's ${name} answers here${from}${through}: ${words}, of priority ${row.priority}.${owner}`,
    from: row.from,
    to: row.to,
    approximate: false,
    ...(kind === 'mmio' ? {} : { backingOffset: offset }),
  };
}

export function excessOf(row: Row | null): MapProblem[] {
  return row ? [tooLong(row.from, row.to)] : [];
}

export function tooDeep(from: number, to: number): MapProblem {
  return {
    code: 'map-too-long',
    severity: 'information',
    message:
      'The aliases of this tree show each other more often, or more levels deep, than is followed. What they show beyond is neither drawn nor checked.',
    from,
    to,
  };
}

/** Aliases whose target the text lacks, as findings. */
export function unknownTarget({ alias, name, start, last, from, to }: Row): MapProblem {
  return {
    code: 'map-unreadable-line',
    severity: 'information',
    message: `The alias ${name} shows ${formatSize(last - start + 1n)} of ${alias!.name}, which this text does not have (QEMU prints it under "memory-region: ${alias!.name}"). What it shows is left out.`,
    from,
    to,
  };
}
