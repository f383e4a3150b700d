/**
 * Reads TOML 1.0 (toml.io/en/v1.0.0) as far as it can be read: a line that is half typed gives a problem, and the rest is
 * still there. Never throws, and takes linear time.
 */
import { Cursor } from './cursor';
import { readKeys } from './keys';
import { appendTable, newTable, openTable, setDotted } from './tables';
import type { TomlDocument, TomlTable } from './tree';
import { readValue } from './values';

/** What stands below one header. */
interface Section {
  readonly table: TomlTable;
  /** Tables that dotted keys of this section made, which only this section may add to. */
  readonly made: Set<TomlTable>;
}

export function readToml(text: string): TomlDocument {
  const cursor = new Cursor(text);
  const root = newTable('root', 0, text.length);
  let section: Section = { table: root, made: new Set() };
  for (cursor.skipSpace(); !cursor.ended; cursor.skipSpace()) {
    if (cursor.next === '[') section = readHeader(cursor, root);
    else readEntry(cursor, section);
    finishLine(cursor);
  }
  return { root, problems: cursor.problems.sort((a, b) => a.start - b.start) };
}

function readHeader(cursor: Cursor, root: TomlTable): Section {
  const start = cursor.at;
  const double = cursor.startsWith('[[');
  cursor.at += double ? 2 : 1;
  cursor.skipBlanks();
  const keys = readKeys(cursor);
  cursor.skipBlanks();
  const closing = double ? ']]' : ']';
  const closed = cursor.take(closing);
  if (!closed) cursor.take(']');
  const span = { start, end: cursor.at };
  if (keys.length === 0) {
    cursor.problem('syntax', span, `A table’s name is missing between ${double ? '[[ and ]]' : '[ and ]'}.`);
    return { table: newTable('header', start), made: new Set() };
  }
  if (!closed) cursor.problem('syntax', span, `This table’s header has no closing ${closing}.`);
  const table = (double ? appendTable : openTable)(cursor, root, keys, span);
  // Entries below a refused header belong to nothing, but are still read for their own problems.
  return { table: table ?? newTable('header', start), made: new Set() };
}

function readEntry(cursor: Cursor, { table, made }: Section): void {
  const start = cursor.at;
  const keys = readKeys(cursor);
  if (keys.length === 0) {
    cursor.skipLine();
    const written = cursor.text.slice(start, cursor.at);
    const message = written.startsWith('=')
      ? 'A key is missing before the =.'
      : 'A line of TOML is `key = value`, a [table] or a comment.';
    cursor.problem('syntax', { start, end: cursor.at }, message);
    return;
  }
  cursor.skipBlanks();
  const named = { start, end: keys.at(-1)!.end };
  if (cursor.take('=')) {
    cursor.skipBlanks();
    const value = readValue(cursor);
    setDotted(cursor, table, keys, value, made);
    grow(table, cursor.at);
    return;
  }
  cursor.problem('syntax', named, 'After a key, TOML wants `= value` on the same line.');
  const value = { kind: 'invalid', start: named.end, end: named.end, value: '' } as const;
  setDotted(cursor, table, keys, value, made);
  grow(table, named.end);
  cursor.skipLine();
}

function grow(table: TomlTable, end: number): void {
  if (table.form !== 'root') table.end = Math.max(table.end, end);
}

function finishLine(cursor: Cursor): void {
  cursor.skipBlanks();
  if (cursor.next === '#') cursor.skipComment();
  if (cursor.atLineEnd) {
    cursor.takeLineEnd();
    return;
  }
  const start = cursor.at;
  cursor.skipLine();
  const end = cursor.at;
  cursor.problem('syntax', { start, end }, 'Nothing but a comment may follow on this line.');
}
