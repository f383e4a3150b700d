/** Maps that are printed one entry a line: where the lines of one producer stand in a text, and which belong to one map. */
import { ADDRESS_SPACE_END, compareRanges, type AddressRange } from '../address/range';
import type { SourceText } from '../text/sourceText';
import {
  MAX_ENTRIES,
  nameMaps,
  rangeProblem,
  tooLong,
  type Dialect,
  type MapEntry,
  type MapProblem,
  type MapReading,
  type OpenMap,
} from './mapText';

/** What one line says. */
export type RowFact = Pick<MapEntry, 'range' | 'kind' | 'name' | 'reason'> & {
  readonly approximate?: boolean;
  /** The number that the producer gives the line: a lower one is the start of another map. */
  readonly index?: number;
};

/** How a producer prints one of its maps. Every quantifier is bounded, so one long line costs no more than many. */
export interface RowForm {
  /** Of its maps; a heading with a group names them itself. */
  readonly name: string;
  /** What every line of it has: looked for before the pattern. */
  readonly anchor: string;
  /** Global. The line that announces a map; null where the producer prints none. */
  readonly heading: RegExp | null;
  /** True where lines without a heading may be anybody's: then only those that follow one directly are read. */
  readonly onlyUnderHeading?: boolean;
  /** Global. One line, without what a log puts before it. */
  readonly row: RegExp;
  /** Null where the line is none after all. */
  readonly fact: (match: RegExpExecArray) => RowFact | null;
  /** What the entries of a whole map say of each other, in the order of the text. */
  readonly settled?: (entries: readonly MapEntry[]) => MapEntry[];
}

/** Lines that may stand between two of one map where a heading is needed: logs have several writers. */
const LINES_BETWEEN = 1;
/** The end that a producer computes modulo 2^64: 0 stands for 2^64. */
function wrappedEnd(end: bigint, start: bigint): bigint {
  return end === 0n && start > 0n ? ADDRESS_SPACE_END : end;
}

/** A half-open range of two hexadecimal numbers. */
export function half(start: string, end: string): AddressRange {
  const from = BigInt(`0x${start}`);
  return { start: from, end: wrappedEnd(BigInt(`0x${end}`), from) };
}

class RowReader {
  readonly maps: OpenMap[] = [];
  readonly problems: MapProblem[] = [];
  private map: OpenMap | null = null;
  private first: RowFact | null = null;
  private last: RowFact | null = null;
  /** End of the line that was read last. */
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly form: RowForm,
  ) {}

  run(): void {
    const { heading, row } = this.form;
    const headings = heading ? [...this.text.matchAll(heading)] : [];
    let count = 0;
    for (const match of this.text.matchAll(row)) {
      while (headings.length > 0 && headings[0]!.index < match.index) this.heading(headings.shift()!);
      const fact = this.isTheirs(match) ? this.form.fact(match) : null;
      if (!fact) continue;
      const to = match.index + match[0].trimEnd().length;
      if (count++ >= MAX_ENTRIES) {
        this.problems.push(tooLong(match.index, to));
        return;
      }
      this.entry(fact, match.index, to);
    }
  }

  private heading(match: RegExpExecArray): void {
    const to = match.index + match[0].length;
    this.open(match[1]?.trim() ?? this.form.name, match.index, to);
    this.at = to;
  }

  private isTheirs(match: RegExpExecArray): boolean {
    if (!this.form.onlyUnderHeading) return true;
    if (!this.map) return false;
    const between = this.text.slice(this.at, match.index);
    return between.length < 2000 && between.split('\n').length <= LINES_BETWEEN + 2;
  }

  private open(name: string, from: number, to: number): OpenMap {
    this.first = this.last = null;
    const map: OpenMap = { name, nameFrom: from, nameTo: to, entries: [], amendments: [] };
    this.maps.push(map);
    return (this.map = map);
  }

  private entry(fact: RowFact, from: number, to: number): void {
    this.at = to;
    const map = this.map && !this.startsOver(fact) ? this.map : this.open(this.form.name, from, to);
    this.first ??= fact;
    this.last = fact;
    const { range, kind, name, reason, approximate = false } = fact;
    const problem = rangeProblem(range, from, to);
    if (problem) this.problems.push(problem);
    else map.entries.push({ range, kind, name, permissions: null, reason, from, to, approximate });
  }

  private startsOver({ index, range }: RowFact): boolean {
    if (!this.last) return false;
    if (index !== undefined) return index <= this.last.index!;
    // Another boot prints the same first entry.
    return compareRanges(range, this.first!.range) === 0;
  }
}

/** A dialect of one or more forms. */
export function rowDialect(name: string, forms: readonly RowForm[]): Dialect {
  const used = (text: string): RowForm[] => forms.filter(({ anchor }) => text.includes(anchor));
  const read = ({ text }: SourceText): MapReading => {
    const readers = used(text).map((form) => {
      const reader = new RowReader(text, form);
      reader.run();
      const { settled } = form;
      const maps = settled
        ? reader.maps.map((map) => ({ ...map, entries: settled(map.entries) }))
        : reader.maps;
      return { maps, problems: reader.problems };
    });
    return {
      maps: nameMaps(readers.flatMap(({ maps }) => maps)),
      problems: readers.flatMap(({ problems }) => problems),
    };
  };
  return {
    name,
    has: (text) =>
      used(text).some(
        (form) =>
          text.search(form.row) >= 0 &&
          (form.heading === null || !form.onlyUnderHeading || text.search(form.heading) >= 0),
      ),
    read,
  };
}
