/**
 * EFI memory maps as four producers print them. Linux on x86 with `efi=debug` (`efi_print_memmap`; kernels before 4.6 or so
 * with the end itself and `)`, later ones with the last byte and `]`, so the bracket decides), Linux elsewhere
 * (drivers/firmware/efi/efi-init.c, reserve_regions), the UEFI shell's `memmap` (EDK2 ShellPkg MemMap.c) and GRUB's `lsefimmap`
 * (grub-core/commands/efi/lsefimmap.c), the last three with the last byte. The size in MB is cut off, so it is never used.
 */
import { fromClosed } from '../address/range';
import type { SourceText } from '../text/sourceText';
import { attributeNames, efiMeaning, efiTypeNumber } from './efiTypes';
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

/** The parts of a line that matter. */
interface EfiRow {
  readonly type: string;
  readonly start: string;
  readonly end: string;
  /** Whether `end` is the last byte. */
  readonly closed: boolean;
  /** Names of attributes, null where they are not printed. */
  readonly attributes: readonly string[] | null;
  /** Linux numbers its lines, so that a lower number is another map. */
  readonly index: number | null;
}

interface Form {
  readonly name: string;
  /** What every line of it has: looked for first. */
  readonly anchor: string;
  /** Every quantifier is bounded, so one long line costs no more than many. */
  readonly row: RegExp;
  readonly read: (match: RegExpExecArray) => EfiRow;
}

/** `|RUN|  |  |WB|WT` or `|attr=0x000000000000000f`. */
function linuxAttributes(column: string | undefined): string[] | null {
  if (column === undefined) return null;
  const bits = /attr=0x([0-9a-f]{1,16})/i.exec(column);
  if (bits) return attributeNames(BigInt('0x' + bits[1]!));
  return column.split('|').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]));
}

/** Mail programs break long lines. */
const BREAK = '(?:[ \\t]|\\r?\\n[ \\t>]{0,20}){1,4}';
const TYPED = '\\[((?:[A-Z]|type=)[\\w/ ]{1,24}?)[ \\t]{0,20}(\\|[^\\]\\[\\r\\n]{0,120})?\\]';
const RANGE = '\\[0x([0-9a-f]{1,40})-0x([0-9a-f]{1,40})([\\])])';
const SHELL =
  'Reserved|LoaderCode|LoaderData|BS_Code|BS_Data|RT_Code|RT_Data|Available|Persistent|Unusable|ACPI_Recl|ACPI_NVS|MMIO_Port|MMIO|PalCode|Unaccepted|[0-9A-F]{8}';
const GRUB =
  'reserved|ldr-code|ldr-data|BS-code|BS-data|RT-code|RT-data|conv-mem|unusable|ACPI-rec|ACPI-nvs|MMIO|IO-ports|PAL-code|persist|Unk [0-9a-f]{2}';

const FORMS: readonly Form[] = [
  {
    name: 'EFI',
    anchor: 'range=[0x',
    row: new RegExp(
      `(?<![\\w-])mem(\\d{1,6}): (?:${TYPED}|type=(\\d{1,10}), attr=0x([0-9a-f]{1,16}),)${BREAK}range=${RANGE}(?:[ \\t]\\(\\d{1,12}[KMGT]B\\))?`,
      'gi',
    ),
    read: ([, index, type, column, number, bits, start, end, bracket]) => ({
      type: type?.trim() ?? `type=${number}`,
      start: start!,
      end: end!,
      closed: bracket === ']',
      attributes: bits === undefined ? linuxAttributes(column) : attributeNames(BigInt('0x' + bits)),
      index: Number(index),
    }),
  },
  {
    name: 'EFI',
    anchor: 'efi: ',
    row: new RegExp(`efi:[ \\t]{1,8}0x([0-9a-f]{1,40})-0x([0-9a-f]{1,40}) ${TYPED}`, 'gi'),
    read: ([, start, end, type, column]) => ({
      type: type!.trim(),
      start: start!,
      end: end!,
      closed: true,
      attributes: linuxAttributes(column),
      index: null,
    }),
  },
  {
    name: 'UEFI shell memmap',
    anchor: '-',
    row: new RegExp(
      `(?<![\\w-])(${SHELL})[ \\t]{1,12}([0-9A-F]{16})-([0-9A-F]{16})[ \\t]{1,4}[0-9A-F]{8,16}[ \\t]{1,4}([0-9A-F]{16})(?!\\w)`,
      'gi',
    ),
    read: ([, type, start, end, bits]) => ({
      type: type!,
      start: start!,
      end: end!,
      closed: true,
      attributes: attributeNames(BigInt('0x' + bits!)),
      index: null,
    }),
  },
  {
    name: 'GRUB lsefimmap',
    anchor: 'iB ',
    row: new RegExp(
      `(?<![\\w-])(${GRUB})[ \\t]{1,8}([0-9a-f]{16})-([0-9a-f]{16}) ([0-9a-f]{8,16})[ \\t]{1,6}\\d{1,8}[KMGTPE]iB((?: (?:RT|UC|WC|WT|WB|UCE|WP|RP|XP|NV|MR|RO|SP|CC)){0,14})(?!\\w)`,
      'g',
    ),
    read: ([, type, start, end, , names]) => ({
      type: type!,
      start: start!,
      end: end!,
      closed: true,
      attributes: names!.trim() === '' ? [] : names!.trim().split(' '),
      index: null,
    }),
  },
];

/** A line this far below the last one belongs to another map. */
const FARTHEST = 2000;

class Reader {
  private readonly problems: MapProblem[] = [];
  private readonly maps: OpenMap[] = [];
  private count = 0;

  constructor(private readonly text: string) {}

  run(): MapReading {
    for (const form of FORMS) if (this.text.includes(form.anchor)) this.readForm(form);
    return { maps: nameMaps(this.maps), problems: this.problems };
  }

  private readForm({ name, row: pattern, read }: Form): void {
    let [map, before, last]: [OpenMap | null, number | null, number] = [null, null, -FARTHEST];
    for (const match of this.text.matchAll(pattern)) {
      const [from, to] = [match.index, match.index + match[0].length];
      if (this.count++ >= MAX_ENTRIES) {
        this.problems.push(tooLong(from, to));
        return;
      }
      const row = read(match);
      const again = row.index !== null && before !== null && row.index <= before;
      // The header of a table names its columns.
      if (!map || again || from - last > FARTHEST || this.text.slice(last, from).includes('Attributes')) {
        map = { name, nameFrom: from, nameTo: to, entries: [], amendments: [] };
        this.maps.push(map);
      }
      [before, last] = [row.index, to];
      this.add(map, row, from, to);
    }
  }

  private add(map: OpenMap, row: EfiRow, from: number, to: number): void {
    const number = efiTypeNumber(row.type);
    if (number === null) {
      this.problems.push({
        code: 'map-unreadable-line',
        severity: 'information',
        message: `"${row.type}" is no EFI memory type that is known here. The line is left out, so the map may have a hole here that the machine has not.`,
        from,
        to,
      });
      return;
    }
    const [start, end] = [BigInt('0x' + row.start), BigInt('0x' + row.end)];
    const range = row.closed ? fromClosed(start, end) : { start, end };
    // Firmware fills its map up with descriptors without a page, which Linux drops too (`efi_clean_memmap`).
    if (range.start === range.end) return;
    const problem = rangeProblem(range, from, to);
    if (problem) {
      this.problems.push(problem);
      return;
    }
    map.entries.push({
      range,
      name: row.type,
      permissions: null,
      ...efiMeaning(number, row.attributes),
      from,
      to,
      approximate: false,
    });
  }
}

/** True where the text has at least one line of one form. */
function hasEfiMap(text: string): boolean {
  // Not `test`: it would leave its place in the pattern, and the next reading would start there.
  return FORMS.some(({ anchor, row }) => text.includes(anchor) && text.search(row) >= 0);
}

function readEfiMap(source: SourceText): MapReading {
  return new Reader(source.text).run();
}

export const efiDialect: Dialect = { name: 'EFI memory map', has: hasEfiMap, read: readEfiMap };
