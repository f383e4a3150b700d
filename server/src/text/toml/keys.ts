/** Keys of TOML: bare, quoted, and joined by dots. */
import type { Cursor } from './cursor';
import { readString } from './strings';
import type { TomlKey } from './tree';

const BARE = /[A-Za-z0-9_-]+/y;
/** What somebody may have meant as a key, to go past it in one step. */
const FOREIGN = /[^\s=.[\]{},#"']+/y;

/**
 * Nesting beyond it is no config; the reader of Rust's toml crate stops values at the same depth. Each part of a key is a table in a
 * table too.
 */
export const DEEPEST = 80;

/** Reads `a."b".c`, and of a longer key its first DEEPEST parts. Empty where there is no key at all; then nothing is taken, and nothing reported. */
export function readKeys(cursor: Cursor): TomlKey[] {
  const keys: TomlKey[] = [];
  let tooLong: TomlKey | null = null;
  for (;;) {
    const key = readKey(cursor);
    if (key && keys.length < DEEPEST) keys.push(key);
    else if (key) tooLong ??= key;
    else if (keys.length > 0) {
      const at = keys.at(-1)!.end;
      cursor.problem('syntax', { start: at, end: cursor.at }, 'A part of the key is missing after the dot.');
      return keys;
    } else return keys;
    const end = cursor.at;
    cursor.skipBlanks();
    if (!cursor.take('.')) {
      cursor.at = end;
      if (tooLong) {
        const message = `Keys of more than ${DEEPEST} parts are not read.`;
        cursor.problem('syntax', { start: tooLong.start, end }, message);
      }
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
