/** The address space as SVG: a list of regions that the keyboard walks through. Kinds differ by pattern, not by colour alone. */
import { formatSize } from '../../server/src/address/format';
import type { RegionKind } from '../../server/src/machine/machine';
import { html, svg } from './elements';
import { scaleOf, type Row } from './scale';
import { hexText, lineOf, spoken, type RegionView } from './view';

export interface MapHandlers {
  select(region: RegionView): void;
  /** `focus`: the editor takes the keyboard. */
  reveal(region: RegionView, focus: boolean): void;
}

/** Width of the address labels at the left, in pixels. */
const AXIS = 112;
const MARGIN = 10;

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
  regions: readonly RegionView[],
  width: number,
  handlers: MapHandlers,
): SVGSVGElement {
  const { rows, height, columns } = scaleOf(regions.map(({ start, end }) => ({ start, end })));
  const inner = Math.max(160, width - AXIS - MARGIN);
  const root = svg('svg', {
    class: 'map',
    width: AXIS + inner + MARGIN,
    height: height + 2 * MARGIN,
    role: 'list',
    'aria-label': `Guest physical address space of ${title}, lowest address first`,
  });
  root.append(patterns());
  for (const row of rows) {
    const box = boxOf(row, inner, columns);
    root.append(axisLabel(row));
    if (row.index === null) root.append(gap(row, box));
    else root.append(region(regions[row.index]!, box, handlers));
  }
  const last = rows.at(-1);
  if (last) root.append(axisText(last.range.end, MARGIN + height));
  root.addEventListener('keydown', (event) => moveFocus(root, event));
  return root;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function boxOf(row: Row, inner: number, columns: number): Box {
  const width = row.index === null ? inner : inner / columns;
  return {
    x: AXIS + (row.index === null ? 0 : row.column * width),
    y: MARGIN + row.top,
    width,
    height: row.height,
  };
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

const axisLabel = (row: Row): SVGTextElement => axisText(row.range.start, MARGIN + row.top);

function axisText(address: bigint, y: number): SVGTextElement {
  return svg(
    'text',
    { class: 'axis', x: AXIS - 10, y: y + 4, 'text-anchor': 'end', 'aria-hidden': 'true' },
    hexText(address),
  );
}

function gap(row: Row, { x, y, width, height }: Box): SVGGElement {
  const size = formatSize(row.range.end - row.range.start);
  return svg(
    'g',
    { class: 'gap', 'aria-hidden': 'true' },
    svg('rect', { x: x + 0.5, y: y + 2, width: width - 1, height: height - 4, rx: 2 }),
    svg('text', { x: x + 10, y: y + height / 2 + 4 }, `nothing · ${size}`),
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
    clipped(`${view.name}${kind}`, view.size, rect, line === null ? null : `line ${line}`),
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

/** The label within its box; what does not fit is cut off by the box of the nested picture. */
function clipped(name: string, size: string, box: Box, line: string | null): SVGSVGElement {
  const middle = box.height / 2 + 4;
  const label = svg(
    'text',
    { class: 'label', x: 14, y: middle },
    svg('tspan', { class: 'name' }, name),
    svg('tspan', { class: 'size', dx: 10 }, size),
  );
  const place =
    line === null || box.width < 260
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
