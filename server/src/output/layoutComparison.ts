/** Two layouts side by side in words: what a VMM means against what firmware or a guest reports, or two maps of one kind. */
import { formatRange, formatSize, formatSizeShort, hex } from '../address/format';
import { PAGE, sizeOf } from '../address/range';
import { vmmLabel, type Machine, type Region, type RegionKind } from '../machine/machine';
import { KIND_WORDS, ramOf } from '../picture/pictureMachine';
import { layoutDifferences, type LayoutDifference } from './layout';
import { placeText } from './place';
import { wrap, type ReportStyle } from './reportStyle';

/** A machine and the file that it is from, as the report shows it. */
export interface ComparedLayout {
  readonly machine: Machine;
  readonly file: string;
}

type Side = 'left' | 'right';
const OTHER: Readonly<Record<Side, Side>> = { left: 'right', right: 'left' };

/** Nobody reads more, and two maps of different machines differ everywhere. */
const MOST = 200;

/** Maps that a VMM prints of itself. All others are what firmware tells, or what a guest has made of it. */
const OF_A_VMM: ReadonlySet<string> = new Set(['bhyvectl', 'QEMU info mtree', 'QEMU info mtree -f']);

function isGuestView({ producer }: Machine): boolean {
  return producer !== undefined && !OF_A_VMM.has(producer);
}

/** Firmware's maps list memory and no registers; the kernel's resources list both. */
function listsRegisters({ producer }: Machine): boolean {
  return producer !== 'Linux e820' && producer !== 'Xen e820';
}

interface Pair {
  readonly left: Machine;
  readonly right: Machine;
}

interface Difference extends LayoutDifference {
  /** The outermost regions at the start of the span. */
  readonly regions: Readonly<Record<Side, Region | null>>;
}

/** By start: the regions that a walk through ascending addresses may need, without nested ones. */
function topLevel(machine: Machine): readonly Region[] {
  return machine.regions.filter(({ kind, level }) => kind !== 'hole' && !level);
}

/** The first region that holds an address, for ascending addresses in linear time altogether. */
function holder(machine: Machine): (address: bigint) => Region | null {
  const regions = topLevel(machine);
  let next = 0;
  let open: Region[] = [];
  return (address) => {
    while (next < regions.length && regions[next]!.range.start <= address) open.push(regions[next++]!);
    open = open.filter(({ range }) => range.end > address);
    return open[0] ?? null;
  };
}

/** Regions of one machine by where they end and by where they start. */
class Bounds {
  private readonly ends = new Map<bigint, Region>();
  private readonly starts = new Map<bigint, Region>();

  constructor(machine: Machine) {
    for (const region of topLevel(machine)) {
      this.ends.set(region.range.end, region);
      this.starts.set(region.range.start, region);
    }
  }

  endingAt(address: bigint, other: Region): Region | null {
    return sameThing(this.ends.get(address), other);
  }

  startingAt(address: bigint, other: Region): Region | null {
    return sameThing(this.starts.get(address), other);
  }
}

/** RAM is RAM under any name; of what is none, only one name on both sides tells of one thing. */
function sameThing(region: Region | undefined, other: Region): Region | null {
  return region && region.kind === other.kind && (region.kind === 'ram' || region.name === other.name)
    ? region
    : null;
}

const named = (region: Region): string => {
  const kind = KIND_WORDS[region.kind];
  return region.name.toLowerCase().includes(kind.toLowerCase()) ? region.name : `${region.name} (${kind})`;
};

const kindWords = (kind: string | null): string =>
  kind === null ? 'nothing' : KIND_WORDS[kind as RegionKind];

/** An end that two maps give differently, and what such a step often is. */
function endStep(size: bigint): string {
  if (size === 1n)
    return ' That is exactly one byte: one of the two takes the last byte of a range for its end, or an end for the last byte.';
  if (size === PAGE)
    return ' That is exactly one page, as where the last page of a range is counted twice or left out.';
  return '';
}

/** How the span comes about: a boundary that moved, or another answer. */
function cause(difference: Difference, bounds: Readonly<Record<Side, Bounds>>): string {
  const { start, end, regions } = difference;
  const size = end - start;
  for (const side of ['left', 'right'] as const) {
    const region = regions[side];
    if (!region) continue;
    const other = OTHER[side];
    const { range } = region;
    if (range.start < start && range.end === end) {
      const shorter = bounds[other].endingAt(start, region);
      if (shorter)
        return `${named(region)} ends at ${hex(end)} on the ${side}, ${named(shorter)} at ${hex(start)} on the ${other}: ${formatSize(size)} less.${endStep(size)}`;
    }
    if (range.start === start && range.end > end) {
      const later = bounds[other].startingAt(end, region);
      if (later)
        return `${named(region)} starts at ${hex(start)} on the ${side}, ${named(later)} at ${hex(end)} on the ${other}: ${formatSize(size)} less.`;
    }
  }
  const { left, right } = regions;
  if (left && right) return `The left calls this ${named(left)}, the right ${named(right)}.`;
  const [side, only] = left ? (['left', left] as const) : (['right', right!] as const);
  return `Only the ${side} has ${named(only)} here.`;
}

/** What follows from it where one side is a VMM's and the other a guest's, or where it says little. */
function meaning({ left, right }: Difference, pair: Pair): string {
  const guest: Side | null =
    isGuestView(pair.left) === isGuestView(pair.right) ? null : isGuestView(pair.left) ? 'left' : 'right';
  if (guest) {
    const [told, meant] = guest === 'left' ? [left, right] : [right, left];
    if (told === 'ram' && meant === null) return 'The guest takes for RAM what the VMM does not back.';
    if (told === 'ram') return `The guest takes for RAM what the VMM means as ${kindWords(meant)}.`;
    if (meant === 'ram' && told === null) return 'The guest is never told of this memory.';
    if (meant === 'ram') return 'This is the VMM’s RAM, which the firmware keeps from the guest.';
  }
  if (left === 'ram' || right === 'ram') return '';
  const [present, absent] =
    left === null ? [right, pair.left] : right === null ? [left, pair.right] : [null, null];
  if (absent === null) return 'Neither is RAM to an operating system.';
  return (present === 'mmio' || present === 'rom') && !listsRegisters(absent)
    ? 'An e820 map need not list devices and ROMs, so this is no contradiction.'
    : '';
}

const aboutRam = ({ left, right }: LayoutDifference): boolean => left === 'ram' || right === 'ram';

function heading(side: Side, { machine, file }: ComparedLayout): string {
  const vmm = vmmLabel(machine) ?? machine.producer;
  const ram = isKnown(machine) ? `${formatSizeShort(ramOf(machine))} of RAM` : 'no region known';
  return `${side.padEnd(6)} ${machine.name}${vmm ? ` (${vmm})` : ''} in ${file}: ${ram}`;
}

/** Whether there is a layout to compare: of a guest that its VMM refuses, or of one without a size, there is none. */
function isKnown(machine: Machine): boolean {
  return topLevel(machine).length > 0;
}

/** Why no region is known, as far as the machine itself tells. */
function unknownSentence(side: Side, { machine }: ComparedLayout): string {
  const { vmm, name, memory, mappings = [] } = machine;
  if (vmm === null && mappings.length > 0)
    return `No region of the ${side} is known: it lists linear addresses, and where they are mapped.`;
  if (vmm === null) return `No region of the ${side} is known.`;
  return memory === null
    ? `No region of the ${side} is known: the text does not say how much memory "${name}" has.`
    : `No region of the ${side} is known: ${vmm} lays out no memory for "${name}"; bootpath simulate says why.`;
}

function ramSentence(left: bigint, right: bigint): string {
  if (left === right) return 'Both have as much RAM.';
  return left < right
    ? `The right has ${formatSize(right - left)} more RAM.`
    : `The right has ${formatSize(left - right)} less RAM.`;
}

/** A sentence for each side of which no region is known: against it every difference would mislead. */
export function unknownSides(left: ComparedLayout, right: ComparedLayout): string[] {
  const sides = [
    ['left', left],
    ['right', right],
  ] as const;
  return sides
    .filter(([, { machine }]) => !isKnown(machine))
    .map(([side, one]) => unknownSentence(side, one));
}

function* body(left: ComparedLayout, right: ComparedLayout, style: ReportStyle): Generator<string> {
  const pair = { left: left.machine, right: right.machine };
  const unknown = unknownSides(left, right);
  if (unknown.length > 0) {
    yield* wrap([...unknown, 'There is nothing to compare.'].join(' '), style, '');
    return;
  }
  const differences = layoutDifferences(pair.left, pair.right);
  if (differences.length === 0) {
    yield 'no difference';
    return;
  }
  const bounds = { left: new Bounds(pair.left), right: new Bounds(pair.right) };
  const at = { left: holder(pair.left), right: holder(pair.right) };
  for (const span of differences.slice(0, MOST)) {
    const regions = { left: at.left(span.start), right: at.right(span.start) };
    const difference = { ...span, regions };
    const range = formatRange({ start: span.start, end: span.end });
    const size = formatSize(sizeOf(span));
    yield `${aboutRam(span) ? '!' : ' '} ${range}  ${size}  ${kindWords(span.left)} | ${kindWords(span.right)}`;
    const words = `${cause(difference, bounds)} ${meaning(difference, pair)}`.trim();
    yield* wrap(words, style, '    ');
    for (const side of ['left', 'right'] as const) {
      const place = regions[side]?.at;
      if (place) yield `    ${side} ${placeText(place, style.pathOf)}`;
    }
  }
  yield '';
  if (differences.length > MOST) yield `and ${differences.length - MOST} more`;
  const ram = differences.filter(aboutRam).length;
  const count = differences.length === 1 ? '1 difference' : `${differences.length} differences`;
  yield `${count}, ${ram === 0 ? 'none' : ram} about RAM (marked !). ${ramSentence(ramOf(pair.left), ramOf(pair.right))}`;
}

/** The report, with a newline at its end. Spans are half-open. */
export function comparisonText(left: ComparedLayout, right: ComparedLayout, style: ReportStyle): string {
  return [heading('left', left), heading('right', right), '', ...body(left, right, style)].join('\n') + '\n';
}
