/** QEMU's `info mtree`: the address spaces that its trees of memory regions make. */
import { ADDRESS_SPACE_END } from '../../address/range';
import type { SourceText } from '../../text/sourceText';
import { nameMaps, type Dialect, type MapProblem, type MapReading } from '../mapText';
import { entryOf, excessOf, guestMaps, tooDeep, unknownTarget, type NamedMap } from './addressSpaces';
import { hasRow } from './lines';
import { render, Targets } from './render';
import { readTrees, type Section } from './tree';

const EVERYTHING = { start: 0n, end: ADDRESS_SPACE_END };

function mapOf(targets: Targets, section: Section, problems: MapProblem[]): NamedMap {
  const { names, from, to, roots } = section;
  const { ranges, unknown, complete } = render(targets, roots, EVERYTHING);
  problems.push(...unknown.map(unknownTarget));
  if (!complete) problems.push(tooDeep(from, to));
  return { names, from, to, entries: ranges.map(entryOf) };
}

function read({ text }: SourceText): MapReading {
  const { listings, excess } = readTrees(text);
  const problems = excessOf(excess);
  const maps = listings.flatMap((listing) => {
    const targets = new Targets(listing);
    const spaces = listing.sections.filter(({ kind, roots }) => kind === 'address-space' && roots.length > 0);
    // A part of the output without an address space: its regions stand for themselves.
    const sections = spaces.length > 0 ? spaces : listing.sections;
    return guestMaps(
      sections.map((section) => mapOf(targets, section, problems)),
      '',
    );
  });
  const seen = new Set<string>();
  return {
    maps: nameMaps(maps),
    problems: problems.filter(({ code, from }) => {
      const key = `${code} ${from}`;
      return !seen.has(key) && seen.add(key);
    }),
  };
}

export const memoryTreeDialect: Dialect = { name: 'QEMU info mtree', has: hasRow, read };
