/** The same regions as a table: the equivalent of the picture, with what does not fit into it. */
import { html } from './elements';
import { hexText, lineOf, type RegionView } from './view';

/** Rows shown at most. */
const MOST_ROWS = 1000;

const COLUMNS = ['start', 'end (exclusive)', 'size', 'kind', 'name', 'access', 'why', 'line'];

export function drawTable(
  title: string,
  regions: readonly RegionView[],
  reveal: (region: RegionView) => void,
): HTMLTableElement {
  const shown = regions.slice(0, MOST_ROWS);
  const cut = shown.length < regions.length ? `: the first ${MOST_ROWS} of ${regions.length} regions` : '';
  return html(
    'table',
    {},
    html('caption', {}, `Guest physical address space of ${title}${cut}`),
    html('thead', {}, html('tr', {}, ...COLUMNS.map((name) => html('th', { scope: 'col' }, name)))),
    html('tbody', {}, ...shown.map((region) => row(region, reveal))),
  );
}

function row(region: RegionView, reveal: (region: RegionView) => void): HTMLTableRowElement {
  const line = lineOf(region);
  const go = line === null ? null : html('button', { type: 'button', class: 'link' }, String(line));
  go?.addEventListener('click', () => reveal(region));
  go?.setAttribute('aria-label', `Go to line ${line}, ${region.name}`);
  return html(
    'tr',
    { 'data-index': region.index },
    html('td', { class: 'number' }, hexText(region.start)),
    html('td', { class: 'number' }, hexText(region.end, region.approximate)),
    html('td', { class: 'number' }, region.size),
    html('td', {}, region.kindWord),
    html('td', {}, region.name === region.kindWord ? '' : region.name),
    html('td', { class: 'access' }, region.permissions ?? ''),
    html('td', { class: 'why' }, region.reason),
    html('td', { class: 'number' }, go),
  );
}

export function markRow(table: HTMLTableElement, index: number | null): void {
  for (const row of table.querySelectorAll('tbody tr')) {
    const selected = (row as HTMLElement).dataset['index'] === String(index);
    row.classList.toggle('selected', selected);
    if (selected) row.setAttribute('aria-current', 'true');
    else row.removeAttribute('aria-current');
  }
}
