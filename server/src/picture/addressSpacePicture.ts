/** The address space as one SVG text: for hovers (as a data URI), the panel, and the command line. */
import { formatSizeShort, hex } from '../address/format';
import { LANDMARK_SIZE, landmarkLabels, type LandmarkLabel } from './landmarkLabels';
import { layoutAddressSpace, type AddressSpaceLayout, type Box, type Fold, type Hole } from './layout';
import { PALETTES, type Palette, type PaletteName } from './palettes';
import { patternDefinitions } from './patterns';
import { ramOf, type PictureMachine, type PictureRegion } from './pictureMachine';
import { vmmLabel } from '../machine/machine';
import { element, escapeXml, fitText, label, round, SANS, textWidth } from './svg';
import { drawHole, drawRegion } from './regionBox';
import { machineDescription, machineTitle, regionWords } from './words';

export interface PictureOptions {
  readonly palette: PaletteName;
  /** Regions to highlight, by index. */
  readonly selected?: readonly number[];
  /** Pixels; the height follows from the regions. */
  readonly width?: number;
  /** See `LayoutOptions`. */
  readonly maxHeight?: number;
  readonly maxRegions?: number;
  /** Makes every region a list item that takes the focus, for a page that handles keys and clicks. */
  readonly interactive?: boolean;
  /** Prefix of ids: pictures on one page need different ones. */
  readonly idPrefix?: string;
  /** False leaves the background to the page. */
  readonly background?: boolean;
}

/** Where the columns stand. */
interface Frame {
  readonly palette: Palette;
  readonly prefix: string;
  readonly top: number;
  readonly boxX: number;
  readonly boxWidth: number;
  readonly marksX: number;
  readonly marksWidth: number;
  readonly width: number;
}

const MARGIN = 12;
const HEADER = 34;
const FOOTER = 30;
/** Bold text is this much wider. */
const BOLD = 1.09;
const SIZES = { title: 13, small: 11, tiny: 10 } as const;

export function addressSpaceSvg(machine: PictureMachine, options: PictureOptions): string {
  const layout = layoutAddressSpace(machine, options);
  const frame = frameFor(layout, options);
  const { palette, prefix, width } = frame;
  const height = frame.top + layout.height + FOOTER;
  const selected = new Set(options.selected ?? []);
  const interactive = options.interactive === true;
  const title = element(
    'title',
    interactive ? {} : { id: `${prefix}-title` },
    escapeXml(machineTitle(machine)),
  );
  const description = element(
    'desc',
    interactive ? {} : { id: `${prefix}-desc` },
    escapeXml(machineDescription(machine)),
  );
  const regions = layout.boxes.map((box) =>
    region(machine.regions[box.region]!, box, frame, selected.has(box.region), interactive),
  );
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height,
      viewBox: `0 0 ${width} ${Math.round(height * 10) / 10}`,
      'font-family': SANS,
      ...(interactive
        ? { role: 'group', 'aria-label': machineTitle(machine) }
        : { role: 'img', 'aria-labelledby': `${prefix}-title ${prefix}-desc` }),
    },
    title,
    description,
    patternDefinitions(
      layout.boxes.map((box) => machine.regions[box.region]!.kind),
      palette,
      prefix,
    ),
    options.background === false ? '' : element('rect', { width, height, fill: palette.background }),
    header(machine, frame),
    ...layout.ticks.map(({ address, y }) => tick(address, y, frame)),
    ...layout.holes.map((one) => hole(one, frame)),
    ...layout.folds.map((one) => fold(one, frame)),
    interactive
      ? element('g', { role: 'list', 'aria-label': 'regions, low addresses first' }, ...regions)
      : regions.join(''),
    ...landmarkLabels(layout, frame.marksWidth - 12).map((label) => landmark(label, frame)),
    label(MARGIN, height - 8, 'low addresses on top · not to scale', SIZES.tiny, palette.dim),
  );
}

function frameFor(layout: AddressSpaceLayout, options: PictureOptions): Frame {
  const width = Math.max(320, Math.round(options.width ?? 560));
  const longest = Math.max(
    ...layout.ticks.map(({ address }) => textWidth(hex(address), SIZES.small, true)),
    40,
  );
  const boxX = Math.ceil(MARGIN + longest + 14);
  const marksWidth = width < 420 ? 0 : Math.min(170, Math.round(width * 0.27));
  const boxWidth = width - boxX - MARGIN - (marksWidth > 0 ? marksWidth + 10 : 0);
  return {
    palette: PALETTES[options.palette],
    prefix: options.idPrefix ?? 'bootpath',
    top: HEADER,
    boxX,
    boxWidth,
    marksX: boxX + boxWidth + 10,
    marksWidth,
    width,
  };
}

function header(machine: PictureMachine, { palette, width }: Frame): string {
  const ram = `${formatSizeShort(ramOf(machine))} RAM`;
  const vmm = vmmLabel(machine);
  const right = vmm === null ? ram : `${vmm} · ${ram}`;
  const room = width - 2 * MARGIN - textWidth(right, SIZES.small) - 16;
  return (
    label(MARGIN, 20, fitText(machine.name, room, SIZES.title * BOLD), SIZES.title, palette.text, {
      weight: 600,
    }) + label(width - MARGIN, 20, right, SIZES.small, palette.dim, { anchor: 'end' })
  );
}

function tick(address: bigint, y: number, { palette, top, boxX }: Frame): string {
  return (
    label(boxX - 12, top + y + 3.5, hex(address), SIZES.small, palette.dim, { anchor: 'end', mono: true }) +
    element('path', { d: `M${boxX - 8} ${round(top + y)}h8`, stroke: palette.line })
  );
}

/** The region in its group, which carries what a page and a screen reader need. */
function region(one: PictureRegion, box: Box, frame: Frame, selected: boolean, interactive: boolean): string {
  const lane = frame.boxWidth / box.lanes;
  const place = {
    x: frame.boxX + lane * box.lane,
    y: frame.top + box.y,
    width: lane * box.span - (box.lanes > 1 ? 3 : 0),
    height: box.height,
  };
  const drawn = drawRegion(one, place, frame.palette, frame.prefix, selected);
  const attributes = { role: 'listitem', tabindex: 0, 'aria-label': regionWords(one), class: 'region' };
  return element(
    'g',
    { 'data-region': box.region, ...(interactive ? attributes : {}) },
    // A torn band has no area of its own to click on.
    interactive && one.kind === 'hole' ? element('rect', { ...place, fill: 'transparent' }) : '',
    drawn,
  );
}

function hole({ range, y, height }: Hole, { palette, top, boxX, boxWidth }: Frame): string {
  return drawHole(range, { x: boxX, y: top + y, width: boxWidth, height }, palette, 'not mapped');
}

function fold({ count, range, y, height }: Fold, { palette, top, boxX, boxWidth }: Frame): string {
  const words = `${count} more ${count === 1 ? 'region' : 'regions'}`;
  const whole = `${words}, ${hex(range.start)} to ${hex(range.end)}`;
  const text = textWidth(whole, SIZES.small) <= boxWidth ? whole : words;
  const middle = top + y + height / 2;
  return label(
    boxX + boxWidth / 2,
    middle + 4,
    fitText(text, boxWidth, SIZES.small),
    SIZES.small,
    palette.dim,
    {
      anchor: 'middle',
      style: 'italic',
    },
  );
}

/** Brackets along the stack, a leader line, and the name. */
function landmark(one: LandmarkLabel, { palette, top, marksX, marksWidth }: Frame): string {
  if (marksWidth === 0) return '';
  const brackets = one.marks.map(({ from, to }) =>
    to - from < 5
      ? `M${marksX - 6} ${round(top + (from + to) / 2)}h6`
      : `M${marksX - 6} ${round(top + from + 1)}h4v${round(to - from - 2)}h-4`,
  );
  const leader = `M${marksX - 2} ${round(top + one.at)}L${marksX + 8} ${round(top + one.y)}`;
  return (
    element('path', {
      d: brackets.join('') + leader,
      fill: 'none',
      stroke: palette.line,
      'stroke-width': 1,
    }) +
    label(
      marksX + 12,
      top + one.y + 3.5,
      fitText(one.text, marksWidth - 12, LANDMARK_SIZE),
      LANDMARK_SIZE,
      one.boundary ? palette.text : palette.dim,
    )
  );
}
