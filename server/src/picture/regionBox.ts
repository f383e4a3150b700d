/** One region as it is drawn on the tall picture, and the torn band where nothing is. */
import { formatSizeShort } from '../address/format';
import { sizeOf, type AddressRange } from '../address/range';
import type { Palette } from './palettes';
import { swatchFill } from './patterns';
import { KIND_WORDS, type PictureRegion } from './pictureMachine';
import { element, fitText, label, round, textWidth } from './svg';

/** Pixels on the picture. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const SWATCH = 14;
const SIZES = { name: 12, small: 11 } as const;
/** Bold text is this much wider. */
const BOLD = 1.09;
/** From here on a box is far below its true proportion and carries a break mark. */
const BREAK_FROM = 64n << 20n;
/** A reason is shown where this much of it can be read. */
const REASON_WIDTH = 160;

/** The box without its group: swatch, border, texts, selection. `prefix` is that of the pattern definitions. */
export function drawRegion(
  one: PictureRegion,
  place: Place,
  palette: Palette,
  prefix: string,
  selected: boolean,
): string {
  const mark = selected ? selection(place, palette) : '';
  if (one.kind === 'hole') return drawHole(one.range, place, palette, one.name || 'not mapped') + mark;
  const { x, y, width, height } = place;
  const colours = palette.kinds[one.kind];
  return [
    element('rect', { x: x + SWATCH, y, width: Math.max(0, width - SWATCH), height, fill: colours.fill }),
    element('rect', {
      x,
      y,
      width: Math.min(SWATCH, width),
      height,
      fill: swatchFill(one.kind, palette, prefix),
    }),
    height >= 40 && sizeOf(one.range) >= BREAK_FROM ? breakMark(x, y + height / 2, palette) : '',
    element('rect', { ...place, fill: 'none', stroke: colours.strong, 'stroke-width': palette.border }),
    ...regionText(one, { x: x + SWATCH + 8, y, width: width - SWATCH - 16, height }, palette),
    mark,
  ].join('');
}

/** Two slanted cuts through the swatch. */
function breakMark(x: number, middle: number, palette: Palette): string {
  const line = (dy: number): string => `M${round(x - 2)} ${round(middle + dy + 3)}l${SWATCH + 4}-6`;
  return (
    element('path', { d: line(-2) + line(2), stroke: palette.background, 'stroke-width': 4.5 }) +
    element('path', { d: line(-4) + line(4), stroke: palette.line, 'stroke-width': 1 })
  );
}

function selection({ x, y, width, height }: Place, palette: Palette): string {
  const outline = {
    x: x + 1,
    y: y + 1,
    width: Math.max(0, width - 2),
    height: Math.max(0, height - 2),
  };
  return (
    element('rect', { ...outline, fill: 'none', stroke: palette.accent, 'stroke-width': 3 }) +
    element('path', { d: `M${round(x - 9)} ${round(y + height / 2) - 5}l8 5l-8 5z`, fill: palette.accent })
  );
}

/** Name and size on the first line; kind, permissions and the reason below, as far as there is room. */
function regionText(one: PictureRegion, { x, y, width, height }: Place, palette: Palette): string[] {
  const kind = KIND_WORDS[one.kind];
  const size = `${one.approximate ? '~' : ''}${formatSizeShort(sizeOf(one.range))}`;
  const sizeRoom = textWidth(size, SIZES.small) + 10;
  const named = one.name.trim() !== '' && one.name.toLowerCase() !== kind.toLowerCase();
  const detail = [named ? kind : '', one.permissions ?? ''].filter(Boolean).join(' · ');
  const title = named ? one.name : kind;
  // In a narrow lane the size stands below the name, and the beginning of a reason would say nothing.
  const withSize = width >= sizeRoom + Math.min(textWidth(title, SIZES.name * BOLD), width / 2);
  const rows = [withSize ? '' : size, detail, width >= REASON_WIDTH ? one.reason : ''].filter(Boolean);
  const below = height >= 34 ? rows.slice(0, height >= 52 ? 2 : 1) : [];
  const baseline = y + height / 2 + 4 - 7 * below.length;
  const nameRoom = withSize ? width - sizeRoom : width;
  const first = fitText(title, nameRoom, SIZES.name * BOLD);
  const texts = [label(x, baseline, first, SIZES.name, palette.text, { weight: 600 })];
  if (withSize) texts.push(label(x + width, baseline, size, SIZES.small, palette.text, { anchor: 'end' }));
  if (height < 34) {
    const used = textWidth(first, SIZES.name * BOLD) + 9;
    texts.push(
      label(x + used, baseline, fitText(detail, nameRoom - used, SIZES.small), SIZES.small, palette.dim),
    );
  }
  below.forEach((text, index) => {
    const line = baseline + 15 * (index + 1);
    texts.push(label(x, line, fitText(text, width, SIZES.small), SIZES.small, palette.dim));
  });
  return texts;
}

/** A torn band: nothing is mapped, and the scale is broken. */
export function drawHole(
  range: AddressRange,
  { x, y, width, height }: Place,
  palette: Palette,
  name: string,
): string {
  const middle = y + height / 2;
  const text = fitText(`${name} · ${formatSizeShort(sizeOf(range))}`, width - 40, SIZES.small);
  const half = textWidth(text, SIZES.small) / 2 + 8;
  const centre = x + width / 2;
  const d = zigzag(x, centre - half, middle) + zigzag(centre + half, x + width, middle);
  return (
    element('path', { d, fill: 'none', stroke: palette.kinds.hole.strong, 'stroke-width': palette.border }) +
    label(centre, middle + 4, text, SIZES.small, palette.dim, { anchor: 'middle', style: 'italic' })
  );
}

function zigzag(from: number, to: number, y: number): string {
  let d = `M${round(from)} ${round(y)}`;
  let up = true;
  for (let x = from; x + 5 <= to; x += 5) {
    d += `l5 ${up ? -4 : 4}`;
    up = !up;
  }
  return d;
}
