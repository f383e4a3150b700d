/** Hover in words: what a keyword means, what a number decodes to, which regions the line yields. */
import type { Hover } from 'vscode-languageserver-types';
import { contains } from '../address/range';
import type { Description, Document } from '../machine/language';
import type { Machine } from '../machine/machine';
import type { Position, TextRange } from '../text/position';
import { identify } from '../x86/explain';
import { explanationText } from '../text/explanationText';
import { regionsByLine, regionsOf, type LineRegions } from './lineRegions';
import { numberAt } from './numberAt';
import { describeAddress, describeRegions } from './regionText';

/** Editors cut longer Markdown, in the middle of a table. */
const HOVER_LIMIT = 60_000;
/** Machines of which a hover says what lies at an address. */
const MACHINES = 4;

/**
 * `description` is what the language says about the place. `elsewhere` are machines of other open texts: an address in a
 * crash dump is looked up there. Null where there is nothing to say.
 */
export function hover(
  document: Document,
  position: Position,
  description: Description | null,
  elsewhere: readonly Machine[] = [],
): Hover | null {
  const sections: string[] = [];
  let range: TextRange | null = null;
  if (description) {
    sections.push(description.markdown);
    range = description.range;
  }
  const here = regionsByLine(document).get(position.line) ?? [];
  const number = numberAt(document, position);
  if (number) {
    range ??= number.range;
    // A language may have decoded it already.
    const decoded = identify(number.text, number.label).map(explanationText);
    sections.push(...decoded.filter((text) => description?.markdown.includes(text) !== true));
    // That an entry contains its own bounds is no news.
    const own = new Set(here.filter((row) => holds(row, number.value)).map(({ machine }) => machine));
    const places = placesOf(
      document.machines.filter((machine) => !own.has(machine)),
      number.value,
    );
    if (places !== '') sections.push(places);
    const others = placesOf(elsewhere, number.value);
    // The number may as well be virtual: nothing on the line says so.
    if (others !== '') sections.push(`If this is a guest-physical address:\n\n${others}`);
  }
  for (const { machine, indices } of here) {
    const text = describeRegions(machine, indices, description?.markdown);
    if (text !== '') sections.push(text);
  }
  if (sections.length === 0) return null;
  let value = '';
  for (const section of sections) {
    const joined = value === '' ? section : `${value}\n\n---\n\n${section}`;
    if (joined.length > HOVER_LIMIT) break;
    value = joined;
  }
  return value === '' ? null : { contents: { kind: 'markdown', value }, ...(range ? { range } : {}) };
}

function placesOf(machines: readonly Machine[], address: bigint): string {
  return machines
    .filter((machine) => machine.regions.length > 0)
    .slice(0, MACHINES)
    .map((machine) => describeAddress(machine, address))
    .join('\n\n');
}

function holds(row: LineRegions, address: bigint): boolean {
  return regionsOf(row).some(({ range }) => contains(range, address));
}
