/** The address-space panel's script: takes layouts and cursor places, sends where to go. Draws with plain SVG and DOM. */
import './addressSpace.css';
import { fromWire } from '../../server/src/picture/pictureMachine';
import { html } from './elements';
import { drawMap, isDrawn, legend, markSelected } from './map';
import { PanelState, ToWebview, type FromWebview } from './messages';
import { drawTable, markRow } from './table';
import { regionViews, type RegionView, type WireMachine } from './view';

interface Api {
  postMessage(message: FromWebview): void;
  getState(): unknown;
  setState(state: Memory): void;
}
declare function acquireVsCodeApi(): Api;

/** Beyond what the serializer needs: what is selected and whether the table is open. */
type Memory = PanelState & { readonly selected?: string | null; readonly table?: boolean };

const api = acquireVsCodeApi();
const root = document.querySelector<HTMLElement>('#root')!;

class Panel {
  private machines: readonly WireMachine[] = [];
  private machine: string | null;
  private file = '';
  private regions: readonly RegionView[] = [];
  /** Key of the selected region; it outlives edits and machines that lack it. */
  private selected: string | null;
  private tableOpen: boolean;
  private map: SVGSVGElement | null = null;
  private table: HTMLTableElement | null = null;
  private readonly detail = html('p', { class: 'detail', 'aria-live': 'polite' });
  private width = 0;

  constructor(
    private readonly uri: string,
    memory: Memory,
  ) {
    this.machine = memory.machine;
    this.selected = memory.selected ?? null;
    this.tableOpen = memory.table ?? false;
    new ResizeObserver(() => this.resized()).observe(root);
  }

  layout(message: Extract<ToWebview, { type: 'layout' }>): void {
    this.machines = message.machines;
    this.file = message.file;
    if (message.machine !== undefined) this.machine = message.machine;
    this.draw();
  }

  /**
   * The cursor of the editor came to a line: the machine that it stands in is shown, and the line's region is selected
   * unless one of that line is already.
   */
  cursor(uri: string, line: number): void {
    const above = this.machines.filter((other) => other.uri === uri && other.range.start.line <= line);
    const around = above.sort((a, b) => a.range.start.line - b.range.start.line).at(-1);
    if (around && around.name !== this.machine) this.choose(around.name);
    const here = this.regions.filter(({ source }) => source?.uri === uri && source.range.start.line === line);
    if (here.length > 0 && !here.some(({ key }) => key === this.selected)) this.select(here[0]!, true);
  }

  problem(text: string): void {
    root.replaceChildren(html('p', { class: 'empty', role: 'alert' }, text));
    this.map = null;
  }

  private draw(): void {
    const machine = this.machines.find(({ name }) => name === this.machine) ?? this.machines[0];
    if (!machine) {
      this.problem(`${this.file} describes no machine and no memory map.`);
      return;
    }
    this.regions = regionViews(machine);
    const title = machine.vmm === null ? machine.name : `${machine.name}, ${machine.vmm}`;
    // A redraw must not take the keyboard away.
    const focused = document.activeElement instanceof SVGGElement;
    const scroll = document.scrollingElement?.scrollTop ?? 0;
    this.width = root.clientWidth;
    const selected = this.regions.find(({ key }) => key === this.selected)?.index ?? null;
    this.map = drawMap(title, fromWire(machine), this.regions, selected, this.width, {
      select: (region) => this.select(region, false),
      reveal: (region, focus) => reveal(region, focus),
    });
    this.table = drawTable(title, this.regions, (region) => {
      this.select(region, true);
      reveal(region, true);
    });
    const details = html(
      'details',
      { open: this.tableOpen },
      html('summary', {}, 'As a table'),
      html('div', { class: 'table' }, this.table),
    );
    details.addEventListener('toggle', () => {
      this.tableOpen = details.open;
      this.remember();
    });
    const none = html('p', { class: 'empty' }, 'Nothing is known of its memory yet.');
    root.replaceChildren(
      this.header(machine),
      ...(this.regions.length === 0 ? [none] : [this.detail, legend(this.regions), this.map, details]),
    );
    this.mark();
    if (document.scrollingElement) document.scrollingElement.scrollTop = scroll;
    if (focused) this.map.querySelector<SVGGElement>('[tabindex="0"]')?.focus({ preventScroll: true });
    this.remember();
    api.postMessage({ type: 'shown', machine: machine.name });
  }

  private header(machine: WireMachine): HTMLElement {
    const heading = html('h1', {}, machine.name, html('span', { class: 'vmm' }, machine.vmm ?? 'memory map'));
    if (this.machines.length < 2) return html('header', {}, heading);
    const choice = html(
      'select',
      { 'aria-label': 'Machine' },
      ...this.machines.map(({ name }) =>
        html('option', { value: name, selected: name === machine.name }, name),
      ),
    );
    choice.addEventListener('change', () => this.choose(choice.value));
    return html('header', {}, heading, choice);
  }

  private choose(machine: string): void {
    this.machine = machine;
    this.draw();
  }

  private select(region: RegionView, scroll: boolean): void {
    this.selected = region.key;
    if (this.map && !isDrawn(this.map, region.index)) this.draw();
    else this.mark();
    this.remember();
    if (scroll) {
      const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
      this.map
        ?.querySelector('.region.selected')
        ?.scrollIntoView({ block: 'nearest', behavior: still ? 'auto' : 'smooth' });
    }
  }

  private mark(): void {
    const region = this.regions.find(({ key }) => key === this.selected);
    const index = region?.index ?? null;
    if (this.map) markSelected(this.map, index);
    if (this.table) markRow(this.table, index);
    this.detail.replaceChildren(
      ...(region
        ? [html('strong', {}, region.name), ` ${region.size}. ${region.reason}`]
        : ['Choose a region to see why it is there; Enter goes to its line.']),
    );
  }

  private resized(): void {
    if (this.map && Math.abs(root.clientWidth - this.width) > 1) this.draw();
  }

  private remember(): void {
    api.setState({ uri: this.uri, machine: this.machine, selected: this.selected, table: this.tableOpen });
  }
}

function reveal(region: RegionView, focus: boolean): void {
  if (region.source) api.postMessage({ type: 'reveal', ...region.source, focus });
}

/** The state of before a reload, else what the page came with. */
function memory(): Memory {
  const kept = PanelState.safeParse(api.getState());
  if (kept.success) return api.getState() as Memory;
  return PanelState.parse(JSON.parse(document.body.dataset['state'] ?? '{}'));
}

const state = memory();
const panel = new Panel(state.uri, state);
window.addEventListener('message', (event: MessageEvent<unknown>) => {
  const parsed = ToWebview.safeParse(event.data);
  if (!parsed.success) return;
  const message = parsed.data;
  if (message.type === 'layout') panel.layout(message);
  else if (message.type === 'cursor') panel.cursor(message.uri, message.line);
  else panel.problem(message.text);
});
api.postMessage({ type: 'ready' });
