/**
 * The e820 maps of a Linux boot log (`arch/x86/kernel/e820.c`), also inside a longer log and behind any prefix.
 * The bracketed form prints the last byte of a range (`e820__print_table`, read up to the wordings of 2026); the dash form of
 * kernels before 3.5 prints its end (`e820_print_map` of 2.6.32).
 */
import { formatRange, hex } from '../address/format';
import { ADDRESS_SPACE_END, fromClosed, type AddressRange } from '../address/range';
import type { RegionKind } from '../machine/machine';
import type { SourceText } from '../text/sourceText';
import { amendedEntries, type MapChange } from './e820Amended';
import {
  ALIASES,
  ARROW,
  at,
  BRACKETS,
  DASH,
  HEADINGS,
  kindOf,
  LATER,
  MARK,
  SIZE_COLUMN,
  TYPE,
  WRAPPED_TYPE,
} from './e820Wording';
import {
  MAX_ENTRIES,
  nameMaps,
  tooLong,
  type Dialect,
  type MapProblem,
  type MapReading,
  type OpenMap,
} from './mapText';

/** What the type of an entry says. */
interface Wording {
  readonly kind: RegionKind;
  readonly reason: string;
}

const GAP: Wording = {
  kind: 'hole',
  reason: 'The kernel prints this gap between two entries of the map.',
};

/** A map with the changes that the kernel reports between it and the next map. */
interface ChangedMap extends OpenMap {
  readonly changes: MapChange[];
}

class Reader {
  /** By producer, then by type: a long map has few types. */
  private readonly wordings = new Map<string, Map<string, Wording>>();
  readonly maps: ChangedMap[] = [];
  readonly problems: MapProblem[] = [];
  /** The map that a producer is printing at the moment. */
  private readonly current = new Map<string, ChangedMap>();
  private count = 0;
  /** Who printed last: another one in between ends a map. */
  private last: string | null = null;

  constructor(private readonly text: string) {}

  run(): MapReading {
    for (const mark of this.text.matchAll(MARK)) {
      const [whole, heading, who, change, oldChange, oldBuffer, copy] = mark;
      const end = mark.index + whole.length;
      const changes = change ?? oldChange ?? oldBuffer;
      if (heading !== undefined) this.open(HEADINGS[heading]!, mark.index, end);
      else if (who !== undefined) {
        if (this.count >= MAX_ENTRIES) {
          this.problems.push(tooLong(mark.index, end));
          break;
        }
        this.entry(ALIASES[who] ?? who, mark.index, end);
      } else if (changes !== undefined) this.amendment(changes, mark.index, end);
      else if (copy !== undefined) this.takeBack(mark.index);
    }
    return {
      maps: nameMaps(this.maps.map((map, index) => this.finished(map, index))),
      problems: this.problems,
    };
  }

  /** The change on the line above was one of a copy that only hibernation and kexec look at. */
  private takeBack(before: number): void {
    const changes = this.maps.at(-1)?.changes;
    const last = changes?.at(-1);
    if (last && this.text.slice(last.to, before).split('\n', 3).length < 3) changes!.pop();
  }

  /** With the amended map where the kernel prints no later one of the same boot. */
  private finished({ changes, ...map }: ChangedMap, index: number): OpenMap {
    const next = this.maps.slice(index + 1).find(({ entries }) => entries.length > 0);
    const amended = next && LATER.has(next.name) ? null : amendedEntries(map.entries, changes);
    return amended ? { ...map, amended } : map;
  }

  private open(name: string, from: number, to: number): ChangedMap {
    const map: ChangedMap = { name, nameFrom: from, nameTo: to, entries: [], amendments: [], changes: [] };
    this.maps.push(map);
    this.current.set(name, map);
    this.last = name;
    return map;
  }

  /** The map that an entry of this producer belongs to. */
  private mapFor(who: string, start: bigint, from: number, to: number): ChangedMap {
    const open = this.current.get(who);
    if (!open) return this.open(who, from, to);
    const first = open.entries[0];
    if (first === undefined) return open;
    if (this.last !== who) return this.open(who, from, to);
    // A log of several boots without headings: the map starts over at address 0 after having passed 1 MiB.
    const startsOver =
      start === 0n && first.range.start === 0n && open.entries.at(-1)!.range.start >= 0x100000n;
    return startsOver ? this.open(who, from, to) : open;
  }

  /** The type after a range: on the same line, behind a size column, or alone on the next line. */
  private typeAt(offset: number): RegExpExecArray | null {
    const size = at(SIZE_COLUMN, this.text, offset);
    return (
      at(TYPE, this.text, size ? offset + size[0].length : offset) ?? at(WRAPPED_TYPE, this.text, offset)
    );
  }

  private entry(who: string, from: number, body: number): void {
    const brackets = at(BRACKETS, this.text, body);
    const found = brackets ?? at(DASH, this.text, body);
    if (!found) {
      this.unreadable(who, from, body, 'its range is not of the form [mem 0xSTART-0xLAST]');
      return;
    }
    let to = found.index + found[0].length;
    const gap = brackets?.[1]?.toLowerCase() === 'gap';
    let type = 'gap';
    if (!gap) {
      const name = this.typeAt(to);
      if (!name) {
        this.unreadable(who, from, body, 'its type is missing or unknown');
        return;
      }
      type = name[1]!;
      to = name.index + name[0].length;
    }
    const range = brackets
      ? fromClosed(BigInt('0x' + brackets[2]!), BigInt('0x' + brackets[3]!))
      : { start: BigInt('0x' + found[1]!), end: BigInt('0x' + found[2]!) };
    if (!this.sound(range, from, to, brackets !== null)) return;
    const map = this.mapFor(who, range.start, from, to);
    this.last = who;
    this.count++;
    const { kind, reason } = gap ? GAP : this.wording(who, type);
    map.entries.push({
      range,
      kind,
      name: type,
      permissions: null,
      reason,
      from,
      to,
      approximate: false,
    });
  }

  private wording(who: string, type: string): Wording {
    const ofProducer = this.wordings.get(who) ?? new Map<string, Wording>();
    this.wordings.set(who, ofProducer);
    let wording = ofProducer.get(type);
    if (!wording) {
      wording = { kind: kindOf(type), reason: `The ${who} map calls this ${type}.` };
      ofProducer.set(type, wording);
    }
    return wording;
  }

  /** Reports what is no range; false where the entry must not become a region. */
  private sound(range: AddressRange, from: number, to: number, closed: boolean): boolean {
    const { start, end } = range;
    if (start < end && start > 0n && end <= ADDRESS_SPACE_END) return true;
    const problem = (code: MapProblem['code'], severity: MapProblem['severity'], message: string): false => {
      this.problems.push({ code, severity, message, from, to });
      return false;
    };
    if (start >= ADDRESS_SPACE_END || end > ADDRESS_SPACE_END)
      return problem(
        'map-beyond-64-bit',
        'error',
        `This entry reaches ${hex(end)}, beyond the 64-bit address space. No machine has such an address, so the entry is left out.`,
      );
    if (start === end || (start === 0n && end === ADDRESS_SPACE_END))
      return problem(
        'map-empty-entry',
        'information',
        `This entry at ${hex(start)} has no byte${closed ? ': its last byte is its start less one' : ''}. Linux's sanitiser drops such entries, so it is left out here too.`,
      );
    if (end < start)
      return problem(
        'map-reversed-entry',
        'warning',
        `This entry ends at ${hex(end)}, below its start ${hex(start)}. Such a size wraps around 2^64, and Linux's sanitiser gives up on a whole map with such an entry.`,
      );
    return true;
  }

  /**
   * A line that changes the table, or (RAM buffer) only reserves addresses beside it. The dash form of a RAM buffer prints the
   * last byte all the same (e820_reserve_resources_late), that of a change the end.
   */
  private amendment(what: string, from: number, body: number): void {
    const brackets = at(BRACKETS, this.text, body);
    const dash = brackets ? null : at(DASH, this.text, body);
    const [first, second] = brackets ? brackets.slice(2) : (dash?.slice(1) ?? []);
    if (first === undefined || second === undefined) return;
    const [start, shown] = [BigInt('0x' + first), BigInt('0x' + second)];
    const changes = what === 'update' || what === 'remove';
    const range = dash && changes ? { start, end: shown } : fromClosed(start, shown);
    if (range.end < start || range.end > ADDRESS_SPACE_END) return;
    const found = (brackets ?? dash)!;
    let to = found.index + found[0].length;
    const words: string[] = [what, formatRange(range)];
    const old = changes ? this.typeAt(to) : null;
    let into: RegExpExecArray | null = null;
    if (old) {
      to = old.index + old[0].length;
      words.push(old[1]!);
      const arrow = at(ARROW, this.text, to);
      into = arrow && this.typeAt(to + arrow[0].length);
      if (into) {
        to = into.index + into[0].length;
        words.push('to', into[1]!);
      }
    }
    const map = this.current.get(this.last ?? '') ?? this.maps.at(-1);
    if (!map) return;
    map.amendments.push({ text: words.join(' '), from, to });
    if (what === 'remove') map.changes.push({ range, old: old?.[1] ?? null, into: null, from, to });
    else if (old && into) {
      const [name, type] = [into[1]!, old[1]!];
      map.changes.push({ range, old: type, into: { name, kind: kindOf(name) }, from, to });
    }
  }

  private unreadable(who: string, from: number, to: number, why: string): void {
    // Kernels use this prefix for many other lines.
    if (who === 'e820') return;
    this.problems.push({
      code: 'map-unreadable-line',
      severity: 'information',
      message: `This looks like a map entry, but ${why}. It is left out, so the map may have a hole here that the machine has not.`,
      from,
      to,
    });
  }
}

/** What every entry has, in either form: much cheaper to look for than marks. */
const ANY_RANGE = /\[(?:mem|gap) 0x|[0-9a-f]{8} - [0-9a-f]{8}/i;

/** True where the text has at least one whole entry. */
function hasE820(text: string): boolean {
  if (!ANY_RANGE.test(text)) return false;
  for (const mark of text.matchAll(MARK)) {
    const who = mark[2];
    if (who === undefined) continue;
    const body = mark.index + mark[0].length;
    const range = at(BRACKETS, text, body);
    if (who !== 'e820') {
      if (range ?? at(DASH, text, body)) return true;
    } else if (range && at(TYPE, text, body + range[0].length)) return true;
  }
  return false;
}

function readE820(source: SourceText): MapReading {
  return new Reader(source.text).run();
}

export const e820Dialect: Dialect = { name: 'Linux e820', has: hasE820, read: readE820 };
