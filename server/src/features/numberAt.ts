/** The number that stands at a position: hex with or without 0x, as dumps and maps write it. */
import type { Document } from '../machine/language';
import type { Position, TextRange } from '../text/position';

export interface NumberAt {
  readonly value: bigint;
  /** As hex with 0x, however it was written. */
  readonly text: string;
  /** The words before it on its line, back to the number before: `CR4: `. */
  readonly label: string;
  readonly range: TextRange;
}

/** A word is looked at around the cursor only: a line may be megabytes long. */
const AROUND = 40;
const LABEL = 60;
const WORD = /[0-9A-Za-z_`]/;

/**
 * A number is hex with 0x. In maps and dumps it is also bare hex of five digits or more, elsewhere of 8 or 16 digits;
 * decimal numbers, MAC addresses and the parts of a UUID are none. More than 64 bits are none either.
 */
export function numberAt(document: Document, position: Position): NumberAt | null {
  const { lines, text } = document.source;
  const offset = lines.offsetAt(position);
  let start = offset;
  let end = offset;
  while (start > 0 && offset - start < AROUND && WORD.test(text[start - 1]!)) start--;
  while (end < text.length && end - offset < AROUND && WORD.test(text[end]!)) end++;
  const word = text.slice(start, end).replace(/[_`]/g, '');
  const digits = /^0[xX]([0-9a-fA-F]+)$/.exec(word)?.[1] ?? bareHex(document, word, text.slice(end, end + 6));
  if (digits === null || digits.length > 16) return null;
  const before = text.slice(Math.max(0, start - LABEL), start);
  return {
    value: BigInt('0x' + digits),
    text: '0x' + digits.toLowerCase(),
    label: before.split(/[\r\n]|\b(?:0[xX])?[0-9a-fA-F]{4,}\b/).at(-1)!,
    range: lines.rangeAt(start, end),
  };
}

function bareHex({ language }: Document, word: string, after: string): string | null {
  const hexLanguage = language === 'memmap' || language === 'crash-dump';
  const shape = hexLanguage ? /^(?=.*[0-9])[0-9a-fA-F]{5,16}$/ : /^(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{16})$/;
  return shape.test(word) && !/^-[0-9a-fA-F]{4}-/.test(after) ? word : null;
}
