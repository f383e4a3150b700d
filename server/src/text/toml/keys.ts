/** Keys of TOML: bare, quoted, and joined by dots. */
import type { Cursor } from './cursor';
import { readString } from './strings';
import type { TomlKey } from './tree';

const BARE = /[A-Za-z0-9_-]+/y;
/** What somebody may have meant as a key, to go past it in one step. */
const FOREIGN = /[^\s=.[\]{},#"']+/y;

/** Reads `a."b".c`. Empty where there is no key at all; then nothing is taken, and nothing reported. */
export function readKeys(cursor: Cursor): TomlKey[] {
  const keys: TomlKey[] = [];
  for (;;) {
    const key = readKey(cursor);
    if (key) keys.push(key);
    else if (keys.length > 0) {
      const at = keys.at(-1)!.end;
      cursor.problem('syntax', { start: at, end: cursor.at }, 'A part of the key is missing after the dot.');
      return keys;
    } else return keys;
    const end = cursor.at;
    cursor.skipBlanks();
    if (!cursor.take('.')) {
      cursor.at = end;
      return keys;
    }
    cursor.skipBlanks();
  }
}

function readKey(cursor: Cursor): TomlKey | null {
  if (cursor.next === '"' || cursor.next === "'") {
    const { start, end, value } = readString(cursor, false);
    return { start, end, text: value };
  }
  const start = cursor.at;
  cursor.at += cursor.match(BARE).length;
  const foreign = cursor.match(FOREIGN);
  if (foreign) {
    cursor.at += foreign.length;
    const written = cursor.text.slice(start, cursor.at);
    const message = `${written.slice(0, 40)} needs quotes: a key without them has only letters, digits, - and _.`;
    cursor.problem('syntax', { start, end: cursor.at }, message);
  }
  return cursor.at === start ? null : { start, end: cursor.at, text: cursor.text.slice(start, cursor.at) };
}
