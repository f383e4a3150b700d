/**
 * Page tables for a list of mappings. SDM vol. 3, 4.3 (32-bit paging), 4.4 (PAE) and 4.5 (4 and 5 levels). Which tables there are
 * is found in steps of one lowest table; the entries are written when somebody wants the bytes.
 */
import { formatRange, hex } from '../address/format';
import { compareRanges, contains, fromLength, PAGE, type AddressRange } from '../address/range';
import { onDemand } from '../machine/onDemand';
import { PAGING_MODES, type ModeRow, type PagingModeName } from './pagingModes';
import type { MappingRights, PlannedMapping } from './plan';

/** 16 MiB of tables: with 4 KiB pages they map nearly 8 GiB. */
const MOST_TABLES = 4096;

const PRESENT = 1n;
const WRITABLE = 2n;
const USER = 4n;
const LARGE = 0x80n;
const GLOBAL = 0x100n;
const NX = 1n << 63n;

/** An entry that leads to a table. */
interface UpperSlot {
  readonly parent: Table;
  readonly index: number;
  readonly child: Table;
  /** What mappings ask for; null where none does. */
  asked: MappingRights | null;
  /** A leaf below it is for user mode. */
  user: boolean;
}

interface Table {
  readonly level: number;
  /** The linear address of its first entry. */
  readonly linear: bigint;
  readonly address: bigint;
  readonly slots: Map<number, UpperSlot>;
  /** Mappings with leaves in it. */
  readonly leaves: PlannedMapping[];
}

export interface BuiltTable {
  /** `PML4`, `page table`. */
  readonly name: string;
  readonly range: AddressRange;
  /** Linear addresses that it can map. */
  readonly covers: AddressRange;
  /** Made when they are asked for. */
  readonly bytes: () => Uint8Array;
}

export interface UpperRow {
  /** `PDPTE`. */
  readonly level: string;
  readonly value: bigint;
}

export interface PageTableProblem {
  readonly mapping: PlannedMapping | null;
  readonly message: string;
  /** The mapping or table that it is in conflict with. */
  readonly other?: PlannedMapping;
}

export interface BuiltTables {
  /** The root first. */
  readonly tables: readonly BuiltTable[];
  /** The topmost entry without RW above leaves of this mapping, or null. */
  readOnlyAbove(mapping: PlannedMapping): UpperRow | null;
  readonly problems: readonly PageTableProblem[];
}

/** An entry of 4 bytes; address bits 39:32 of a 4 MiB page stand in bits 20:13 (PSE-36, SDM vol. 3, table 4-4). */
function narrow(entry: bigint): number {
  return Number(BigInt.asUintN(32, entry) | (((entry >> 32n) & 0xffn) << 13n));
}

/** Where the n-th table goes: the listed places, then on from the last. */
export function placesFrom(listed: readonly bigint[]): (index: number) => bigint {
  return (index) => listed[index] ?? listed.at(-1)! + PAGE * BigInt(index - listed.length + 1);
}

/** `mappings`: those without a problem of their own. They may stand in any order; overlapping ones are told. */
export function buildPageTables(
  mode: PagingModeName,
  placeOf: (index: number) => bigint,
  mappings: readonly PlannedMapping[],
): BuiltTables {
  const builder = new Builder(mode, placeOf);
  const apart = builder.withoutOverlaps(mappings);
  for (const mapping of apart) if (!builder.add(mapping)) break;
  return {
    tables: builder.tables.map((table) => builder.built(table)),
    readOnlyAbove: (mapping) => builder.readOnlyAbove(mapping),
    problems: builder.problems,
  };
}

class Builder {
  readonly tables: Table[] = [];
  readonly problems: PageTableProblem[] = [];
  private readonly row: ModeRow;

  constructor(
    mode: PagingModeName,
    private readonly placeOf: (index: number) => bigint,
  ) {
    this.row = PAGING_MODES[mode];
    this.newTable(0, 0n);
  }

  /** The first of two that overlap, in the order of the text, stays. */
  withoutOverlaps(mappings: readonly PlannedMapping[]): PlannedMapping[] {
    const order = new Map(mappings.map((mapping, index) => [mapping, index]));
    const sorted = [...mappings].sort((a, b) => compareRanges(a.linear, b.linear));
    const dropped = new Set<PlannedMapping>();
    let last: PlannedMapping | null = null;
    for (const mapping of sorted) {
      if (!last || mapping.linear.start >= last.linear.end) {
        last = mapping;
        continue;
      }
      const earlier: PlannedMapping = order.get(last)! < order.get(mapping)! ? last : mapping;
      const later: PlannedMapping = earlier === last ? mapping : last;
      dropped.add(later);
      this.problems.push({
        mapping: later,
        other: earlier,
        message: `${formatRange(later.linear)} is mapped twice in part: an earlier mapping is of ${formatRange(earlier.linear)}`,
      });
      last = earlier;
    }
    return mappings.filter((mapping) => !dropped.has(mapping));
  }

  /** False where there are too many tables. */
  add(mapping: PlannedMapping): boolean {
    const leafLevel = this.row.pages.get(mapping.page)!;
    const step = this.reach(leafLevel);
    for (let at = mapping.linear.start; at < mapping.linear.end; at = (at / step + 1n) * step) {
      let table = this.tables[0]!;
      while (table.level < leafLevel) {
        const slot = this.slot(table, at);
        if (!slot) {
          this.problems.push({
            mapping,
            message: `this needs more than ${MOST_TABLES} page tables; larger pages need fewer`,
          });
          return false;
        }
        this.join(slot, mapping);
        table = slot.child;
      }
      table.leaves.push(mapping);
    }
    return true;
  }

  private join(slot: UpperSlot, mapping: PlannedMapping): void {
    slot.user ||= mapping.leaf.user;
    const { entry } = this.row.levels[slot.parent.level]!;
    const upper = mapping.upperByLevel?.get(entry) ?? mapping.upper;
    if (!upper) return;
    const { asked } = slot;
    if (!asked) slot.asked = upper;
    else if (
      asked.writable !== upper.writable ||
      asked.user !== upper.user ||
      asked.executable !== upper.executable
    ) {
      if (this.problems.at(-1)?.mapping === mapping) return;
      this.problems.push({
        mapping,
        message: `the ${entry} of ${hex(slot.child.linear)} is shared with an earlier mapping, which asks for other rights in it`,
      });
    }
  }

  private newTable(level: number, linear: bigint): Table {
    const table: Table = {
      level,
      linear,
      address: this.placeOf(this.tables.length),
      slots: new Map(),
      leaves: [],
    };
    this.tables.push(table);
    return table;
  }

  /** Linear addresses that a table of this level maps. */
  private reach(level: number): bigint {
    const { bytes, width, shift } = this.row.levels[level]!;
    return BigInt(bytes / width) << BigInt(shift);
  }

  private indexOf(level: number, linear: bigint): number {
    const { bytes, width, shift } = this.row.levels[level]!;
    return Number((linear >> BigInt(shift)) % BigInt(bytes / width));
  }

  private slot(parent: Table, linear: bigint): UpperSlot | null {
    const index = this.indexOf(parent.level, linear);
    const known = parent.slots.get(index);
    if (known) return known;
    if (this.tables.length >= MOST_TABLES) return null;
    const reach = this.reach(parent.level + 1);
    const child = this.newTable(parent.level + 1, (linear / reach) * reach);
    const slot = { parent, index, child, asked: null, user: false };
    parent.slots.set(index, slot);
    return slot;
  }

  private valueOf({ parent, child, asked, user }: UpperSlot): bigint {
    if (this.row.levels[parent.level]!.noRights) return child.address | PRESENT;
    const rights = asked ?? { writable: true, user, executable: true };
    return child.address | this.rightsBits(rights);
  }

  private rightsBits({ writable, user, executable }: MappingRights): bigint {
    return PRESENT | (writable ? WRITABLE : 0n) | (user ? USER : 0n) | (executable || !this.row.nx ? 0n : NX);
  }

  readOnlyAbove(mapping: PlannedMapping): UpperRow | null {
    const leafLevel = this.row.pages.get(mapping.page)!;
    const step = this.reach(leafLevel);
    let found: UpperSlot | null = null;
    for (let at = mapping.linear.start; at < mapping.linear.end; at = (at / step + 1n) * step) {
      let table = this.tables[0]!;
      while (table.level < leafLevel) {
        const slot = table.slots.get(this.indexOf(table.level, at));
        if (!slot) return null;
        const rights = this.row.levels[table.level]!.noRights !== true;
        if (rights && slot.asked?.writable === false && (!found || table.level < found.parent.level))
          found = slot;
        table = slot.child;
      }
    }
    return found && { level: this.row.levels[found.parent.level]!.entry, value: this.valueOf(found) };
  }

  built(table: Table): BuiltTable {
    const { table: name, bytes } = this.row.levels[table.level]!;
    const covers = fromLength(table.linear, this.reach(table.level));
    return {
      name,
      range: fromLength(table.address, BigInt(bytes)),
      covers,
      bytes: onDemand(() => this.bytesOf(table, covers)),
    };
  }

  private bytesOf(table: Table, covers: AddressRange): Uint8Array {
    const { bytes, width, shift } = this.row.levels[table.level]!;
    const out = new Uint8Array(bytes);
    const view = new DataView(out.buffer);
    const put = (index: number, value: bigint) =>
      width === 8
        ? view.setBigUint64(8 * index, value, true)
        : view.setUint32(4 * index, narrow(value), true);
    for (const slot of table.slots.values()) put(slot.index, this.valueOf(slot));
    for (const mapping of table.leaves) {
      const { linear, physical, page, leaf, global } = mapping;
      const large = table.level === this.row.levels.length - 1 ? 0n : LARGE;
      const rights = this.rightsBits(leaf) | large | (global ? GLOBAL : 0n);
      const from = linear.start > covers.start ? linear.start : covers.start;
      for (let at = from; at < linear.end && contains(covers, at); at += page) {
        put(Number((at - covers.start) >> BigInt(shift)), (physical + at - linear.start) | rights);
      }
    }
    return out;
  }
}
