/**
 * `/proc/iomem` (Linux `kernel/resource.c`, r_show): two blanks a level, start and last byte in hex without 0x, eight digits
 * at least, and the name of the resource. The kernel's resource tree has each child inside its parent and no two siblings
 * that overlap (`__request_resource`), and prints it in order of start: so what lies inside an open line is its child, also
 * where a paste has lost the indentation, which the kernel itself stops at five levels.
 */
import { hex } from '../address/format';
import { fromClosed, type AddressRange } from '../address/range';
import type { RegionKind } from '../machine/machine';
import type { SourceText } from '../text/sourceText';
import {
  MAX_ENTRIES,
  nameMaps,
  rangeProblem,
  tooLong,
  type Dialect,
  type MapProblem,
  type MapReading,
  type OpenMap,
} from './mapText';

/** A name ends at its line, or where a log that is JSON ends its string. */
// eslint-disable-next-line no-control-regex
const ROW = /(?<![\w.-])([0-9a-f]{8,17})-([0-9a-f]{8,17}) : ([^\r\n"\\\u001b]{1,200})/gi;
/** Looks like a row and is none: an address with too few or strange digits. */
const NEAR_MISS = /^[ \t>]{0,20}[0-9a-fx]{1,40}-[0-9a-fx]{1,40} ?: ?\S/i;

/**
 * Names that only the kernel's own resources have, for the recogniser: other texts have pairs of long numbers too. The file's
 * name does as well, from the prompt line above a paste.
 */
const KNOWN =
  / : (?:System RAM|Reserved|RAM buffer|ACPI (?:Tables|Non-volatile Storage)|Kernel (?:code|text|data|rodata|bss)|Crash kernel|PCI (?:Bus|MMCONFIG|ECAM)|IOAPIC \d|HPET \d|Local APIC|Video (?:ROM|RAM area)|System ROM|Persistent Memory|Unusable memory|Soft Reserved|[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.\d)|\/proc\/iomem/i;

/** Kinds by names (`e820_type_to_string`, arch/x86/kernel/{setup,probe_roms}.c, drivers/pci); all else is a device's. */
const KINDS: readonly (readonly [RegExp, RegionKind])[] = [
  [/^System RAM(?: \(|$)|^Kernel (?:code|text|data|rodata|bss)$|^Crash kernel/i, 'ram'],
  [/^ACPI Tables$/i, 'acpi'],
  [/^ACPI Non-volatile Storage$/i, 'nvs'],
  [/^(?:Video|System|Adapter|Extension) ROM$/i, 'rom'],
  [/^Unusable memory$/i, 'unusable'],
  [/^Persistent Memory(?: \(legacy\))?$/i, 'persistent'],
  [/^(?:Soft )?Reserved$|^RAM buffer$|^Graphics Stolen Memory$|^Unknown E820 type$/i, 'reserved'],
];

function kindOf(name: string): RegionKind {
  return KINDS.find(([pattern]) => pattern.test(name))?.[1] ?? 'mmio';
}

interface Row {
  readonly range: AddressRange;
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

function rowOf(match: RegExpExecArray | RegExpMatchArray): Row {
  const name = match[3]!.trimEnd();
  return {
    range: fromClosed(BigInt('0x' + match[1]!), BigInt('0x' + match[2]!)),
    name,
    from: match.index!,
    to: match.index! + match[0].length - (match[3]!.length - name.length),
  };
}

/** Start and last byte 0: a resource without a range, or one that the reader may not see. */
function isUnset({ range }: Row): boolean {
  return range.start === 0n && range.end === 1n;
}

class Reader {
  private readonly problems: MapProblem[] = [];
  private readonly maps: OpenMap[] = [];
  /** The rows of the map that is being read. */
  private rows: Row[] = [];
  private count = 0;

  constructor(private readonly source: SourceText) {}

  run(): MapReading {
    for (const match of this.source.text.matchAll(ROW)) {
      if (this.count++ >= MAX_ENTRIES) {
        this.problems.push(tooLong(match.index, match.index + match[0].length));
        break;
      }
      const row = rowOf(match);
      const before = this.rows.at(-1);
      if (before && !this.continues(before, row)) this.close();
      this.rows.push(row);
    }
    this.close();
    return { maps: nameMaps(this.maps), problems: this.problems };
  }

  /** The kernel prints in order of start, and nothing but a row stands between two rows. */
  private continues(before: Row, row: Row): boolean {
    if (row.range.start < before.range.start) return false;
    const between = this.source.text.slice(before.to, row.from);
    // Short in a listing, whose lines differ by their prefix only.
    if (between.length > 2000) return false;
    const lines = between.split('\n');
    let offset = before.to + lines[0]!.length + 1;
    for (const line of lines.slice(1, -1)) {
      if (NEAR_MISS.test(line)) this.unreadable(offset, offset + line.trimEnd().length);
      else if (line.trim() !== '') return false;
      offset += line.length + 1;
    }
    return true;
  }

  private close(): void {
    const { rows } = this;
    this.rows = [];
    const first = rows[0];
    if (!first) return;
    if (rows.every(isUnset)) {
      this.unprivileged(first, rows.at(-1)!, rows.length);
      return;
    }
    const map: OpenMap = {
      name: 'iomem',
      nameFrom: first.from,
      nameTo: first.to,
      entries: [],
      amendments: [],
    };
    this.maps.push(map);
    const open: Row[] = [];
    for (const row of rows) {
      // `Crash kernel` of 2.6 where none is reserved.
      if (isUnset(row)) continue;
      const { range, name, from, to } = row;
      const problem = rangeProblem(range, from, to);
      if (problem) {
        this.problems.push(problem);
        continue;
      }
      while (open.length > 0 && open.at(-1)!.range.end < range.end) open.pop();
      const parent = open.at(-1);
      map.entries.push({
        range,
        kind: kindOf(name),
        name,
        permissions: null,
        reason: parent
          ? `Linux has the resource ${name} here, inside ${parent.name}.`
          : `Linux has the resource ${name} here.`,
        from,
        to,
        approximate: false,
        level: open.length,
      });
      open.push(row);
    }
  }

  private unprivileged(first: Row, last: Row, count: number): void {
    this.problems.push({
      code: 'iomem-unprivileged',
      severity: 'warning',
      message: `${count === 1 ? 'The only line is' : `All ${count} lines are`} ${hex(0n)} to ${hex(0n)}: Linux shows the addresses of /proc/iomem only to a reader with CAP_SYS_ADMIN. Read the file as root; there is no address to draw or check here.`,
      from: first.from,
      to: count === 1 ? first.to : last.to,
    });
  }

  private unreadable(from: number, to: number): void {
    this.problems.push({
      code: 'map-unreadable-line',
      severity: 'information',
      message:
        'This looks like a line of /proc/iomem, but its range is not two addresses of eight hex digits or more. It is left out, so the map may have a hole here that the machine has not.',
      from,
      to,
    });
  }
}

/** True where the text has a row, and a name or a path that only this file has. */
function hasIomem(text: string): boolean {
  return text.includes(' : ') && text.search(ROW) >= 0 && KNOWN.test(text);
}

export const iomemDialect: Dialect = {
  name: '/proc/iomem',
  has: hasIomem,
  read: (source) => new Reader(source).run(),
};
