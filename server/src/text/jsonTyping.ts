/** Where in a JSON text something is typed: a key, a value or an item of a list. Works on texts that are half typed. */
import { getLocation } from 'jsonc-parser/lib/esm/main.js';
import type { TypingPlace } from './shape/complete';

export interface JsonTyping extends TypingPlace {
  /** Behind the word, and behind the quote that closes it where there is one. */
  readonly end: number;
  /** A colon follows, so the key has its value. */
  readonly colon: boolean;
  /** Another member or item follows without a comma. */
  readonly comma: boolean;
}

const WORD = /[A-Za-z0-9_.-]*$/;
const LONGEST_WORD = 200;

/** Null outside of the outermost value. `offset` counts UTF-16 units. */
export function jsonTyping(text: string, offset: number): JsonTyping | null {
  const { path, isAtPropertyKey } = getLocation(text, offset);
  if (path.length === 0) return null;
  const quoted = insideString(text, offset);
  const before = text.slice(Math.max(0, offset - LONGEST_WORD), offset);
  const after = text.slice(offset, offset + LONGEST_WORD);
  const start = offset - (quoted ? /[^"\r\n]*$/ : WORD).exec(before)![0].length;
  const rest = (quoted ? /^[^"\r\n:,{}[\]]*/ : /^[A-Za-z0-9_.-]*/).exec(after)![0].length;
  const word = { start, end: offset + rest };
  const closed = quoted && text[word.end] === '"';
  const end = closed ? word.end + 1 : word.end;
  const following = /^\s*(\S?)/.exec(text.slice(end, end + LONGEST_WORD))![1]!;
  const item = !isAtPropertyKey && typeof path.at(-1) === 'number';
  return {
    path: isAtPropertyKey || item ? path.slice(0, -1) : path,
    typing: isAtPropertyKey ? 'key' : item ? 'item' : 'value',
    word,
    quoted,
    end,
    colon: following === ':',
    comma: following === '"' || following === '{',
  };
}

/** Strings of JSON end on their line. */
function insideString(text: string, offset: number): boolean {
  let inside = false;
  for (let at = text.lastIndexOf('\n', offset - 1) + 1; at < offset; at++) {
    if (text[at] === '"') inside = !inside;
    else if (inside && text[at] === '\\') at++;
  }
  return inside;
}
