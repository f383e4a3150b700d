/** QEMU's `info mtree -f`: address spaces as QEMU has rendered them. */
import type { SourceText } from '../../text/sourceText';
import { MAX_ENTRIES, nameMaps, type Dialect, type MapReading } from '../mapText';
import { entryOf, excessOf, guestMaps, type NamedMap } from './addressSpaces';
import { hasRow, linesOf, rangeOf, type Row } from './lines';

const HEADING = /FlatView #\d/;

interface OpenView extends NamedMap {
  readonly names: string[];
}

function read({ text }: SourceText): MapReading {
  const outputs: OpenView[][] = [];
  let view: OpenView | null = null;
  let first = 0;
  let count = 0;
  let excess: Row | null = null;
  for (const line of linesOf(text)) {
    if (line.kind === 'flat-view') {
      const number = Number(/\d+/.exec(text.slice(line.from, line.to))![0]);
      // Numbers count up within one output of the command.
      if (outputs.length === 0 || number <= first) outputs.push([]);
      first = number;
      view = { names: [], from: line.from, to: line.to, entries: [] };
      outputs.at(-1)!.push(view);
    } else if (line.kind === 'view-of') view?.names.push(line.name);
    else if (line.kind === 'member') continue;
    else if (line.kind !== 'row') view = null;
    else if (view) {
      if (count++ >= MAX_ENTRIES) {
        excess = line;
        break;
      }
      const { name, offset, nonvolatile } = line;
      view.entries.push(
        entryOf({
          range: rangeOf(line, 0n),
          row: line,
          name,
          offset,
          readOnly: false,
          nonvolatile,
          alias: null,
        }),
      );
    }
  }
  return {
    maps: nameMaps(outputs.flatMap((views) => guestMaps(views, ' (flat view)'))),
    problems: excessOf(excess),
  };
}

export const flatViewDialect: Dialect = {
  name: 'QEMU info mtree -f',
  has: (text) => HEADING.test(text) && hasRow(text),
  read,
};
