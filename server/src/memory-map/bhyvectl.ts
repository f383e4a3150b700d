/**
 * `bhyvectl --get-memmap`: a start and a humanised length per row (FreeBSD and illumos `usr.sbin/bhyvectl/bhyvectl.c`,
 * show_memmap; the length is printed by humanize_number(3) without decimals, and a NUL stands before the first flag).
 */
import { formatSize, hex } from '../address/format';
import { ADDRESS_SPACE_END, GIB, KIB, MIB, PAGE, TIB } from '../address/range';
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

const UNITS: Readonly<Record<string, bigint>> = { B: 1n, KB: KIB, MB: MIB, GB: GIB, TB: TIB };

const HEADER = /Address[ \t]{1,20}Length[ \t]{1,20}Segment[ \t]{1,20}Offset[ \t]{1,20}Prot[ \t]{1,20}Flags/g;
/** Every quantifier is bounded, so one long line costs no more than many. */
const ROW =
  /(?<![\w.])([0-9A-F]{1,17})[ \t]{1,40}(\d{1,6})(B|KB|MB|GB|TB)[ \t]{1,40}([A-Za-z][\w.-]{0,62})[ \t]{1,40}([0-9A-F]{1,17})[ \t]{1,40}([R-][W-][X-])(?![\w-])(?:[ \t]{0,8}\0?((?:wired|iommu)(?:\/\0?(?:wired|iommu)){0,3})?)/g;
/** What every row has and few other texts do: much cheaper to look for than rows. */
const PROTECTION = /[ \t][R-][W-][X-](?![\w-])/;
/** The start of a row that is no row: after the header only. */
const NEAR_MISS = /^[ \t>]{0,20}[0-9A-Fa-f]{1,17}[ \t]{1,40}\d{1,6}[A-Za-z]{0,3}[ \t]/;

/** bhyve maps segments in whole pages (vmm.c, vm_mmap_memseg), so units up to KB lose nothing. */
const EXACT_UNIT = PAGE;

interface Segment {
  readonly kind: RegionKind;
  readonly what: string;
}
const SEGMENTS: Readonly<Record<string, Segment>> = {
  sysmem: { kind: 'ram', what: 'guest memory' },
  bootrom: { kind: 'rom', what: 'the boot ROM' },
  framebuffer: { kind: 'mmio', what: 'the frame buffer device’s memory' },
  pcirom: { kind: 'rom', what: 'PCI option ROMs' },
};

interface Row {
  readonly start: bigint;
  /** As printed, in bytes. */
  readonly length: bigint;
  readonly unit: bigint;
  readonly printed: string;
  readonly segment: string;
  readonly offset: bigint;
  readonly permissions: string;
  readonly flags: string;
  readonly from: number;
  readonly to: number;
}

/** The end of a row, and how well it is known. */
interface End {
  readonly end: bigint;
  readonly approximate: boolean;
  readonly how: string;
}

/**
 * A length is rounded to the nearest unit, so the end lies within half a unit. The next row of the same segment proves
 * it by its offset; the next address above bounds it, since bhyve maps no page twice.
 */
function endOf(row: Row, above: Row | undefined, continuation: Row | undefined): End {
  const nominal = row.start + row.length;
  if (row.unit <= EXACT_UNIT)
    return { end: nominal, approximate: false, how: `the printed length ${row.printed} is exact` };
  const half = row.unit / 2n;
  const near = (value: bigint): boolean => value >= nominal - half && value <= nominal + half;
  if (continuation) {
    const end = row.start + continuation.offset - row.offset;
    if (near(end))
      return { end, approximate: false, how: `the offset of the next ${row.segment} row gives its length` };
  }
  if (above?.start === nominal)
    return {
      end: nominal,
      approximate: false,
      how: `the next row starts where the printed length ${row.printed} ends`,
    };
  if (above && above.start < nominal && near(above.start))
    return {
      end: above.start,
      approximate: true,
      how: `the printed length ${row.printed} is rounded; the next row cuts it`,
    };
  return {
    end: nominal,
    approximate: true,
    how: `the printed length ${row.printed} is rounded to ${formatSize(row.unit)}`,
  };
}

class Reader {
  private readonly problems: MapProblem[] = [];
  private readonly tables: { header: [number, number] | null; rows: Row[] }[] = [];
  private count = 0;

  constructor(private readonly source: SourceText) {}

  run(): MapReading {
    const { text } = this.source;
    const headers = [...text.matchAll(HEADER)].map((match): [number, number] => [
      match.index,
      match.index + match[0].length,
    ]);
    let next = 0;
    for (const match of PROTECTION.test(text) ? text.matchAll(ROW) : []) {
      while (next < headers.length && headers[next]![0] < match.index)
        this.tables.push({ header: headers[next++]!, rows: [] });
      if (this.count++ >= MAX_ENTRIES) {
        this.problems.push(tooLong(match.index, match.index + match[0].length));
        break;
      }
      this.row(match);
    }
    while (next < headers.length) this.tables.push({ header: headers[next++]!, rows: [] });
    for (const { header, rows } of this.tables) if (header) this.nearMisses(header[1], rows);
    return { maps: nameMaps(this.tables.map((table) => this.build(table))), problems: this.problems };
  }

  private row(match: RegExpMatchArray): void {
    const [whole, start, count, unit, segment, offset, permissions, flags] = match;
    const from = match.index!;
    const row: Row = {
      start: BigInt('0x' + start!),
      length: BigInt(count!) * UNITS[unit!]!,
      unit: UNITS[unit!]!,
      printed: `${count}${unit}`,
      segment: segment!,
      offset: BigInt('0x' + offset!),
      permissions: permissions!.toLowerCase(),
      flags: (flags ?? '').replaceAll('\0', ''),
      from,
      to: from + whole.trimEnd().length,
    };
    const table = this.tables.at(-1);
    // Without a header a map starts over where the addresses fall back to 0.
    const startsOver = row.start === 0n && table?.header === null && table.rows.length > 0;
    if (table && !startsOver) table.rows.push(row);
    else this.tables.push({ header: null, rows: [row] });
  }

  private build({ header, rows }: { header: [number, number] | null; rows: Row[] }): OpenMap {
    const first = rows[0];
    const map: OpenMap = {
      name: 'bhyvectl',
      nameFrom: header?.[0] ?? first?.from ?? 0,
      nameTo: header?.[1] ?? first?.to ?? 0,
      entries: [],
      amendments: [],
    };
    const sorted = [...rows].sort((a, b) =>
      a.start < b.start ? -1 : a.start > b.start ? 1 : a.from - b.from,
    );
    const above = new Map(sorted.map((row, index) => [row, sorted.slice(index + 1, index + 2)[0]]));
    const continuation = new Map<Row, Row>();
    const lastOf = new Map<string, Row>();
    for (const row of sorted) {
      const before = lastOf.get(row.segment);
      if (before && row.offset > before.offset) continuation.set(before, row);
      lastOf.set(row.segment, row);
    }
    for (const row of rows) {
      const { end, approximate, how } = endOf(row, above.get(row), continuation.get(row));
      if (!this.sound(row, end)) continue;
      const { kind, what } = SEGMENTS[row.segment] ?? { kind: 'mmio', what: 'a device’s memory segment' };
      const flags = row.flags === '' ? '' : ` Flags: ${row.flags}.`;
      map.entries.push({
        range: { start: row.start, end },
        kind,
        name: row.segment,
        permissions: row.permissions,
        reason: `bhyve maps ${what} here, from offset ${hex(row.offset)} of the segment; ${how}.${flags}`,
        from: row.from,
        to: row.to,
        approximate,
        backingOffset: row.offset,
      });
    }
    return map;
  }

  private sound(row: Row, end: bigint): boolean {
    const { from, to, start } = row;
    if (start >= ADDRESS_SPACE_END || end > ADDRESS_SPACE_END) {
      this.problems.push({
        code: 'map-beyond-64-bit',
        severity: 'error',
        message: `This row reaches ${hex(end)}, beyond the 64-bit address space. No machine has such an address, so the row is left out.`,
        from,
        to,
      });
      return false;
    }
    if (end <= start) {
      this.problems.push({
        code: 'map-empty-entry',
        severity: 'information',
        message: `This row at ${hex(start)} has no byte. bhyve maps no empty segment, so the row is left out.`,
        from,
        to,
      });
      return false;
    }
    return true;
  }

  /** Lines right after a header that start like a row and are none. The first other line ends the table. */
  private nearMisses(after: number, rows: readonly Row[]): void {
    const { lines } = this.source;
    const known = new Set(rows.map(({ from }) => lines.positionAt(from).line));
    for (let line = lines.positionAt(after).line + 1; line < lines.lineCount; line++) {
      if (known.has(line)) continue;
      const from = lines.offsetAt({ line, character: 0 });
      const text = this.source.text.slice(from, from + 200).split(/[\r\n]/, 1)[0]!;
      if (!NEAR_MISS.test(text)) return;
      this.problems.push({
        code: 'map-unreadable-line',
        severity: 'information',
        message:
          'This looks like a row of bhyvectl, but not all of address, length, segment, offset and protection can be read. It is left out, so the map may have a hole here that the machine has not.',
        from,
        to: from + text.length,
      });
    }
  }
}

/** True where the text has at least one whole row. */
function hasBhyvectl(text: string): boolean {
  // Not `test`: it would leave its place in the pattern, and the next reading would start there.
  return text.search(ROW) >= 0;
}

function readBhyvectl(source: SourceText): MapReading {
  return new Reader(source).run();
}

export const bhyvectlDialect: Dialect = { name: 'bhyvectl', has: hasBhyvectl, read: readBhyvectl };
