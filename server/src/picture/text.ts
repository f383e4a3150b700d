/** The address space drawn with characters: for the terminal, and where a picture cannot be shown. */
import { formatSizeShort, hex } from '../address/format';
import { holes, union } from '../address/intervals';
import { sizeOf, type AddressRange } from '../address/range';
import { levelOf, parentsOf, type RegionKind } from '../machine/machine';
import { KIND_WORDS, type PictureMachine, type PictureRegion } from './pictureMachine';

export interface TextOptions {
  /** Columns at most; at least 60. */
  readonly width?: number;
  /** How a URI is written before `:LINE`. Without it no place is written. */
  readonly pathOf?: (uri: string) => string;
  /** Plain ASCII instead of box characters. */
  readonly ascii?: boolean;
  /** Regions to point at, by index. */
  readonly selected?: readonly number[];
}

interface Glyphs {
  readonly top: string;
  readonly seam: string;
  readonly bottom: string;
  readonly side: string;
  readonly torn: string;
  readonly rule: string;
  readonly kinds: Readonly<Record<RegionKind, string>>;
  readonly pointer: string;
  readonly cut: string;
  readonly dot: string;
}

const BOX: Glyphs = {
  top: '┌┐',
  seam: '├┤',
  bottom: '└┘',
  side: '│',
  torn: '┆',
  rule: '─',
  kinds: {
    ram: '█',
    reserved: '▒',
    rom: '▓',
    mmio: '░',
    acpi: '╬',
    nvs: '║',
    unusable: '╳',
    persistent: '▚',
    hole: ' ',
  },
  pointer: '▶',
  cut: '…',
  dot: '·',
};

const ASCII: Glyphs = {
  top: '++',
  seam: '++',
  bottom: '++',
  side: '|',
  torn: ':',
  rule: '-',
  kinds: {
    ram: '#',
    reserved: '/',
    rom: '=',
    mmio: '.',
    acpi: '+',
    nvs: '|',
    unusable: 'x',
    persistent: '\\',
    hole: ' ',
  },
  pointer: '>',
  cut: '...',
  dot: '-',
};

/** Inside the box: two swatch cells, the kind, the size. */
const INNER = 26;

/** Deeper levels are not set in further: the size needs its room. */
const DEEPEST = 4;

type Row =
  | { readonly range: AddressRange; readonly region: PictureRegion; readonly index: number }
  | { readonly range: AddressRange; readonly region: null };

/** Characters that would break the drawing: control characters become a question mark. */
function plain(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?');
}

function clip(text: string, room: number, glyphs: Glyphs): string {
  if (text.length <= room) return text;
  return text.slice(0, Math.max(0, room - glyphs.cut.length)).trimEnd() + glyphs.cut;
}

/** Breaks at blanks into at most `most` lines; the last one is cut. */
function wrap(text: string, room: number, most: number, glyphs: Glyphs): string[] {
  const lines: string[] = [];
  let rest = text.trim();
  while (rest.length > room && lines.length < most - 1) {
    const blank = rest.lastIndexOf(' ', room);
    const at = blank > room / 3 ? blank : room;
    lines.push(rest.slice(0, at).trimEnd());
    rest = rest.slice(at).trim();
  }
  if (rest !== '') lines.push(clip(rest, room, glyphs));
  return lines;
}

/** Regions and the holes between them, by address. */
function rowsOf(machine: PictureMachine): Row[] {
  const ranges = machine.regions.map(({ range }) => range);
  const top = union(ranges).at(-1)?.end ?? 0n;
  const rows: Row[] = machine.regions.map((region, index) => ({ range: region.range, region, index }));
  for (const range of holes(ranges, { start: 0n, end: top })) rows.push({ range, region: null });
  // Stable, so that what lies in a region stays below it.
  return rows.sort((a, b) => (a.range.start < b.range.start ? -1 : a.range.start > b.range.start ? 1 : 0));
}

function placeOf(region: PictureRegion, options: TextOptions): string {
  if (!options.pathOf || !region.at) return '';
  return `${plain(options.pathOf(region.at.uri))}:${region.at.range.start.line + 1}`;
}

/**
 * One box a region, low addresses first: address, kind and size in the box, name, place and reason beside it.
 * Every line has at most `width` characters and no blank at its end.
 */
export function renderText(machine: PictureMachine, options: TextOptions = {}): string {
  const glyphs = options.ascii ? ASCII : BOX;
  if (machine.regions.length === 0) return 'no region is known';
  const rows = rowsOf(machine);
  const addressWidth = Math.max(...rows.map(({ range }) => hex(range.end).length), 6);
  const left = addressWidth + 1;
  const room = Math.max(60, options.width ?? 100) - left - INNER - 3;
  const selected = new Set(options.selected ?? []);
  const rule = glyphs.rule.repeat(INNER);
  const lines: string[] = [];
  const parents = parentsOf(machine.regions);
  let previous: Row | null = null;
  for (const row of rows) {
    const corner = previous === null ? glyphs.top : glyphs.seam;
    const parent = row.region === null ? undefined : machine.regions[parents[row.index]!];
    const beside = parent
      ? ` ${clip(`in ${plain(parent.name)}`, room, glyphs)}`
      : previous !== null && row.range.start < previous.range.end
        ? ` ${clip('overlaps what is above', room, glyphs)}`
        : '';
    lines.push(`${hex(row.range.start).padStart(addressWidth)} ${corner[0]}${rule}${corner[1]}${beside}`);
    lines.push(...bodyOf(row, left, room, glyphs, options, selected));
    previous = row;
  }
  const end = rows.reduce((most, { range }) => (range.end > most ? range.end : most), 0n);
  lines.push(`${hex(end).padStart(addressWidth)} ${glyphs.bottom[0]}${rule}${glyphs.bottom[1]}`);
  return lines.join('\n');
}

function bodyOf(
  row: Row,
  left: number,
  room: number,
  glyphs: Glyphs,
  options: TextOptions,
  selected: ReadonlySet<number>,
): string[] {
  const margin = (pointer: string): string => pointer.padStart(left - 1) + ' ';
  if (row.region === null) {
    const inside = `   not mapped ${formatSizeShort(sizeOf(row.range))}`.padEnd(INNER);
    return [`${margin('')}${glyphs.torn}${inside}${glyphs.torn}`];
  }
  const { region } = row;
  const chosen = selected.has(row.index);
  const swatch = glyphs.kinds[region.kind].repeat(2);
  const size = `${region.approximate ? '~' : ''}${formatSizeShort(sizeOf(region.range))}`;
  const kind = KIND_WORDS[region.kind];
  const inset = ' '.repeat(Math.min(DEEPEST, levelOf(region)));
  const words = `${inset}${swatch} ${kind.padEnd(Math.max(10, INNER - 4 - size.length) - inset.length)}`;
  const inside = `${words}${size}`.padEnd(INNER).slice(0, INNER);
  const heading = [plain(region.name), region.permissions ?? '', placeOf(region, options)].filter(Boolean);
  const beside = [
    clip(heading.join(` ${glyphs.dot} `), room, glyphs),
    ...wrap(plain(region.reason), room, 2, glyphs),
  ];
  return beside.map((text, index) => {
    const box = index === 0 ? inside : `${inset}${swatch}`.padEnd(INNER);
    return `${margin(chosen && index === 0 ? glyphs.pointer : '')}${glyphs.side}${box}${glyphs.side} ${text}`.trimEnd();
  });
}
