/** Memory maps as a language: every dialect, recognised by content, also inside a longer log. */
import { formatRange, formatSize, hex } from '../address/format';
import { landmarksIn } from '../address/landmarks';
import { compareRanges, sizeOf } from '../address/range';
import type {
  Description,
  Document,
  Language,
  OutlineNode,
  ParseContext,
  VmmChoice,
} from '../machine/language';
import { sortRegions, type Machine, type Region } from '../machine/machine';
import type { Mapping } from '../machine/mapping';
import { onDemand } from '../machine/onDemand';
import { fromText } from '../machine/origin';
import { containsPosition, type Position } from '../text/position';
import { pragmaIn } from '../text/pragma';
import type { SourceText } from '../text/sourceText';
import { bhyvectlDialect } from './bhyvectl';
import {
  freebsdChunksDialect,
  freebsdEfiDialect,
  freebsdSmapDialect,
  memlistDialect,
  netbsdDialect,
} from './bsd';
import { e820Dialect } from './e820';
import { efiDialect } from './efiMap';
import { iomemDialect } from './iomem';
import {
  bhyveE820Dialect,
  fwCfgDialect,
  grubDialect,
  hvmloaderDialect,
  openbsdDialect,
  seabiosDialect,
} from './guestFirmware';
import type { Dialect, MapEntry, MappingEntry, MemoryMap } from './mapText';
import { propolisLogDialect } from './propolisLog';
import { flatViewDialect } from './qemu/flatView';
import { memoryRightsDialect } from './qemu/memoryRights';
import { memoryTreeDialect } from './qemu/memoryTree';
import { translationsDialect } from './qemu/translations';
import { xenDom0Dialect, xenE820Dialect, xenEfiDialect } from './xen';

/** Detail of an outline node that stands for a change of the map. */
const NO_REGION = 'not a region of the map';
/** How much of a text `recognise` looks at, in UTF-16 units. */
const SNIFFED = 65_536;

/** One dialect a file; their maps may stand in one text. */
export const DIALECTS: readonly Dialect[] = [
  bhyvectlDialect,
  e820Dialect,
  iomemDialect,
  efiDialect,
  memoryTreeDialect,
  flatViewDialect,
  memoryRightsDialect,
  translationsDialect,
  xenE820Dialect,
  xenEfiDialect,
  xenDom0Dialect,
  hvmloaderDialect,
  seabiosDialect,
  fwCfgDialect,
  bhyveE820Dialect,
  propolisLogDialect,
  openbsdDialect,
  grubDialect,
  freebsdSmapDialect,
  freebsdEfiDialect,
  freebsdChunksDialect,
  netbsdDialect,
  memlistDialect,
];

function regionOf(source: SourceText, entry: MapEntry): Region {
  const at = source.at(entry.from, entry.to);
  return {
    range: entry.range,
    kind: entry.kind,
    name: entry.name,
    permissions: entry.permissions,
    reason: entry.reason,
    origin: fromText(at),
    at,
    ...(entry.approximate ? { approximate: true } : {}),
    ...(entry.backingOffset === undefined ? {} : { backingOffset: entry.backingOffset }),
    ...(entry.level === undefined || entry.level === 0 ? {} : { level: entry.level }),
  };
}

function mappingOf(source: SourceText, entry: MappingEntry): Mapping {
  const at = source.at(entry.from, entry.to);
  const { linear, physical, pageSize, writable, user, executable } = entry;
  return { linear, physical, pageSize, writable, user, executable, origin: fromText(at), at };
}

/** From the first to the last line of a map, which has at least one. A rendered map names its lines in no order. */
function extentOf({ entries, mappings = [] }: MemoryMap): { readonly from: number; readonly to: number } {
  let [from, to] = [Infinity, 0];
  for (const entry of [...entries, ...mappings]) {
    from = Math.min(from, entry.from);
    to = Math.max(to, entry.to);
  }
  return { from, to };
}

function machineOf(source: SourceText, map: MemoryMap, producer: string): Machine {
  const { from, to } = extentOf(map);
  const at = source.at(Math.min(map.nameFrom, from), to);
  return {
    name: map.name,
    vmm: null,
    version: null,
    producer,
    memory: null,
    // A map does not say; one is the least that a machine has.
    vcpus: { value: 1, origin: fromText(at) },
    regions: sortRegions(map.entries.map((entry) => regionOf(source, entry))),
    ...(map.mappings
      ? {
          mappings: map.mappings
            .map((entry) => mappingOf(source, entry))
            .sort((a, b) => compareRanges(a.linear, b.linear)),
        }
      : {}),
    images: [],
    at,
    nameAt: source.at(map.nameFrom, map.nameTo),
  };
}

function outlineOf(source: SourceText, map: MemoryMap, machine: Machine): OutlineNode {
  const leaf = (name: string, detail: string, from: number, to: number): OutlineNode => {
    const { range } = source.at(from, to);
    return { name, detail, kind: 'region', range, nameRange: range, children: [] };
  };
  const entries = map.entries.map((entry) =>
    leaf(
      `${formatRange(entry.range)} ${entry.name}`,
      `${entry.approximate ? 'about ' : ''}${formatSize(sizeOf(entry.range))}`,
      entry.from,
      entry.to,
    ),
  );
  const mappings = (map.mappings ?? []).map(({ linear, from, to }) =>
    leaf(`${formatRange(linear)} linear`, formatSize(sizeOf(linear)), from, to),
  );
  const amendments = map.amendments.map(({ text, from, to }) => leaf(text, NO_REGION, from, to));
  const children = [...entries, ...mappings, ...amendments].sort(
    (a, b) => a.range.start.line - b.range.start.line || a.range.start.character - b.range.start.character,
  );
  const end = children.at(-1)!.range.end;
  const start = machine.at!.range.start;
  return {
    name: machine.name,
    detail: entriesText(entries.length + mappings.length),
    kind: 'map',
    range: { start, end },
    nameRange: machine.nameAt!.range,
    children,
  };
}

function entriesText(count: number): string {
  return `${count} ${count === 1 ? 'entry' : 'entries'}`;
}

/** A memory map names its VMM only where somebody says so. */
function choiceOf(source: SourceText, context: ParseContext): Pick<Document, 'choice' | 'choiceReason'> {
  if (context.choice) return { choice: context.choice, choiceReason: 'asked' };
  const pragma = pragmaIn(source.text);
  if (!pragma || pragma.version === null) return { choice: null, choiceReason: null };
  const choice: VmmChoice = { vmm: pragma.vmm, version: pragma.version };
  return { choice, choiceReason: 'pragma' };
}

function parse(source: SourceText, context: ParseContext): Document {
  const readings = DIALECTS.filter(({ has }) => has(source.text)).map(({ name, read }) => ({
    name,
    ...read(source),
  }));
  const printed = readings
    .flatMap(({ name, maps: found }) => found.map((map) => ({ map, name, ...extentOf(map) })))
    .sort((a, b) => a.from - b.from);
  const maps = printed.map(({ map }) => map);
  const machines = printed.map(({ map, name }) => machineOf(source, map, name));
  const amended = onDemand(() =>
    printed.flatMap(({ map, name }) =>
      map.amended
        ? [machineOf(source, { ...map, name: `${map.name} as amended`, entries: map.amended }, name)]
        : [],
    ),
  );
  const outline = onDemand(() => maps.map((map, index) => outlineOf(source, map, machines[index]!)));
  return {
    source,
    language: 'memmap',
    ...choiceOf(source, context),
    machines,
    get amended() {
      return amended();
    },
    problems: readings
      .flatMap(({ problems }) => problems)
      .map(({ code, severity, message, from, to }) => ({ code, severity, message, at: source.at(from, to) })),
    get outline() {
      return outline();
    },
    symbols: [],
    links: [],
    wanted: [],
    read: [source.uri],
  };
}

/** Regions of one line that a hover tells apart. */
const MOST_OF_A_LINE = 8;

/** What the line under the cursor is: the half-open range, since most dialects print another one. */
function describe(document: Document, position: Position): Description | null {
  for (const machine of document.machines) {
    const regions = machine.regions.filter(({ at }) => at && containsPosition(at.range, position));
    const [first] = regions;
    if (!first) continue;
    // A memory region of QEMU's tree may answer in several places.
    const parts = regions.slice(0, MOST_OF_A_LINE).map(describeRegion);
    const more = regions.length - parts.length;
    if (more > 0) parts.push(`And ${more} more.`);
    return { range: first.at!.range, markdown: parts.join('\n\n') };
  }
  return describeMapping(document, position) ?? describeAmendment(document, position);
}

function describeRegion({ name, kind, range, approximate, reason }: Region): string {
  const size = `${approximate ? 'about ' : ''}${formatSize(sizeOf(range))}`;
  const marks = landmarksIn(range)
    .slice(0, 6)
    .map(({ label }) => label);
  return [
    `**${name}** (${kind}), ${size}: \`${formatRange(range)}\`, last byte \`${hex(range.end - 1n)}\``,
    reason,
    ...(marks.length > 0 ? [`In or across: ${marks.join(', ')}.`] : []),
  ].join('\n\n');
}

/** What a line of a map of linear addresses is: some lines stand for two ranges, some ranges for many lines. */
function describeMapping(document: Document, position: Position): Description | null {
  const there = document.machines
    .flatMap(({ mappings = [] }) => mappings)
    .filter(({ at }) => at && containsPosition(at.range, position));
  if (there.length === 0) return null;
  const lines = there.map((mapping) => {
    const { linear, physical, pageSize, user, writable, executable } = mapping;
    const pages = pageSize === null ? '' : `, by pages of ${formatSize(pageSize)}`;
    const leads = physical === null ? '' : `, lead to \`${hex(physical)}\` and on${pages}`;
    const rights = [
      user ? 'user' : 'supervisor only',
      writable ? 'writable' : 'read-only',
      ...(executable === null ? [] : [executable ? 'executable' : 'not executable']),
    ];
    return `Linear addresses \`${formatRange(linear)}\`, ${formatSize(sizeOf(linear))}${leads}: ${rights.join(', ')}.`;
  });
  return { range: there[0]!.at!.range, markdown: lines.join('\n\n') };
}

function describeAmendment(document: Document, position: Position): Description | null {
  for (const { name, children } of document.outline) {
    const node = children.find(
      ({ range, detail }) => detail === NO_REGION && containsPosition(range, position),
    );
    if (!node) continue;
    const amended = document.amended?.find((machine) => machine.name === `${name} as amended`);
    const kept = 'The map above, as the firmware gave it, stays as it is.';
    return {
      range: node.range,
      markdown: `The kernel changes its own copy of the map: ${node.name}.\n\n${amended ? `${kept} With all its changes it is “${amended.name}”, to be shown and compared.` : kept}`,
    };
  }
  return null;
}

export const memmap: Language = {
  kind: 'memmap',
  vmm: null,
  recognise(text) {
    const head = text.slice(0, SNIFFED);
    return DIALECTS.some(({ has }) => has(head));
  },
  parse,
  describe,
};
