/** The address space as SVG: a list of regions that the keyboard walks through. Kinds differ by pattern, not by colour alone. */
import { formatSizeShort } from '../../server/src/address/format';
import { landmarkLabels, type LandmarkLabel } from '../../server/src/picture/landmarkLabels';
import {
  layoutAddressSpace,
  type Box as LayoutBox,
  type Fold,
  type Hole,
} from '../../server/src/picture/layout';
import { PALETTES, type Palette } from '../../server/src/picture/palettes';
import { patternDefinitions, swatchFill } from '../../server/src/picture/patterns';
import { KIND_WORDS, type PictureMachine } from '../../server/src/picture/pictureMachine';
import { REGION_KINDS, type RegionKind } from '../../server/src/machine/machine';
import { html, svg } from './elements';
import { hexText, lineOf, spoken, type RegionView } from './view';

export interface MapHandlers {
  select(region: RegionView): void;
  /** `focus`: the editor takes the keyboard. */
  reveal(region: RegionView, focus: boolean): void;
}

/** Width of the address labels at the left, in pixels. */
const AXIS = 112;
const MARGIN = 10;
/** Width of the names of well-known places at the right; a narrow panel does without. */
const LANDMARKS = 150;
const WIDE = 520;

/** Width of the patterned edge of a region. */
const SWATCH = 14;

/** Regions drawn at most, those around the selected one. */
const MOST_REGIONS = 300;

const PREFIX = 'kind';
const variable = (kind: RegionKind): string =>
  `var(--vscode-bootpath-region${kind[0]!.toUpperCase()}${kind.slice(1)})`;

/** The pictures' patterns in the colours of the theme. */
const THEME: Palette = {
  ...PALETTES.dark,
  kinds: Object.fromEntries(
    REGION_KINDS.map((kind) => [kind, { fill: 'var(--vscode-editor-background)', strong: variable(kind) }]),
  ) as Palette['kinds'],
};

export function drawMap(
  title: string,
  machine: PictureMachine,
  regions: readonly RegionView[],
  selected: number | null,
  width: number,
  handlers: MapHandlers,
): SVGSVGElement {
  const layout = layoutAddressSpace(machine, {
    maxRegions: MOST_REGIONS,
    ...(selected === null ? {} : { selected: [selected] }),
  });
  const landmarks = width < WIDE ? 0 : LANDMARKS;
  const inner = Math.max(160, width - AXIS - MARGIN - landmarks);
  const root = svg('svg', {
    class: 'map',
    width: AXIS + inner + landmarks + MARGIN,
    height: layout.height + 2 * MARGIN,
    role: 'list',
    'aria-label': `Guest physical address space of ${title}, lowest address first`,
  });
  root.insertAdjacentHTML('afterbegin', patternDefinitions(REGION_KINDS, THEME, PREFIX));
  root.append(
    ...layout.ticks.map(({ address, y }) => axisText(address, MARGIN + y)),
    ...layout.holes.map((hole) => gap(hole, inner)),
    ...layout.folds.map((fold) => folded(fold, inner)),
    ...layout.boxes.map((box) => region(regions[box.region]!, boxOf(box, inner), handlers)),
    ...(landmarks === 0
      ? []
      : landmarkLabels(layout, LANDMARKS - 22).map((label) => landmark(label, AXIS + inner))),
  );
  root.addEventListener('keydown', (event) => moveFocus(root, event));
  return root;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Overlapping regions stand side by side; in a nested map the inner one stands right of the outer. */
function boxOf({ y, height, lane, lanes, span }: LayoutBox, inner: number): Box {
  const width = inner / lanes;
  return { x: AXIS + lane * width, y: MARGIN + y, width: width * span, height };
}

function axisText(address: bigint, y: number): SVGTextElement {
  return svg(
    'text',
    { class: 'axis', x: AXIS - 10, y: y + 4, 'text-anchor': 'end', 'aria-hidden': 'true' },
    hexText(address),
  );
}

function gap({ range, y, height }: Hole, width: number): SVGGElement {
  return svg(
    'g',
    { class: 'gap', 'aria-hidden': 'true' },
    svg('rect', { x: AXIS + 0.5, y: MARGIN + y + 2, width: width - 1, height: height - 4, rx: 2 }),
    svg(
      'text',
      { x: AXIS + SWATCH + 9, y: MARGIN + y + height / 2 + 4 },
      `not mapped · ${formatSizeShort(range.end - range.start)}`,
    ),
  );
}

/** Regions above or below that are left out. */
function folded({ count, y, height }: Fold, width: number): SVGGElement {
  return svg(
    'g',
    { class: 'gap' },
    svg('rect', { x: AXIS + 0.5, y: MARGIN + y + 2, width: width - 1, height: height - 4, rx: 2 }),
    svg('text', { x: AXIS + SWATCH + 9, y: MARGIN + y + height / 2 + 4 }, `${count} more regions`),
  );
}

/** A well-known place beside the map: a bracket over its extent and its name. */
function landmark({ text, marks, at, y }: LandmarkLabel, x: number): SVGGElement {
  const top = Math.min(...marks.map(({ from }) => from)) + MARGIN;
  const bottom = Math.max(...marks.map(({ to }) => to)) + MARGIN;
  const bracket = `M${x + 4} ${top} h4 V${bottom} h-4 M${x + 8} ${MARGIN + at} L${x + 18} ${MARGIN + y}`;
  return svg(
    'g',
    { class: 'landmark', 'aria-hidden': 'true' },
    svg('path', { d: bracket }),
    svg('text', { x: x + 22, y: MARGIN + y + 4 }, text),
  );
}

function region(view: RegionView, { x, y, width, height }: Box, handlers: MapHandlers): SVGGElement {
  const rect = { x: x + 0.5, y: y + 1, width: width - 1, height: height - 2, rx: 2 };
  const kind = view.name === view.kindWord ? '' : ` · ${view.kindWord}`;
  const line = lineOf(view);
  const group = svg(
    'g',
    {
      class: `region kind-${view.kind}`,
      role: 'listitem',
      tabindex: -1,
      'aria-label': spoken(view),
      'data-index': view.index,
    },
    svg('rect', { class: 'fill', ...rect }),
    svg('rect', { ...rect, width: Math.min(SWATCH, rect.width), fill: swatchFill(view.kind, THEME, PREFIX) }),
    svg('rect', { class: 'edge', ...rect }),
    clipped(`${view.name}${kind}`, view.shortSize, rect, line === null ? null : `line ${line}`),
    svg('title', {}, spoken(view)),
  );
  group.addEventListener('click', () => {
    handlers.select(view);
    handlers.reveal(view, false);
  });
  group.addEventListener('focus', () => handlers.select(view));
  group.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    handlers.reveal(view, event.key === 'Enter');
  });
  return group;
}

/** Of the editor's font at the size of the style sheet, generously. */
const CHARACTER = 7.3;

/** The label within its box; what does not fit is cut off by the box of the nested picture. */
function clipped(name: string, size: string, box: Box, line: string | null): SVGSVGElement {
  const middle = box.height / 2 + 4;
  const label = svg(
    'text',
    { class: 'label', x: SWATCH + 9, y: middle },
    svg('tspan', { class: 'name' }, name),
    svg('tspan', { class: 'size', dx: 10 }, size),
  );
  const room = box.width - SWATCH - 36 - CHARACTER * (name.length + size.length + (line?.length ?? 0));
  const place =
    line === null || room < 0
      ? null
      : svg('text', { class: 'line', x: box.width - 10, y: middle, 'text-anchor': 'end' }, line);
  return svg(
    'svg',
    { x: box.x, y: box.y, width: box.width, height: box.height, 'aria-hidden': 'true' },
    label,
    place,
  );
}

/** Arrows, Home and End walk over the regions; one of them is in the tab order. */
function moveFocus(root: SVGSVGElement, event: KeyboardEvent): void {
  const items = [...root.querySelectorAll<SVGGElement>('[role=listitem]')];
  const at = items.findIndex((item) => item === document.activeElement);
  const targets: Record<string, number> = {
    ArrowDown: at + 1,
    ArrowRight: at + 1,
    ArrowUp: at - 1,
    ArrowLeft: at - 1,
    Home: 0,
    End: items.length - 1,
  };
  const target = targets[event.key];
  if (target === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  items[Math.max(0, Math.min(items.length - 1, target))]?.focus();
}

/** Whether a region is among those that are drawn. */
export function isDrawn(root: SVGSVGElement, index: number): boolean {
  return root.querySelector(`[data-index="${index}"]`) !== null;
}

/** Marks the selected region and makes it the one that Tab reaches. */
export function markSelected(root: SVGSVGElement, index: number | null): void {
  const items = [...root.querySelectorAll<SVGGElement>('[role=listitem]')];
  items.forEach((item, position) => {
    const selected = item.dataset['index'] === String(index);
    item.classList.toggle('selected', selected);
    if (selected) item.setAttribute('aria-current', 'true');
    else item.removeAttribute('aria-current');
    item.setAttribute('tabindex', selected || (index === null && position === 0) ? '0' : '-1');
  });
}

/** What the patterns mean, for the kinds that are there. */
export function legend(regions: readonly RegionView[]): HTMLUListElement {
  const kinds = [...new Set(regions.map(({ kind }) => kind))];
  const entry = (kind: RegionKind): HTMLLIElement => {
    const box = { x: 1, y: 1, width: 26, height: 12, rx: 2 };
    const swatch = svg(
      'svg',
      { class: `kind-${kind}`, width: 28, height: 14, 'aria-hidden': 'true' },
      svg('rect', { class: 'fill', ...box }),
      svg('rect', { ...box, fill: swatchFill(kind, THEME, PREFIX) }),
      svg('rect', { class: 'edge', ...box }),
    );
    return html('li', {}, swatch, KIND_WORDS[kind]);
  };
  return html('ul', { class: 'legend' }, ...kinds.map(entry));
}
