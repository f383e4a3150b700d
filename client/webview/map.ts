/** The address space as SVG: a list of regions that the keyboard walks through. Kinds differ by pattern, not by colour alone. */
import { formatSizeShort } from '../../server/src/address/format';
import { landmarkLabels, type LandmarkLabel } from '../../server/src/picture/landmarkLabels';
import { layoutAddressSpace, type Box as LayoutBox, type Hole } from '../../server/src/picture/layout';
import type { PictureMachine } from '../../server/src/picture/pictureMachine';
import type { RegionKind } from '../../server/src/machine/machine';
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

/** One shape a kind, repeated over the region. RAM and holes have none. */
const PATTERNS: Partial<Record<RegionKind, string>> = {
  reserved: 'M-2 10 L10 -2 M2 14 L14 2 M-4 4 L4 -4',
  rom: 'M3 3h2v2h-2z M9 9h2v2h-2z',
  mmio: 'M3 0V12 M9 0V12',
  acpi: 'M0 3H12 M0 9H12',
  nvs: 'M0 6H12 M6 0V12',
  unusable: 'M0 0L12 12 M12 0L0 12',
  persistent: 'M0 8L3 4L6 8L9 4L12 8',
};

export function drawMap(
  title: string,
  machine: PictureMachine,
  regions: readonly RegionView[],
  width: number,
  handlers: MapHandlers,
): SVGSVGElement {
  const layout = layoutAddressSpace(machine);
  const landmarks = width < WIDE ? 0 : LANDMARKS;
  const inner = Math.max(160, width - AXIS - MARGIN - landmarks);
  const root = svg('svg', {
    class: 'map',
    width: AXIS + inner + landmarks + MARGIN,
    height: layout.height + 2 * MARGIN,
    role: 'list',
    'aria-label': `Guest physical address space of ${title}, lowest address first`,
  });
  root.append(
    patterns(),
    ...layout.ticks.map(({ address, y }) => axisText(address, MARGIN + y)),
    ...layout.holes.map((hole) => gap(hole, inner)),
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

/** Overlapping regions stand side by side. */
function boxOf({ y, height, lane, lanes }: LayoutBox, inner: number): Box {
  const width = inner / lanes;
  return { x: AXIS + lane * width, y: MARGIN + y, width, height };
}

function patterns(): SVGDefsElement {
  return svg(
    'defs',
    {},
    ...Object.entries(PATTERNS).map(([kind, d]) =>
      svg(
        'pattern',
        {
          id: `pattern-${kind}`,
          class: `kind-${kind}`,
          width: 12,
          height: 12,
          patternUnits: 'userSpaceOnUse',
        },
        svg('path', { class: 'hatch', d }),
      ),
    ),
  );
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
      { x: AXIS + 14, y: MARGIN + y + height / 2 + 4 },
      `nothing · ${formatSizeShort(range.end - range.start)}`,
    ),
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
  const kind = view.name === view.kind ? '' : ` · ${view.kind}`;
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
    view.kind in PATTERNS
      ? svg('rect', { class: 'hatching', ...rect, fill: `url(#pattern-${view.kind})` })
      : null,
    svg('rect', { class: 'edge', ...rect }),
    svg('rect', { class: 'tab', x: x + 0.5, y: y + 1, width: 5, height: height - 2 }),
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
const CHARACTER = 7.6;

/** The label within its box; what does not fit is cut off by the box of the nested picture. */
function clipped(name: string, size: string, box: Box, line: string | null): SVGSVGElement {
  const middle = box.height / 2 + 4;
  const label = svg(
    'text',
    { class: 'label', x: 14, y: middle },
    svg('tspan', { class: 'name' }, name),
    svg('tspan', { class: 'size', dx: 10 }, size),
  );
  const room = box.width - 34 - CHARACTER * (name.length + size.length + (line?.length ?? 0));
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
      kind in PATTERNS ? svg('rect', { ...box, fill: `url(#pattern-${kind})` }) : null,
      svg('rect', { class: 'edge', ...box }),
    );
    return html('li', {}, swatch, kind);
  };
  return html('ul', { class: 'legend' }, ...kinds.map(entry));
}
