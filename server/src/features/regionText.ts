/** Regions and addresses of a machine in words: what the hover says, and the text equivalent of its picture. */
import { formatRange, formatSize, hex } from '../address/format';
import { contains, sizeOf } from '../address/range';
import { levelOf, type Machine, type Region } from '../machine/machine';
import type { Origin } from '../machine/origin';
import { codeSpan, escapeMarkdown } from '../text/markdownText';

/** Rows shown before the rest is only counted. */
const ROWS = 16;
/** A neighbour's boundary this near is worth a word: off-by-one and off-by-a-page errors live there. */
const NEAR = 0x1_0000n;

const about = (region: Region): string => (region.approximate ? '~' : '');

/** Name and kind, once where they are the same. */
function title(region: Region): string {
  const name = region.name.trim();
  return name === '' || name.toLowerCase() === region.kind
    ? region.kind
    : `${escapeMarkdown(name)} (${region.kind})`;
}

/** Where a VMM's own doing was read, each source once. */
function sources(origins: readonly Origin[]): string[] {
  const cited = origins.map((origin) =>
    origin.kind === 'vmm' ? `${origin.vmm}@${origin.version}: ${origin.citation}` : '',
  );
  const named = [...new Set(cited)].filter((text) => text !== '');
  return named.length === 0 ? [] : [`*Read in ${named.map(escapeMarkdown).join('; ')}.*`];
}

/**
 * The regions that a line produced: one with its neighbours, several as a table. Of one region that `said` names already
 * only the neighbours are left to tell; empty where there is nothing.
 */
export function describeRegions(machine: Machine, indices: readonly number[], said = ''): string {
  if (indices.length === 1 && said.includes(formatRange(machine.regions[indices[0]!]!.range))) {
    return neighbours(machine, indices[0]!);
  }
  const head = `**${escapeMarkdown(machine.name)}**: `;
  if (indices.length === 1) return head + describeOne(machine, indices[0]!);
  const shown = indices.slice(0, ROWS).map((index) => machine.regions[index]!);
  const lines = [
    `${head}this line produces ${indices.length} regions of guest physical memory.`,
    '',
    '| start | end (exclusive) | size | kind | why |',
    '|---:|---:|---:|---|---|',
    ...shown.map(
      (region) =>
        `| \`${hex(region.range.start)}\` | \`${about(region)}${hex(region.range.end)}\` ` +
        `| ${about(region)}${formatSize(sizeOf(region.range))} | ${title(region)} ` +
        `| ${escapeMarkdown(region.reason)} |`,
    ),
  ];
  if (indices.length > ROWS) lines.push('', `${indices.length - ROWS} more are not shown.`);
  const read = sources(shown.map(({ origin }) => origin));
  if (read.length > 0) lines.push('', ...read);
  return lines.join('\n');
}

function describeOne(machine: Machine, index: number): string {
  const region = machine.regions[index]!;
  const permissions = region.permissions === null ? '' : `, ${codeSpan(region.permissions)}`;
  const lines = [
    `${title(region)} \`${about(region)}${formatRange(region.range)}\`, ` +
      `${about(region)}${formatSize(sizeOf(region.range))}${permissions}.`,
  ];
  if (region.approximate) lines.push('The end is approximate: the source prints rounded lengths.');
  if (region.reason !== '') lines.push(escapeMarkdown(region.reason));
  lines.push(neighbours(machine, index), ...sources([region.origin]));
  return lines.filter((line) => line !== '').join('\n\n');
}

function neighbours(machine: Machine, index: number): string {
  const region = machine.regions[index]!;
  const below = neighbour(machine.regions[index - 1], region, 'below');
  const above = neighbour(machine.regions[index + 1], region, 'above');
  return [below, above].filter((text) => text !== null).join(' ');
}

/** `Below: ram [0x0, 0x9fc00), which touches it.` Null where there is none. */
function neighbour(other: Region | undefined, region: Region, side: 'below' | 'above'): string | null {
  if (!other) return null;
  const gap = side === 'below' ? region.range.start - other.range.end : other.range.start - region.range.end;
  const relation =
    gap === 0n ? 'which touches it' : gap < 0n ? 'which overlaps it' : `after a hole of ${formatSize(gap)}`;
  const word = side === 'below' ? 'Below' : 'Above';
  return `${word}: ${title(other)} \`${formatRange(other.range)}\`, ${relation}.`;
}

/** Where an address lies in a machine: its regions, what is near, or the neighbours of a hole. One paragraph. */
export function describeAddress(machine: Machine, address: bigint): string {
  const at = `In **${escapeMarkdown(machine.name)}**`;
  // The innermost first: it says most.
  const inside = machine.regions
    .filter((region) => contains(region.range, address))
    .sort((a, b) => levelOf(b) - levelOf(a));
  if (inside.length > 0) {
    const shown = inside.slice(0, 3).map((region) => placeIn(machine, region, address));
    const more = inside.length > 3 ? ` and in ${inside.length - 3} more` : '';
    return `${at} \`${hex(address)}\` is ${shown.join(', and ')}${more}.`;
  }
  const { below, above } = around(machine, address);
  const parts = [
    below ? `${hex(address - below.range.end)} after the end of ${title(below)}` : null,
    above ? `${hex(above.range.start - address)} before ${title(above)}` : null,
  ].filter((part) => part !== null);
  return `${at} nothing is at \`${hex(address)}\`${parts.length > 0 ? ': ' + parts.join(', ') : ''}.`;
}

function placeIn(machine: Machine, region: Region, address: bigint): string {
  const { start, end } = region.range;
  const parts = [
    `in ${title(region)} \`${about(region)}${formatRange(region.range)}\` at offset ${hex(address - start)}`,
  ];
  if (address - start <= NEAR) {
    const { below } = around(machine, start);
    if (below?.range.end === start) parts.push(`${hex(address - start)} after ${title(below)} ends`);
  }
  if (end - address <= NEAR) {
    const next = machine.regions.find((other) => other.range.start === end);
    parts.push(`${hex(end - address)} before its end, where ${next ? title(next) : 'nothing'} begins`);
  }
  return parts.join(', ');
}

/** The regions that end last before an address and begin first after it. */
function around(machine: Machine, address: bigint): { below: Region | undefined; above: Region | undefined } {
  let below: Region | undefined;
  for (const region of machine.regions) {
    if (region.range.end <= address && (!below || region.range.end > below.range.end)) below = region;
  }
  return { below, above: machine.regions.find((region) => region.range.start > address) };
}
