/** The address space as one thin line, for a decoration beside a line of text. */
import { layoutAddressSpace } from './layout';
import { PALETTES, type PaletteName } from './palettes';
import { patternDefinitions, swatchFill } from './patterns';
import type { PictureMachine } from './pictureMachine';
import { element, escapeXml } from './svg';
import { machineTitle, regionWords } from './words';

export interface StripOptions {
  readonly palette: PaletteName;
  readonly selected?: readonly number[];
  /** Pixels: an editor gives its line height. */
  readonly width?: number;
  readonly height?: number;
  readonly idPrefix?: string;
}

/** Regions shown at most: more would be thinner than a pixel. */
const MOST = 48;
const GAP = 1;

/** Low addresses left. The same piecewise scale as the tall picture. */
export function stripSvg(machine: PictureMachine, options: StripOptions): string {
  const width = options.width ?? 160;
  const height = options.height ?? 12;
  const palette = PALETTES[options.palette];
  const prefix = options.idPrefix ?? 'strip';
  const selected = new Set(options.selected ?? []);
  const layout = layoutAddressSpace(machine, {
    maxRegions: MOST,
    ...(options.selected ? { selected: options.selected } : {}),
  });
  const scale = layout.height === 0 ? 0 : width / layout.height;
  const boxes = layout.boxes.map((box) => {
    const one = machine.regions[box.region]!;
    // A strip is too low for the columns of a nested map: the inner region covers its part of the outer one.
    const { nested } = box;
    const lane = nested ? height : height / box.lanes;
    const place = {
      x: box.y * scale,
      y: nested ? 0 : lane * box.lane,
      width: Math.max(1, box.height * scale - GAP),
      height: lane,
    };
    // A printed gap is nothing: the dotted line goes on through it.
    if (one.kind === 'hole') return '';
    const chosen = selected.has(box.region);
    const faint = selected.size > 0 && !chosen ? 0.5 : undefined;
    return (
      element('rect', { ...place, fill: palette.background }) +
      element('rect', { ...place, fill: swatchFill(one.kind, palette, prefix), opacity: faint }) +
      (chosen
        ? element('rect', {
            x: place.x + 0.75,
            y: place.y + 0.75,
            width: Math.max(0, place.width - 1.5),
            height: Math.max(0, lane - 1.5),
            fill: 'none',
            stroke: palette.accent,
            'stroke-width': 1.5,
          })
        : '')
    );
  });
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'aria-label': stripWords(machine, options.selected ?? []),
    },
    element('title', {}, escapeXml(stripWords(machine, options.selected ?? []))),
    patternDefinitions(
      layout.boxes.map(({ region }) => machine.regions[region]!.kind),
      palette,
      prefix,
    ),
    element('path', {
      d: `M0 ${height / 2}h${width}`,
      stroke: palette.line,
      'stroke-width': 1,
      'stroke-dasharray': '1 2',
    }),
    ...boxes,
  );
}

function stripWords(machine: PictureMachine, selected: readonly number[]): string {
  const chosen = selected.flatMap((index) =>
    machine.regions[index] ? [regionWords(machine.regions[index])] : [],
  );
  if (chosen.length === 0) return machineTitle(machine);
  return `${machineTitle(machine)}; here ${chosen.slice(0, 3).join('; ')}${chosen.length > 3 ? `; ${chosen.length - 3} more` : ''}`;
}
