/** Values of TOML: strings, scalars, arrays and inline tables. */
import type { Cursor } from './cursor';
import { DEEPEST, readKeys } from './keys';
import { readScalar } from './scalars';
import { readString } from './strings';
import { newTable, setDotted } from './tables';
import type { TomlArray, TomlScalar, TomlTable, TomlValue } from './tree';

/** A line in an unfinished array that begins the next entry or table. */
const NEXT_ENTRY =
  /(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')(?:[ \t]*\.[ \t]*(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*'))*[ \t]*=/y;
const NEXT_HEADER = /\[\[?[ \t]*[A-Za-z_][\w.-]*[ \t]*\]\]?[ \t]*(?:#[^\n]*)?\r?(?:\n|$)/y;
const SCALAR_ITEM = /\[+[ \t]*(?:true|false|inf|nan)[ \t]*\]/y;

/** Reads one value, on this line. Where there is none it is `invalid`, empty and reported. */
export function readValue(cursor: Cursor, depth = 0): TomlValue {
  const start = cursor.at;
  switch (cursor.next) {
    case '"':
    case "'": {
      const { end, value } = readString(cursor, true);
      return { kind: 'string', start, end, value };
    }
    case '[':
      return depth < DEEPEST ? readArray(cursor, depth) : tooDeep(cursor);
    case '{':
      return depth < DEEPEST ? readInlineTable(cursor, depth) : tooDeep(cursor);
    case '':
    case '\n':
    case '\r':
    case '#':
    case ',':
    case ']':
    case '}':
    case '=':
      return missing(cursor);
    default:
      return readScalar(cursor);
  }
}

function missing(cursor: Cursor): TomlScalar {
  const span = { start: cursor.at, end: cursor.at };
  cursor.problem('syntax', span, 'A value is missing here.');
  return { ...span, kind: 'invalid', value: '' };
}

function tooDeep(cursor: Cursor): TomlScalar {
  const start = cursor.at;
  cursor.skipLine();
  const span = { start, end: cursor.at };
  cursor.problem('syntax', span, `Values nested deeper than ${DEEPEST} are not read.`);
  return { ...span, kind: 'invalid', value: '' };
}

function readArray(cursor: Cursor, depth: number): TomlArray {
  const start = cursor.at++;
  const items: TomlValue[] = [];
  let separated = true;
  for (;;) {
    const before = cursor.at;
    cursor.skipSpace();
    if (cursor.take(']')) break;
    const newLine = cursor.text.slice(before, cursor.at).includes('\n');
    if (cursor.ended || (newLine && beginsAnother(cursor))) {
      // What comes next stands on a line of its own.
      cursor.at = before;
      cursor.problem('syntax', { start, end: start + 1 }, 'This array has no closing ].');
      break;
    }
    if (cursor.next === ',') {
      if (separated) cursor.problem('syntax', here(cursor), 'A value is missing before this comma.');
      cursor.at++;
      separated = true;
      continue;
    }
    if (!separated) cursor.problem('syntax', here(cursor), 'A comma is missing before this value.');
    const from = cursor.at;
    items.push(readValue(cursor, depth + 1));
    if (cursor.at === from) cursor.at++;
    separated = false;
  }
  return { kind: 'array', start, end: cursor.at, items, ofTables: false };
}

function beginsAnother(cursor: Cursor): boolean {
  if (cursor.match(NEXT_ENTRY)) return true;
  return cursor.match(NEXT_HEADER) !== '' && cursor.match(SCALAR_ITEM) === '';
}

function readInlineTable(cursor: Cursor, depth: number): TomlTable {
  const start = cursor.at++;
  const table = newTable('inline', start);
  const made = new Set<TomlTable>();
  let comma = -1;
  for (;;) {
    cursor.skipBlanks();
    if (cursor.take('}')) {
      if (comma >= 0) {
        const message = 'TOML 1.0 allows no comma before the } of an inline table.';
        cursor.problem('syntax', { start: comma, end: comma + 1 }, message);
      }
      break;
    }
    const keys = readKeys(cursor);
    if (keys.length === 0) {
      const message = cursor.atLineEnd
        ? 'This inline table has no closing } on its line.'
        : 'A key is expected here, or the } of this inline table.';
      cursor.problem('syntax', cursor.atLineEnd ? { start, end: start + 1 } : here(cursor), message);
      break;
    }
    cursor.skipBlanks();
    if (cursor.take('=')) cursor.skipBlanks();
    else cursor.problem('syntax', here(cursor), 'An = is missing after the key.');
    const value = readValue(cursor, depth + keys.length);
    setDotted(cursor, table, keys, value, made);
    cursor.skipBlanks();
    comma = cursor.next === ',' ? cursor.at : -1;
    if (cursor.take(',') || cursor.next === '}') continue;
    const message = cursor.atLineEnd
      ? 'This inline table has no closing } on its line.'
      : 'A comma or the } of this inline table is expected here.';
    cursor.problem('syntax', cursor.atLineEnd ? { start, end: start + 1 } : here(cursor), message);
    break;
  }
  table.end = cursor.at;
  return table;
}

function here(cursor: Cursor): { start: number; end: number } {
  return { start: cursor.at, end: cursor.atLineEnd ? cursor.at : cursor.at + 1 };
}
