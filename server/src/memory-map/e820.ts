/**
 * The e820 maps of a Linux boot log (`arch/x86/kernel/e820.c`), also inside a longer log and behind any prefix.
 * The bracketed form prints the last byte of a range; the dash form of kernels before 3.5 prints its end.
 */
import { formatRange, hex } from '../address/format';
import { ADDRESS_SPACE_END, fromClosed, type AddressRange } from '../address/range';
import type { RegionKind } from '../machine/machine';
import type { SourceText } from '../text/sourceText';
import {
  MAX_ENTRIES,
  nameMaps,
  tooLong,
  type Dialect,
  type MapProblem,
  type MapReading,
  type OpenMap,
} from './mapText';

/** Who prints a map, and the heading that announces it. */
const HEADINGS: Readonly<Record<string, string>> = {
  'BIOS-provided': 'BIOS-e820',
  'user-defined': 'user',
  extended: 'extended',
  modified: 'modified',
};

/** The extended map's lines carry another name than its heading. */
const ALIASES: Readonly<Record<string, string>> = { 'reserve setup_data': 'extended' };

/** Wherever something of a map may start. Every quantifier is bounded, so one long line costs no more than many. */
const MARK =
  /(?<![\w-])(?:(BIOS-provided|user-defined|extended|modified) physical RAM map:|(BIOS-e820|BIOS-e801|BIOS-88|user|modified|extended|reserve setup_data|Xen)[ \t]{0,4}:[ \t]{0,8}(?=\[(?:mem|gap) |[0-9a-fA-F]{8})|e820:[ \t]{0,4}(update|remove|reserve RAM buffer|register RAM buffer resource)[ \t]{1,4}(?=\[mem ))/g;
const BRACKETS = /\[(mem|gap) 0x([0-9a-f]{1,40})-0x([0-9a-f]{1,40})\]/iy;
/** Before 3.5 (`e820_print_map`): address - address + size; only types without a name had no parentheses. */
const DASH = /([0-9a-f]{8,40}) - ([0-9a-f]{8,40}) ?(?:\(|(?=type \d))/iy;
/** Kernel patches of 2025 print a size between range and type: `  639   KB`, ` 1.9 GB`. */
const SIZE_COLUMN = /[ \t]{0,8}\d{1,5}(?:\.\d{1,4})?[ \t]{1,4}(?:B|KB|MB|GB|TB)(?!\w)/iy;
const TYPE =
  /[ \t]{0,8}(kernel usable RAM|System RAM|usable|(?:device |soft )?reserved|ACPI (?:data|tables|NVS|non-volatile storage)|unusable(?: memory)?|persistent(?: RAM| memory)?(?: \(type \d{1,10}\))?|type \d{1,10}|unknown E820 type)(?!\w)/iy;
const ARROW = /[ \t]{0,4}==>/y;

/** Kinds by the first words of a type, in any wording since 2.6. */
const KINDS: readonly (readonly [RegExp, RegionKind])[] = [
  [/^(?:kernel usable|system ram|usable)/, 'ram'],
  [/^acpi (?:data|tables)/, 'acpi'],
  [/^acpi/, 'nvs'],
  [/^unusable/, 'unusable'],
  [/^persistent/, 'persistent'],
];

function kindOf(type: string): RegionKind {
  const words = type.toLowerCase();
  // Types without a name of their own are kept from the allocator like reserved ones.
  return KINDS.find(([pattern]) => pattern.test(words))?.[1] ?? 'reserved';
}

/** The match of a sticky pattern at an offset, or null. */
function at(pattern: RegExp, text: string, offset: number): RegExpExecArray | null {
  pattern.lastIndex = offset;
  return pattern.exec(text);
}

/** What the type of an entry says. */
interface Wording {
  readonly kind: RegionKind;
  readonly reason: string;
}

const GAP: Wording = {
  kind: 'hole',
  reason: 'The kernel prints this gap between two entries of the map.',
};

class Reader {
  /** By producer, then by type: a long map has few types. */
  private readonly wordings = new Map<string, Map<string, Wording>>();
  readonly maps: OpenMap[] = [];
  readonly problems: MapProblem[] = [];
  /** The map that a producer is printing at the moment. */
  private readonly current = new Map<string, OpenMap>();
  private count = 0;
  /** Who printed last: another one in between ends a map. */
  private last: string | null = null;

  constructor(private readonly text: string) {}

  run(): MapReading {
    for (const mark of this.text.matchAll(MARK)) {
      const [whole, heading, who, change] = mark;
      const end = mark.index + whole.length;
      if (heading !== undefined) this.open(HEADINGS[heading]!, mark.index, end);
      else if (who !== undefined) {
        if (this.count >= MAX_ENTRIES) {
          this.problems.push(tooLong(mark.index, end));
          break;
        }
        this.entry(ALIASES[who] ?? who, mark.index, end);
      } else if (change !== undefined) this.amendment(change, mark.index, end);
    }
    return { maps: nameMaps(this.maps), problems: this.problems };
  }

  private open(name: string, from: number, to: number): OpenMap {
    const map: OpenMap = { name, nameFrom: from, nameTo: to, entries: [], amendments: [] };
    this.maps.push(map);
    this.current.set(name, map);
    this.last = name;
    return map;
  }

  /** The map that an entry of this producer belongs to. */
  private mapFor(who: string, start: bigint, from: number, to: number): OpenMap {
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

  private entry(who: string, from: number, body: number): void {
    const brackets = at(BRACKETS, this.text, body);
    const dash = brackets ? null : at(DASH, this.text, body);
    const found = brackets ?? dash;
    if (!found) {
      this.unreadable(from, body, 'its range is not of the form [mem 0xSTART-0xLAST]');
      return;
    }
    let to = found.index + found[0].length;
    const gap = brackets?.[1]?.toLowerCase() === 'gap';
    let type = 'gap';
    if (!gap) {
      const size = brackets ? at(SIZE_COLUMN, this.text, to) : null;
      const name = at(TYPE, this.text, size ? to + size[0].length : to);
      if (!name) {
        this.unreadable(from, body, 'its type is missing or unknown');
        return;
      }
      type = name[1]!;
      to = name.index + name[0].length + (dash && this.text[name.index + name[0].length] === ')' ? 1 : 0);
    }
    const range = brackets
      ? fromClosed(BigInt('0x' + brackets[2]!), BigInt('0x' + brackets[3]!))
      : { start: BigInt('0x' + dash![1]!), end: BigInt('0x' + dash![2]!) };
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

  private amendment(change: string, from: number, body: number): void {
    const brackets = at(BRACKETS, this.text, body);
    if (!brackets) return;
    const range = fromClosed(BigInt('0x' + brackets[2]!), BigInt('0x' + brackets[3]!));
    let to = brackets.index + brackets[0].length;
    const words: string[] = [change, formatRange(range)];
    const type = at(TYPE, this.text, to);
    if (type) {
      to = type.index + type[0].length;
      words.push(type[1]!);
      const arrow = at(ARROW, this.text, to);
      const into = arrow && at(TYPE, this.text, to + arrow[0].length);
      if (into) {
        to = into.index + into[0].length;
        words.push('to', into[1]!);
      }
    }
    const map = this.current.get(this.last ?? '') ?? this.maps.at(-1);
    map?.amendments.push({ text: words.join(' '), from, to });
  }

  private unreadable(from: number, to: number, why: string): void {
    this.problems.push({
      code: 'map-unreadable-line',
      severity: 'information',
      message: `This looks like a map entry, but ${why}. It is left out, so the map may have a hole here that the machine has not.`,
      from,
      to,
    });
  }
}

/** True where the text has at least one whole entry. */
function hasE820(text: string): boolean {
  for (const mark of text.matchAll(MARK)) {
    if (mark[2] === undefined) continue;
    const body = mark.index + mark[0].length;
    if (at(BRACKETS, text, body) || at(DASH, text, body)) return true;
  }
  return false;
}

function readE820(source: SourceText): MapReading {
  return new Reader(source.text).run();
}

export const e820Dialect: Dialect = { name: 'Linux e820', has: hasE820, read: readE820 };
