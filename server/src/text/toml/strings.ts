/** TOML's four kinds of strings. */
import { isControl, type Cursor } from './cursor';
import type { TomlSpan } from './tree';

interface StringRead extends TomlSpan {
  readonly value: string;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['b', '\b'],
  ['t', '\t'],
  ['n', '\n'],
  ['f', '\f'],
  ['r', '\r'],
  ['"', '"'],
  ['\\', '\\'],
]);
/** A backslash at the end of a line of a multi-line string takes all blank space after it away. */
const LINE_ENDING_BACKSLASH = /\\[ \t]*\r?\n(?:[ \t]|\r?\n)*/y;
const PLAIN_BASIC = /[^"\\\p{Cc}]+/uy;
const PLAIN_LITERAL = /[^'\p{Cc}]+/uy;

/** Reads the string that begins at the cursor with a quote. Multi-line ones only where `multiline` allows. */
export function readString(cursor: Cursor, multiline: boolean): StringRead {
  const start = cursor.at;
  const quote = cursor.next;
  const triple = quote.repeat(3);
  if (cursor.startsWith(triple)) {
    if (multiline && cursor.text.includes(triple, start + 3)) {
      return { start, value: readMultiline(cursor, quote, triple), end: cursor.at };
    }
    const end = start + 3;
    cursor.at = end;
    if (multiline) {
      cursor.skipLine();
      const message = `This multi-line string has no closing ${triple}; only its first line is taken.`;
      cursor.problem('syntax', { start, end }, message);
      return { start, value: cursor.text.slice(end, cursor.at), end: cursor.at };
    }
    cursor.problem('syntax', { start, end }, 'A key cannot be a multi-line string.');
    return { start, value: '', end };
  }
  cursor.at++;
  const parts: string[] = [];
  for (;;) {
    parts.push(plain(cursor, quote));
    if (cursor.atLineEnd) {
      cursor.problem('syntax', { start, end: cursor.at }, `This string has no closing ${quote} on its line.`);
      break;
    }
    if (cursor.take(quote)) break;
    parts.push(special(cursor, quote));
  }
  return { start, value: parts.join(''), end: cursor.at };
}

function readMultiline(cursor: Cursor, quote: string, triple: string): string {
  const start = cursor.at;
  cursor.at += 3;
  cursor.takeLineEnd();
  const parts: string[] = [];
  for (;;) {
    parts.push(plain(cursor, quote));
    if (cursor.ended) {
      // The closing quotes that were seen ahead were escaped.
      cursor.problem(
        'syntax',
        { start, end: start + 3 },
        `This multi-line string has no closing ${triple}; it runs to the end of the file.`,
      );
      break;
    }
    if (cursor.startsWith(triple)) {
      // One or two quotes may stand right before the closing three.
      let quotes = 3;
      while (quotes < 5 && cursor.text.charAt(cursor.at + quotes) === quote) quotes++;
      parts.push(quote.repeat(quotes - 3));
      cursor.at += quotes;
      break;
    }
    if (cursor.take(quote)) parts.push(quote);
    else if (cursor.takeLineEnd()) parts.push('\n');
    else {
      const trimmed = quote === '"' ? cursor.match(LINE_ENDING_BACKSLASH) : '';
      if (trimmed) cursor.at += trimmed.length;
      else parts.push(special(cursor, quote));
    }
  }
  return parts.join('');
}

/** Text that stands for itself. */
function plain(cursor: Cursor, quote: string): string {
  const text = cursor.match(quote === '"' ? PLAIN_BASIC : PLAIN_LITERAL);
  cursor.at += text.length;
  return text;
}

/** One escape, tab or control character. */
function special(cursor: Cursor, quote: string): string {
  const start = cursor.at;
  const character = cursor.next;
  if (character === '\\' && quote === '"') return escape(cursor);
  cursor.at++;
  if (isControl(character.charCodeAt(0))) {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0').toUpperCase();
    const message = `A string cannot hold the control character U+${code} as it is; write it as \\u${code} in a string with double quotes.`;
    cursor.problem('syntax', { start, end: cursor.at }, message);
  }
  return character;
}

function escape(cursor: Cursor): string {
  const start = cursor.at++;
  const letter = cursor.next;
  const simple = ESCAPES.get(letter);
  if (simple !== undefined) {
    cursor.at++;
    return simple;
  }
  const length = letter === 'u' ? 4 : letter === 'U' ? 8 : 0;
  if (length > 0) {
    const digits = /^[0-9A-Fa-f]*/.exec(cursor.text.slice(cursor.at + 1, cursor.at + 1 + length))![0];
    cursor.at += 1 + digits.length;
    const code = digits.length === length ? parseInt(digits, 16) : Infinity;
    if (code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)) return String.fromCodePoint(code);
    const message =
      digits.length < length
        ? `\\${letter} needs ${length} hexadecimal digits.`
        : `U+${digits.toUpperCase()} is no Unicode scalar value.`;
    cursor.problem('syntax', { start, end: cursor.at }, message);
    return '\ufffd';
  }
  const end = cursor.atLineEnd ? cursor.at : cursor.at + 1;
  const written = cursor.text.slice(start, end);
  const message = `TOML has no escape ${written}. Write \\\\ for a backslash, or use single quotes.`;
  cursor.problem('syntax', { start, end }, message);
  cursor.at = end;
  return written;
}
