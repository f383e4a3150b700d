/** Pictures in words: what a screen reader gets instead of them. */
import { formatSize, hex } from '../address/format';
import { sizeOf } from '../address/range';
import { vmmLabel } from '../machine/machine';
import { KIND_WORDS, ramOf, type PictureMachine, type PictureRegion } from './pictureMachine';

/** `about 3 GiB` where the source rounds. */
function sizeWords(region: PictureRegion): string {
  return `${region.approximate ? 'about ' : ''}${formatSize(sizeOf(region.range))}`;
}

/** `low memory: RAM, 576 KiB, from 0x0 to 0x90000 exclusive`. */
export function regionWords(region: PictureRegion): string {
  const kind = KIND_WORDS[region.kind];
  const name = region.name.trim() === '' || region.name === kind ? '' : `${region.name}: `;
  return `${name}${kind}, ${sizeWords(region)}, from ${hex(region.range.start)} to ${hex(region.range.end)} exclusive`;
}

/** One line for the picture as a whole. */
export function machineTitle(machine: PictureMachine): string {
  const vmm = vmmLabel(machine);
  return `Guest physical address space of ${machine.name}${vmm ? ` (${vmm})` : ''}`;
}

/** The regions in order, the holes between them left to the addresses; cut after `limit` regions. */
export function machineDescription(machine: PictureMachine, limit = 40): string {
  const { regions } = machine;
  if (regions.length === 0) return 'No region is known.';
  const shown = regions.slice(0, limit).map((region) => `${regionWords(region)}.`);
  if (regions.length > limit) shown.push(`${regions.length - limit} more regions.`);
  return `${regions.length} ${regions.length === 1 ? 'region' : 'regions'}, ${formatSize(ramOf(machine))} of RAM. ${shown.join(' ')}`;
}
