/** Page tables of a plan: `[paging]` with all `[[map]]`. */
import { formatRange, hex } from '../address/format';
import {
  ADDRESS_SPACE_END,
  fromLength,
  KIB,
  MIB,
  GIB,
  overlaps,
  PAGE,
  type AddressRange,
} from '../address/range';
import type { ConfigNode, ObjectNode } from '../text/shape/node';
import { buildPageTables, placesFrom, type BuiltTables } from './pageTables';
import { mappingProblem, PAGING_MODES } from './pagingModes';
import { UPPER_LEVELS } from './keys/tables';
import type { MappingRights, PlannedMapping, PlannedPaging } from './plan';
import type { PlanReader } from './reader';

export interface ReadPaging {
  readonly paging: PlannedPaging;
  readonly built: BuiltTables;
}

type Mode = PlannedPaging['mode'];
const MODE_NAMES = Object.keys(PAGING_MODES) as Mode[];
const PAGES: Readonly<Record<string, bigint>> = { '4K': 4n * KIB, '2M': 2n * MIB, '4M': 4n * MIB, '1G': GIB };

export function readPaging(reader: PlanReader, root: ObjectNode): ReadPaging | null {
  const maps = reader.tables(root, 'map');
  const table = reader.table(root, 'paging');
  if (!table) {
    const first = maps[0];
    if (first) {
      const opening = { start: first.start, end: Math.min(first.start + 1, first.end) };
      reader.problem(
        'boot-plan-unused',
        opening,
        'A mapping needs `[paging]`, which says the form of the page tables and where they lie: without it none are written.',
      );
    }
    return null;
  }
  const mode = reader.word(table, 'mode', MODE_NAMES);
  const places = mode && placesOf(reader, table, mode);
  if (!mode || !places) return null;
  const nodes = new Map<PlannedMapping, ObjectNode>();
  for (const node of maps) {
    const mapping = mappingOf(reader, node, mode);
    if (mapping) nodes.set(mapping, node);
  }
  const mappings = [...nodes.keys()];
  const built = buildPageTables(mode, placesFrom(places), mappings);
  for (const { mapping, message, other } of built.problems) {
    const at = (mapping && reader.value(nodes.get(mapping)!, 'linear')) ?? table;
    const first = other && nodes.get(other);
    reader.problem('boot-plan-page-tables', at, `${message[0]!.toUpperCase()}${message.slice(1)}.`, {
      ...(first
        ? {
            related: [
              { at: reader.at(reader.value(first, 'linear') ?? first), message: 'The other mapping.' },
            ],
          }
        : {}),
    });
  }
  tablesApart(reader, table, built);
  const tables = built.tables.map(({ range }) => range);
  return { paging: { mode, root: places[0]!, tables, mappings, at: reader.at(table) }, built };
}

/** Where tables go, each aligned as the processor reads it. */
function placesOf(reader: PlanReader, table: ObjectNode, mode: Mode): readonly bigint[] | null {
  const node = reader.value(table, 'tables');
  if (!node) return null;
  const nodes: readonly ConfigNode[] = node.kind === 'array' ? node.items : [node];
  const places: bigint[] = [];
  for (const [index, item] of nodes.entries()) {
    const place = reader.numberOf(item);
    if (!place) return null;
    const alignment = index === 0 ? PAGING_MODES[mode].rootAlignment : PAGE;
    if (place.value % alignment !== 0n) {
      reader.problem(
        'boot-plan-page-tables',
        item,
        `${hex(place.value)} is no multiple of ${alignment} bytes, and a table starts at one: CR3 and upper entries have no bits for it.`,
      );
      return null;
    }
    places.push(place.value);
  }
  if (places.length === 0) return null;
  // A PDPT of 32 bytes need not start a page; what follows does.
  return places.length === 1 ? [places[0]!, (places[0]! / PAGE + 1n) * PAGE] : places;
}

function mappingOf(reader: PlanReader, node: ObjectNode, mode: Mode): PlannedMapping | null {
  const linear = reader.number(node, 'linear');
  const size = reader.number(node, 'size', true);
  const given = reader.member(node, 'physical');
  const physical = given ? reader.number(node, 'physical') : linear;
  if (!linear || !size || !physical) return null;
  if (size.value === 0n || linear.value + size.value > ADDRESS_SPACE_END) {
    const message =
      size.value === 0n
        ? 'The size is 0, so nothing is mapped.'
        : 'The mapping ends beyond the 64-bit address space.';
    reader.problem('boot-plan-page-tables', size.node, message);
    return null;
  }
  const large = mode === '32-bit' ? 4n * MIB : 2n * MIB;
  const aligned = [linear.value, size.value, physical.value].every((value) => value % large === 0n);
  const page = reader.word(node, 'page', Object.keys(PAGES));
  const user = reader.boolean(node, 'user') ?? false;
  const mapping: PlannedMapping = {
    linear: fromLength(linear.value, size.value),
    physical: physical.value,
    page: page ? PAGES[page]! : aligned ? large : 4n * KIB,
    leaf: rightsOf(reader, node, user),
    ...upperOf(reader, node, user),
    global: reader.boolean(node, 'global') ?? false,
    at: reader.at(node),
  };
  const wrong = mappingProblem(mode, mapping);
  if (!wrong) return mapping;
  reader.problem('boot-plan-page-tables', linear.node, `${wrong[0]!.toUpperCase()}${wrong.slice(1)}.`);
  return null;
}

function rightsOf(reader: PlanReader, node: ObjectNode, user: boolean): MappingRights {
  const letters = reader.text(node, 'permissions')?.value ?? 'rwx';
  return { writable: letters[1] === 'w', user, executable: letters[2] === 'x' };
}

function upperOf(
  reader: PlanReader,
  node: ObjectNode,
  user: boolean,
): Pick<PlannedMapping, 'upper' | 'upperByLevel'> {
  const table = reader.table(node, 'upper');
  if (!table) return { upper: null };
  const rights = (of: ObjectNode) => rightsOf(reader, of, reader.boolean(of, 'user') ?? user);
  const levels = UPPER_LEVELS.flatMap((level) => {
    const own = reader.table(table, level);
    return own ? [[level.toUpperCase(), rights(own)] as const] : [];
  });
  const all = levels.length === 0 || reader.member(table, 'permissions') || reader.member(table, 'user');
  return {
    upper: all ? rights(table) : null,
    ...(levels.length > 0 ? { upperByLevel: new Map(levels) } : {}),
  };
}

/** Two tables in one place: the second one written would be what both entries lead to. */
function tablesApart(reader: PlanReader, table: ObjectNode, { tables }: BuiltTables): void {
  const sorted = [...tables].sort((a, b) => (a.range.start < b.range.start ? -1 : 1));
  for (let i = 1; i < sorted.length; i++) {
    const [a, b]: [AddressRange, AddressRange] = [sorted[i - 1]!.range, sorted[i]!.range];
    if (!overlaps(a, b)) continue;
    reader.problem(
      'boot-plan-page-tables',
      reader.value(table, 'tables') ?? table,
      `Two page tables lie in one place, ${formatRange(a)} and ${formatRange(b)}: the one that is written last is what both entries lead to.`,
    );
    return;
  }
}
