/** One pattern a kind, so that colour never speaks alone. */
import type { RegionKind } from '../machine/machine';
import type { Palette } from './palettes';
import { element } from './svg';

interface Pattern {
  /** Side of the square tile, in pixels. */
  readonly tile: number;
  /** Path data, stroked. */
  readonly lines?: string;
  readonly dots?: readonly (readonly [number, number, number])[];
}

/** RAM is plain: the most frequent kind stays the calmest. */
const PATTERNS: Readonly<Record<RegionKind, Pattern | null>> = {
  ram: null,
  reserved: { tile: 6, lines: 'M-1.5 1.5l3-3M0 6l6-6M4.5 7.5l3-3' },
  rom: { tile: 5, lines: 'M0 2.5h5' },
  mmio: {
    tile: 6,
    dots: [
      [1.5, 1.5, 1.1],
      [4.5, 4.5, 1.1],
    ],
  },
  acpi: { tile: 6, lines: 'M0 3h6M3 0v6' },
  nvs: { tile: 5, lines: 'M2.5 0v5' },
  unusable: { tile: 7, lines: 'M0 0l7 7M7 0l-7 7' },
  persistent: { tile: 6, lines: 'M-1.5 4.5l3 3M0 0l6 6M4.5-1.5l3 3' },
  hole: null,
};

function patternId(prefix: string, kind: RegionKind): string {
  return `${prefix}-${kind}`;
}

/** Definitions for the kinds of a picture; `prefix` keeps ids of pictures on one page apart. */
export function patternDefinitions(kinds: Iterable<RegionKind>, palette: Palette, prefix: string): string {
  const definitions: string[] = [];
  for (const kind of new Set(kinds)) {
    const pattern = PATTERNS[kind];
    if (!pattern) continue;
    const { tile, lines, dots } = pattern;
    const { strong, fill } = palette.kinds[kind];
    definitions.push(
      element(
        'pattern',
        { id: patternId(prefix, kind), width: tile, height: tile, patternUnits: 'userSpaceOnUse' },
        element('rect', { width: tile, height: tile, fill }),
        ...(lines ? [element('path', { d: lines, stroke: strong, 'stroke-width': 1.4, fill: 'none' })] : []),
        ...(dots ?? []).map(([cx, cy, r]) => element('circle', { cx, cy, r, fill: strong })),
      ),
    );
  }
  return definitions.length === 0 ? '' : element('defs', {}, ...definitions);
}

/** What fills the swatch of a kind. */
export function swatchFill(kind: RegionKind, palette: Palette, prefix: string): string {
  return PATTERNS[kind] ? `url(#${patternId(prefix, kind)})` : palette.kinds[kind].strong;
}
